"""The operations of the grammar, one module per kind of value they take."""

from mftbench.starter.grammar import Kind, Operation
from mftbench.starter.operations import counts, number, numbers, text, words

OPERATIONS: tuple[Operation, ...] = (
    *numbers.OPERATIONS,
    *words.OPERATIONS,
    *text.OPERATIONS,
    *counts.OPERATIONS,
    *number.OPERATIONS,
)

TRANSFORMS: dict[Kind, tuple[Operation, ...]] = {
    kind: tuple(op for op in OPERATIONS if op.takes is kind and not op.answers) for kind in Kind
}
ANSWERS: dict[Kind, tuple[Operation, ...]] = {
    kind: tuple(op for op in OPERATIONS if op.takes is kind and op.answers) for kind in Kind
}

__all__ = ["ANSWERS", "OPERATIONS", "TRANSFORMS"]
