"""Compile a suite so that every check it executes is counted, and say which line failed."""

import ast

COUNTER = "__mftbench_check__"


def compile_counted(source, name):
    """Compile with a count before every ``assert`` and every top-level ``check(...)``.

    Raises what compile raises.
    """
    tree = ast.parse(source, f"<{name}>")
    tree.body = [part for node in tree.body for part in _top_level(node)]
    tree = _CountAsserts().visit(tree)
    ast.fix_missing_locations(tree)
    return compile(tree, f"<{name}>", "exec")


def _top_level(node):
    call = node.value if isinstance(node, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check":
        return [_count(node), node]
    return [node]


class _CountAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return [_count(node), node]


def _count(node):
    call = ast.Call(func=ast.Name(id=COUNTER, ctx=ast.Load()), args=[], keywords=[])
    return ast.copy_location(ast.Expr(value=call), node)


class Count:
    """How many checks were executed."""

    __slots__ = ("value",)

    def __init__(self):
        self.value = 0

    def __call__(self):
        """Count one check."""
        self.value += 1


def failed_line(error, source, name):
    """Show the last line of the suite that the exception went through."""
    number, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == f"<{name}>":
            number = trace.tb_lineno
        trace = trace.tb_next
    lines = source.splitlines()
    return f"line {number}: {lines[number - 1].strip()[:300]}" if 0 < number <= len(lines) else ""
