"""Makes the operations that take one kind of value."""

from dataclasses import dataclass

from mftbench.starter.grammar import Kind, Operation


@dataclass(frozen=True)
class Taking:
    """The kind that a module's operations take, the prefix of their names, and its answers' family.

    ``name`` and ``family`` given to the methods are an operation's own; ``k`` are its constants.
    """

    kind: Kind
    prefix: str
    answers: str

    def step(
        self,
        name: str,
        family: str,
        gives: Kind,
        python: str,
        javascript: str,
        *phrases: str,
        k: tuple[int | str, ...] = (),
    ) -> Operation:
        """Make an operation that a program may go on from."""
        name = f"{self.prefix}_{name}"
        return Operation(name, family, self.kind, gives, python, javascript, phrases, k)

    def answer(
        self,
        name: str,
        gives: Kind,
        python: str,
        javascript: str,
        *phrases: str,
        k: tuple[int | str, ...] = (),
    ) -> Operation:
        """Make an operation that ends a program."""
        name = f"{self.prefix}_{name}"
        return Operation(
            name, self.answers, self.kind, gives, python, javascript, phrases, k, answers=True
        )
