"""How Go is compiled: by compiler and linker themselves, without the go command around them.

The go command would look over every package each time, which takes longer than compiling one file.
"""

import os
import subprocess

GO = "/usr/bin/go"
IMPORTS = "importcfg"
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "GO111MODULE": "off",
    "GOPATH": "/usr/share/gocode",  # where Debian keeps libraries
    "CGO_ENABLED": "0",
}
PACKAGES = (
    *("bufio", "bytes", "cmp", "container/heap", "container/list", "container/ring", "context"),
    *("crypto/md5", "crypto/sha1", "crypto/sha256", "encoding/base64", "encoding/binary"),
    *("encoding/hex", "encoding/json", "errors", "fmt", "hash/fnv", "io", "log", "maps", "math"),
    *("math/big", "math/bits", "math/cmplx", "math/rand", "os", "reflect", "regexp", "runtime"),
    *("slices", "sort", "strconv", "strings", "sync", "sync/atomic", "testing"),
    *("testing/internal/testdeps", "text/template", "time", "unicode", "unicode/utf16"),
    *("unicode/utf8", "github.com/stretchr/testify/assert"),
)


def tools():
    """Find the folder of the compiler and the linker."""
    return _go("env", "GOTOOLDIR").strip()


def archives(cache):
    """Write the lines that map every package that programs may import to its archive."""
    form = "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}"
    present = _go("list", "-e", "-f", "{{if not .Error}}{{.ImportPath}}{{end}}", *PACKAGES).split()
    return _go("list", "-export", "-deps", "-f", form, *present, cache=cache)


def _go(*arguments, cache="/nowhere"):
    environment = {**ENVIRONMENT, "GOCACHE": cache, "HOME": "/nowhere"}
    done = subprocess.run(
        [GO, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def lines(folder):
    """Find the file of those lines in a prepared folder."""
    return os.path.join(folder, IMPORTS)
