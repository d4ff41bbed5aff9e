"""``mftbench show``: the chain of artifacts behind a number, and the samples under it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mftbench.commands.options import DEFAULT_STORE, StoreName

if TYPE_CHECKING:
    from mftbench.store import Artifact, Store

INPUTS = ("execute", "generate", "train")


def show(
    key: Annotated[
        str,
        typer.Argument(
            help="A key or its beginning, or a cell: laptop/mft:task_token/sql[@SOURCE]."
        ),
    ],
    store: StoreName = DEFAULT_STORE,
    samples: Annotated[int, typer.Option("-n", help="Also print this many samples.")] = 0,
    model: Annotated[str, typer.Option(help="The base model, where a board has several.")] = "",
) -> None:
    """Print the spec chain behind a number, from the score back to the training data.

    A cell of a board is BOARD/SYSTEM/TASK; it has a chain per seed.
    """
    from mftbench.leaderboard.trace import trace
    from mftbench.store_at import open_store

    keys = [row.keys.score for row in trace(key, model)] if "/" in key else [key]
    opened = open_store(store)
    for artifact in [opened.search(each) for each in keys]:
        for item in _chain(opened, artifact):
            _print(item)
        if samples:
            _print_samples(opened, artifact, samples)


def _chain(store: Store, artifact: Artifact) -> list[Artifact]:
    """Follow the keys in the specs to every artifact behind one, nearest first."""
    chain, waiting = [artifact], [artifact]
    while waiting:
        spec = waiting.pop().spec
        for stage in INPUTS:
            found = store.peek(stage, spec[stage]) if spec.get(stage) else None
            if found and found not in chain:
                chain.append(found)
                waiting.append(found)
    return chain


def _print(artifact: Artifact) -> None:
    from rich.console import Console
    from rich.pretty import Pretty

    console = Console(soft_wrap=True)
    console.print(f"[bold]{artifact.stage} {artifact.key}[/bold]  {artifact.path}")
    console.print(Pretty(artifact.spec))
    made = artifact.provenance
    console.print(f"made by mftbench {made['mftbench']} {made['commit']}, {made['packages']}")


def _print_samples(store: Store, artifact: Artifact, count: int) -> None:
    from mftbench.leaderboard.transcript import harmless

    spec = artifact.spec
    generated = store.peek("generate", spec.get("generate", artifact.key))
    if generated is None:
        return
    verdicts = _by_item(artifact.path / "verdicts.jsonl")
    for item in list(_by_item(generated.path / "completions.jsonl").values())[:count]:
        verdict = verdicts.get((item["problem"], item["sample"]), {})
        outcome = f"{verdict.get('outcome', '')} {verdict.get('reason', '')}".strip()
        head = f"--- {item['problem']} #{item['sample']} {outcome}"
        typer.echo(harmless(f"{head}\n{item['text']}"))


def _by_item(path: Path) -> dict[tuple[str, int], dict[str, Any]]:
    from mftbench.itemlog import read_items

    if not path.exists():
        return {}
    return {(item["problem"], item["sample"]): item for item in read_items(path)}
