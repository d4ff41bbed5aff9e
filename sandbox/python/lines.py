"""Count which lines of a program's functions were executed: where the tests cannot write."""

import sys


class Lines:
    """The lines of one program text that its functions hold, and those that were executed."""

    def __init__(self, source, name):
        self._file = f"<{name}>"
        self.all = set(_lines_of_functions(compile(source, self._file, "exec")))
        self._seen = set()

    def watch(self):
        """Note executed lines from now on."""
        sys.settrace(self._on_call)

    @property
    def covered(self):
        """How many of the lines were executed."""
        return len(self._seen & self.all)

    def _on_call(self, frame, event, argument):
        return self._on_line if frame.f_code.co_filename == self._file else None

    def _on_line(self, frame, event, argument):
        if event == "line":
            self._seen.add(frame.f_lineno)
        return self._on_line


def _lines_of_functions(module):
    """Yield the lines below each definition; the line itself where a body shares it."""
    for code in module.co_consts:
        if not hasattr(code, "co_lines"):
            continue
        lines = {line for _, _, line in code.co_lines() if line}
        yield from (lines - {code.co_firstlineno}) or lines
        yield from _lines_of_functions(code)
