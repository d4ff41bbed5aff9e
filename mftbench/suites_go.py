"""Go source files that stand alone: a package clause, and imports that are exactly those used.

Upstream problems keep imports in a field of their own and evaluate with what is used added and what
is not removed, because Go refuses both kinds of mistake; so a completion's imports cost no point.
"""

from __future__ import annotations

import re

__all__ = ["go_file"]

PACKAGES = (
    *("bufio", "bytes", "container/heap", "container/list", "container/ring", "crypto/md5"),
    *("crypto/sha256", "encoding/hex", "encoding/json", "errors", "fmt", "io", "log", "math"),
    *("math/big", "math/bits", "math/cmplx", "math/rand", "os", "reflect", "regexp", "sort"),
    *("strconv", "strings", "sync", "testing", "time", "unicode", "unicode/utf8"),
    "github.com/stretchr/testify/assert",
)
_KNOWN = {path.rpartition("/")[2]: path for path in PACKAGES}
_PACKAGE = re.compile(r"^package[ \t]+\w+[ \t]*;?[ \t]*$", re.M)
_GROUP = re.compile(r"^import[ \t]*\(([^)]*)\)", re.M)
_SINGLE = re.compile(r'^import[ \t]+((?:[\w.]+[ \t]+)?"[^"\n]*")', re.M)
_SPEC = re.compile(r'(?:([\w.]+)[ \t]+)?"([^"\n]*)"')
_TEXTS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|`[^`]*`|\'(?:\\.|[^\'\\\n])+\'', re.S)
_USED = re.compile(r"(?<![\w.])(\w+)[ \t]*\.")


def go_file(text: str) -> str:
    """Rewrite a Go text as one file of package main. Total: what is no Go stays no Go."""
    specs = [spec for group in _GROUP.findall(text) for spec in _SPEC.findall(group)]
    specs += [spec for single in _SINGLE.findall(text) for spec in _SPEC.findall(single)]
    body = _SINGLE.sub("", _GROUP.sub("", _PACKAGE.sub("", text, count=1)))
    used = set(_USED.findall(_TEXTS.sub(" ", body)))
    given = {name or path.rpartition("/")[2]: (name, path) for name, path in specs}
    wanted = {name: ("", path) for name, path in _KNOWN.items()} | given
    # Names like "." and "_" are never used by name: keep them, their meaning is the author's.
    kept = [wanted[name] for name in sorted(wanted) if name in used or name in {".", "_"}]
    imports = "".join(f'import {name} "{path}"\n' for name, path in kept)
    return f"package main\n\n{imports}\n{body}"
