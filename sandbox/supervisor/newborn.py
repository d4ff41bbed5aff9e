"""What a forked process does to become a runner: its user, descriptors, folder, program."""

import atexit
import ctypes
import fcntl
import gc
import importlib.util
import os
import shutil
import signal
import stat
import sys

ROOT = "/runner"
NODE = "/usr/bin/node"
_CONFINED = "python/confined.py"
_WRITABLE = ("/tmp", "/dev/shm")
_OUR_PACKAGES = ("mftbench", "supervisor")
_HIGH = 200  # above every number that a runner expects a descriptor at
_HIGHEST = 1024
_PR_SET_DUMPABLE = 4
_libc = ctypes.CDLL(None)


class Warm:
    """Runners that are imported before the fork, each once."""

    def __init__(self):
        self._path = [entry for entry in sys.path if entry != ROOT]
        self._ours = [name for name in sys.modules if name.partition(".")[0] in _OUR_PACKAGES]
        self._runners = {}

    def load(self, order):
        """Give an order's runner as (module, arguments, search path, modules to forget)."""
        script, arguments = _script(order)
        if script not in self._runners:
            self._runners[script] = self._import(script)
        module, path = self._runners[script]
        return module, [f"{ROOT}/{script}", *arguments], path, self._ours

    def _import(self, script):
        before, place = sys.path[:], f"{ROOT}/{script}"
        sys.path[:] = [os.path.dirname(place), *self._path]  # as for a script
        try:
            spec = importlib.util.spec_from_file_location(f"runner {script}", place)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module, sys.path[:]
        finally:
            sys.path[:] = before
            # What is frozen is not looked at again, and so stays shared with every child.
            gc.collect()
            gc.freeze()


def _script(order):
    """Say which Python script starts a runner: Python runners limit themselves."""
    runner = order["start"]
    if runner.endswith(".py"):
        return runner, []
    heap = f"--max-old-space-size={order['memory_mb']}"
    return _CONFINED, [NODE, heap, f"{ROOT}/{runner}"]


def become(runner, order, descriptors):
    """Turn this process into the runner; never returns."""
    leave = os._exit
    module, arguments, path, ours = runner
    try:
        _take_descriptors(descriptors, order["inherit"])
        _take_user(order["user"])
        _forget_supervisor(module, arguments, path, ours)
        module.main()
    except SystemExit as exit:
        leave(_finish(exit.code))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        leave(_finish(1))
    leave(0)


def _take_descriptors(descriptors, numbers):
    """Put the descriptors where the runner expects them and close everything else."""
    targets = [0, 1, 2, *numbers]
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _HIGH) for descriptor in descriptors]
    for source, target in zip(high, targets, strict=True):
        os.dup2(source, target)
    first = 3
    for target in [*sorted(numbers), _HIGHEST]:
        os.closerange(first, target)
        first = target + 1


def _take_user(user):
    """Become a user that nobody was before, in an empty folder of its own."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    # The kernel shall never take the supervisor for a program that holds too much.
    score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    os.write(score, b"1000")
    os.close(score)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    # A change of user hides a process's own files in /proc from it, which no program expects.
    _libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    work = f"/tmp/{user}"
    os.mkdir(work, 0o700)
    os.chdir(work)
    os.environ["HOME"] = os.environ["TMPDIR"] = work


def _forget_supervisor(module, arguments, path, ours):
    """Leave in the interpreter what a fresh one would hold."""
    for name in ours:
        sys.modules.pop(name, None)
    sys.modules["__main__"] = module
    sys.argv[:] = arguments
    sys.path[:] = path


def _finish(code):
    """Do what an interpreter does last; say the exit status."""
    try:
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        atexit._run_exitfuncs()
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:  # replaced or closed by the program
        code = code if isinstance(code, int) else 1
    return (code or 0) & 0xFF


def remove_files(user):
    """Remove everything that a user left in the folders that can be written; run as that user."""
    for folder in _WRITABLE:
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if os.lstat(path).st_uid == user:
                _remove(path)


def _remove(path):
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        os.unlink(path)
        return
    os.chmod(path, 0o700)
    for folder, folders, _ in os.walk(path):
        for name in folders:
            inner = os.path.join(folder, name)
            if not os.path.islink(inner):
                os.chmod(inner, 0o700)
    shutil.rmtree(path, ignore_errors=True)
