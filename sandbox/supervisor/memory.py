"""What the container's own control group says about memory; nothing where it can't be read."""

_KILLS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
_STAT = ("/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory/memory.stat")
_HELD = ("anon", "shmem", "total_rss", "total_shmem")  # of version 2, then of version 1


def kills():
    """Count the processes that the kernel has killed here for want of memory."""
    return _numbers(_KILLS).get("oom_kill", 0)


def held_bytes():
    """Say what all processes of the container hold, each page once; None if that can't be read."""
    numbers = _numbers(_STAT)
    found = [numbers[name] for name in _HELD if name in numbers]
    return sum(found) if found else None


def _numbers(paths):
    for path in paths:
        try:
            with open(path) as file:
                lines = [line.split() for line in file]
        except OSError:
            continue
        return {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdigit()}
    return {}
