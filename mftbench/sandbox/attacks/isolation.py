"""Reaching the machine: I1 to I8, and the limits of P8, as completions of a Python function.

``canary`` plants what I1, I2 and I3 look for; without it they can find less.
"""

from __future__ import annotations

from mftbench.contract import Outcome
from mftbench.sandbox.attacks.attack import RIGHT, attack, escape

CANARY = "mftbench-selftest-canary"
"""Name of a file in the temporary folders and the home folder, of a variable, and of a socket."""

_FIND = f'''def everywhere(*folders):
    for folder in folders:
        for root, _, names in os.walk(folder):
            yield from (os.path.join(root, name) for name in names)
            if root.count("/") > 4:
                break
canary = "{CANARY}"'''

_KEYS = """add_key, keyctl = {"x86_64": (248, 250), "aarch64": (217, 219)}[os.uname().machine]"""

ISOLATION = (
    escape(
        "I1-network",
        (
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 53)) is None",
            "socket.create_connection(('169.254.169.254', 80), 0.5)",
            "socket.getaddrinfo('example.com', 80)",
            "socket.socket(socket.AF_UNIX).connect('\\0' + canary) is None",
            "[name for _, name in socket.if_nameindex() if name != 'lo']",
            "os.path.exists('/var/run/docker.sock') or os.path.exists('/run/docker.sock')",
        ),
        _FIND,
    ),
    escape(
        "I2-secrets",
        (
            "canary in os.environ",
            "[p for p in os.listdir('/proc') if p.isdigit()"
            " and canary in open(f'/proc/{p}/environ').read()]",
            "[f for f in everywhere('/tmp', '/var/tmp', '/home', '/root') if canary in f]",
            "open('/etc/shadow').read()",
            "[f for f in everywhere('/home', '/root') if os.path.basename(f) in"
            " ('.netrc', 'token', 'id_rsa', 'id_ed25519', '.bash_history', '.git-credentials')]",
            *(f"libc.syscall(keyctl, 0, {ring}, 0) > 0" for ring in (-1, -2, -3, -4, -5)),
            "libc.syscall(add_key, b'user', b'left', b'behind', 6, -5) > 0",
            "open('/proc/keys').read()",
        ),
        f"{_FIND}\n{_KEYS}",
    ),
    escape(
        "I3-host-files",
        (
            "open('/usr/written', 'w')",
            "open('/etc/written', 'w')",
            "open('/runner/python/check.py', 'a')",
            "open('/prepared/written', 'w')",
            "open('/proc/sys/kernel/core_pattern', 'w')",
            "open('/proc/sysrq-trigger', 'w')",
            "[open(f, 'w') for f in everywhere('/tmp', '/home', '/root') if canary in f]",
        ),
        _FIND,
    ),
    attack(
        "I4-leaves-files",
        """    import os
    for folder in (".", "/tmp", "/var/tmp", "/dev/shm", "/work", "/run"):
        for name in ("left-behind", "json.py", "sitecustomize.py", "__pycache__/wire.pyc"):
            try:
                os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
                with open(os.path.join(folder, name), "w") as file:
                    file.write("raise SystemExit")
            except OSError:
                pass
"""
        + RIGHT,
        Outcome.PASSED,
    ),
    escape(
        "I4-finds-files",
        (
            "[f for d in ('.', '/tmp', '/var/tmp', '/dev/shm', '/work', '/run')"
            " for f in (os.listdir(d) if os.path.isdir(d) else ()) if f == 'left-behind']",
            "os.listdir('.')",
            "len([p for p in os.listdir('/proc') if p.isdigit() and int(p) > 2"
            " and int(p) != os.getpid() and os.stat(f'/proc/{p}').st_uid == os.getuid()])",
        ),
    ),
    attack(
        "I5-symbolic-links",
        """    import os
    for target in ("/etc/passwd", "/proc/1/root", "/runner/python/check.py", "loop"):
        if not os.path.islink(target.replace("/", "-")):
            os.symlink(target, target.replace("/", "-"))
"""
        + RIGHT,
        Outcome.PASSED,
    ),
    escape(
        "I6-privileges",
        (
            "os.setuid(0) is None and os.geteuid() == 0 and os.listdir('/root')",
            "os.mknod('disk', 0o60600, 0x0800) is None and open('disk', 'rb')",
            "os.chroot('.') is None",
            "libc.mount(b'none', b'.', b'tmpfs', 0, 0) == 0",
            "libc.unshare(0x10000000) == 0 and libc.unshare(0x00020000) == 0",
            "open('/proc/1/mem', 'r+b').write(b'x')",
            "os.kill(1, 9) is None and not os.path.exists('/proc/1')",
            "open('/sys/kernel/uevent_helper', 'w')",
            "open('/dev/mem', 'rb').read(1) or open('/dev/kmsg', 'rb').read(1)",
            "libc.sethostname(b'other', 5) == 0",
            "__import__('time').clock_settime(0, __import__('time').time()) is None",
        ),
    ),
    escape("P7-traces-its-parent", ("libc.ptrace(16, os.getppid(), 0, 0) == 0",)),
    escape(
        "I8-machine-dependence",
        (
            "os.environ.get('TZ') != 'UTC'",
            "os.environ.get('PYTHONHASHSEED') != '0'",
            "open(__import__('sys').stdout.fileno(), closefd=False).encoding.lower() != 'utf-8'",
        ),
    ),
    escape(
        "P8-raised-limits",
        (
            "resource.setrlimit(resource.RLIMIT_CPU, (-1, -1)) is None",
            "resource.setrlimit(resource.RLIMIT_AS, (-1, -1)) is None",
            "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1)) is None",
            "os.nice(-5) < 0",
            "open('/proc/self/oom_score_adj', 'w').write('-1000') and"
            " open('/proc/self/oom_score_adj').read() == '-1000\\n'",
        ),
    ),
)
