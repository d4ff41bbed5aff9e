"""The small problem in every language whose suites share a process with the candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """A suite, the frame of the function that it calls, bodies for it, and whole programs."""

    suite: str
    frame: str
    bodies: Mapping[str, str]
    wholes: Mapping[str, str]

    def function(self, body: str) -> str:
        """Put a body into the function's frame."""
        return self.frame.replace("BODY", body)


JAVASCRIPT = Language(
    suite="""
console.assert(add(0, 1) === 1);
console.assert(add(2, 3) === 5);
console.assert(add(-4, 4) === 0);
""",
    frame="const add = (x, y) => { BODY };\n",
    bodies={
        "right": "return x + y",
        "wrong": "return x - y - 1",
        "V4-exit-in-call": "process.exit(0)",
        "V11-printed-marker": "console.log('passed', 'OK'); return 7",
        "R2-memory": "const a = []; for (;;) a.push(new Array(1e5).fill(0.5))",
        "R5-output": "for (;;) console.log('x'.repeat(1e6))",
        "R6-legitimate-output": "console.log('x'.repeat(3e5)); return x + y",
        "R7-recursion": "return add(x, y)",
        "R8-infinite-loop": "for (;;);",
        "E1-bytes-that-are-no-text": (
            "process.stdout.write(Buffer.from([255, 254])); return x + y"
        ),
    },
    wholes={
        "V4-exit-before": "process.exit(0);\n",
        "V10-hides-the-suite": "const add = () => 7;\nconsole.assert = () => {};\n/*",
        "V22-reads-the-message": """
const add = () => 7, fs = require("fs"), room = Buffer.alloc(1 << 20);
for (const place of [0, "/proc/self/fd/0", "/proc/1/fd/0"]) {
  try {
    const file = place && fs.openSync(place);
    const message = JSON.parse(room.toString("utf8", 0, fs.readSync(file, room, 0, 1 << 20, 0)));
    const report = { outcome: "passed", message: "", checks: 3, expected_checks: 3, detail: {} };
    fs.writeSync(message.report, JSON.stringify({ nonce: message.nonce, report }));
    process.reallyExit(0);
  } catch {}
}
""",
    },
)

CPP = Language(
    suite="""
#undef NDEBUG
#include <assert.h>
/* Three sums. */
int main() {
  assert(add(0, 1) == 1);
  assert(add(2, 3) == 5);
  assert(add(-4, 4) == 0);
}
""",
    frame=(
        "#include <cstdio>\n#include <cstring>\n#include <vector>\nint add(int x, int y) { BODY }\n"
    ),
    bodies={
        "right": "return x + y;",
        "wrong": "return x - y - 1;",
        "V4-exit-in-call": "std::exit(0);",
        "V11-printed-marker": 'puts("passed OK"); return 7;',
        "R2-memory": "std::vector<char *> a; for (;;) { a.push_back(new char[1 << 20]);"
        " std::memset(a.back(), 'x', 1 << 20); }",
        "R5-output": "for (;;) puts(std::string(1 << 20, 'x').c_str());",
        "R6-legitimate-output": "puts(std::string(1 << 18, 'x').c_str()); return x + y;",
        "R7-recursion": "volatile int a[1000] = {x}; return add(a[0], y) + a[1];",
        "R8-infinite-loop": "for (volatile int i = 0;; i = i + 1);",
        "E1-bytes-that-are-no-text": 'puts("\\xff\\xfe"); return x + y;',
    },
    wholes={
        "V4-exit-before": (
            "#include <cstdlib>\nstatic int leave = (std::exit(0), 0);\n"
            "int add(int x, int y) { return 7; }\n"
        ),
        "V10-hides-the-suite": "int main() { return 0; }\n#if 0\n",
        "V10-spliced-line": (
            "int add(int x, int y) { return 7; }\nint main() { return 0; }\n"
            "#define main hidden //\\"
        ),
        "V10-open-comment": (
            "int add(int x, int y) { return 7; }\nint main() { return 0; }\n#define main hidden /*"
        ),
    },
)

JAVA = Language(
    suite="""
public class Main {
    public static void main(String[] args) {
        Solution s = new Solution();
        if (s.add(0, 1) != 1 || s.add(2, 3) != 5 || s.add(-4, 4) != 0) {
            throw new AssertionError();
        }
    }
}
/* Three sums. */
""",
    frame="import java.util.*;\nclass Solution { int add(int x, int y) { BODY } }\n",
    bodies={
        "right": "return x + y;",
        "wrong": "return x - y - 1;",
        "V4-exit-in-call": "System.exit(0); return 0;",
        "V11-printed-marker": 'System.out.println("passed OK"); return 7;',
        "R2-memory": "List<int[]> a = new ArrayList<>(); for (;;) a.add(new int[1 << 20]);",
        "R5-output": 'for (;;) System.out.println("x".repeat(1 << 20));',
        "R6-legitimate-output": 'System.out.println("x".repeat(1 << 18)); return x + y;',
        "R7-recursion": "return add(x, y) + 1;",
        "R8-infinite-loop": "for (;;) { x++; }",
        "E1-bytes-that-are-no-text": (
            "System.out.write(255); System.out.write(254); System.out.flush(); return x + y;"
        ),
    },
    wholes={
        "V4-exit-before": (
            "class Solution { static { Runtime.getRuntime().halt(0); }"
            " int add(int x, int y) { return 7; } }\n"
        ),
        "V10-hides-the-suite": (
            "class Main { public static void main(String[] args) {} }\nclass Solution {}\n/*"
        ),
    },
)

GO = Language(
    suite="""package main

import (
    "testing"
    "github.com/stretchr/testify/assert"
)

func TestAdd(t *testing.T) {
    assert := assert.New(t)
    assert.Equal(1, Add(0, 1))
    assert.Equal(5, Add(2, 3))
    assert.Equal(0, Add(-4, 4))
}
""",
    frame="func Add(x int, y int) int { BODY }\n",
    bodies={
        "right": "return x + y",
        "wrong": "return x - y - 1",
        "V4-exit-in-call": "os.Exit(0); return 0",
        "V11-printed-marker": 'fmt.Println("PASS"); return 7',
        "R2-memory": "a := [][]int{}; for { a = append(a, make([]int, 1 << 18));"
        " for i := range a[len(a)-1] { a[len(a)-1][i] = i } }",
        "R5-output": 'for { fmt.Println(strings.Repeat("x", 1 << 20)) }',
        "R6-legitimate-output": 'fmt.Println(strings.Repeat("x", 1 << 18)); return x + y',
        "R7-recursion": "return Add(x, y) + 1",
        "R8-infinite-loop": "for { x++ }",
        "E1-bytes-that-are-no-text": "os.Stdout.Write([]byte{255, 254}); return x + y",
    },
    wholes={
        "V4-exit-before": ("func init() { os.Exit(0) }\nfunc Add(x int, y int) int { return 7 }\n"),
        "V10-hides-the-suite": "func Add(x int, y int) int { return 7 }\nfunc main() {}\n/*",
    },
)

RUST = Language(
    suite="""
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_add() {
        assert_eq!(add(0, 1), 1);
        assert_eq!(add(2, 3), 5);
        assert_eq!(add(-4, 4), 0);
    }
}
""",
    frame="#![allow(unconditional_recursion)]\nfn add(x: i32, y: i32) -> i32 { BODY }\n",
    bodies={
        "right": "x + y",
        "wrong": "x - y - 1",
        "V4-exit-in-call": "std::process::exit(0)",
        "V11-printed-marker": 'println!("test result: ok. 1 passed"); 7',
        "R2-memory": "let mut a = vec![]; loop { a.push(vec![x; 1 << 18]); }",
        "R5-output": (
            "use std::io::Write; loop { std::io::stdout().write_all(&[b'x'; 1 << 16]).unwrap(); }"
        ),
        "R6-legitimate-output": (
            "use std::io::Write; std::io::stdout().write_all(&[b'x'; 1 << 18]).unwrap(); x + y"
        ),
        "R7-recursion": "let a = [x; 1000]; add(a[0], y) + a[1]",
        "R8-infinite-loop": "loop {}",
        "E1-bytes-that-are-no-text": (
            "use std::io::Write; std::io::stdout().write_all(&[255, 254]).unwrap(); x + y"
        ),
    },
    wholes={
        "V4-exit-before": (
            '#[used]\n#[link_section = ".init_array"]\nstatic LEAVE: extern "C" fn() = leave;\n'
            'extern "C" fn leave() { std::process::exit(0) }\n'
            "fn add(x: i32, _y: i32) -> i32 { x }\n"
        ),
        "V10-hides-the-suite": "#![cfg(not(test))]\nfn add(x: i32, _y: i32) -> i32 { x }\n",
        "V10-dangling-attribute": (
            "fn add(x: i32, _y: i32) -> i32 { x }\n#[test]\nfn decoy() {}\n#[cfg(any())]\n"
        ),
    },
)

SOURCES: Mapping[str, Language] = {
    "javascript": JAVASCRIPT,
    "cpp": CPP,
    "java": JAVA,
    "go": GO,
    "rust": RUST,
}
