"""``mftbench train``: fine-tune a model on JSONL files, one task a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mftbench.commands.options import DEFAULT_STORE, Activations, ReportTo, StoreName

if TYPE_CHECKING:
    from mftbench.store import Artifact
    from mftbench.training.finetune import Settings

_SETTINGS = ("adapter", "balancers", "data", "optim", "parallel", "threads")
"""What of a study says how to train; the rest has options of its own, or nothing to say here."""


def train(
    data: Annotated[
        list[str], typer.Argument(help="TASK=FILE.jsonl, or FILE.jsonl, whose stem is the task.")
    ],
    out: Annotated[
        Path, typer.Option(help="A new folder for model, metrics and card.", file_okay=False)
    ],
    model: Annotated[str, typer.Option(help="A built-in name, a folder or a hub id.")] = "nano",
    adapter: Annotated[str, typer.Option(help="full, lora, dora, qlora or poly.")] = "full",
    balancer: Annotated[str, typer.Option(help="How task losses are combined.")] = "token_mean",
    format: Annotated[str, typer.Option(help="How prompts are dressed.")] = "plain",
    seed: Annotated[int, typer.Option(help="Seed of order and initial weights.")] = 1,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="As in a study: optim.lr=1e-4."),
    ] = None,
    affinity: Annotated[
        int, typer.Option(help="Compare the tasks' gradients every so many steps; 0: never.")
    ] = 0,
    skip_malformed: Annotated[
        bool, typer.Option("--skip-malformed", help="Leave malformed rows out, and name them.")
    ] = False,
    store: StoreName = DEFAULT_STORE,
    activations: Activations = "auto",
    report_to: ReportTo = "",
    json: Annotated[bool, typer.Option("--json", help="Progress as JSON lines.")] = False,
) -> None:
    """Fine-tune on rows of prompt and completion (or answer), of chat_rounds, or of messages.

    Give one file per task; a balancer other than token_mean weighs them against each other. What
    was trained before with the same settings on the same rows is taken from the store.
    """
    from mftbench.display import open_display
    from mftbench.errors import UsageError
    from mftbench.store_at import open_store
    from mftbench.training.activations import choose
    from mftbench.training.files import named_files
    from mftbench.training.finetune import finetune
    from mftbench.training.trackers import follow

    choose(activations)
    follow(report_to)
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty; give a new folder")
    files = named_files(data)
    chosen = [
        f'adapter.kind="{adapter}"',
        f"optim.affinity_every={affinity}",
        *(overrides or ()),
    ]
    settings = _settings(chosen, tuple(files), balancer, format, seed)
    artifact, malformed = finetune(
        model, files, settings, open_store(store), open_display(json), skip_malformed=skip_malformed
    )
    for line in malformed:
        typer.echo(f"left out: {line}", err=True)
    if malformed:
        typer.echo(f"{len(malformed)} malformed rows were left out", err=True)
    _publish(artifact, out)


def _settings(
    overrides: list[str], tasks: tuple[str, ...], balancer: str, format: str, seed: int
) -> Settings:
    """Read the overrides as a study's keys, so that both know the same settings."""
    from mftbench.errors import require
    from mftbench.formats import FORMATS
    from mftbench.study import overridden, parse_study
    from mftbench.training.balancing.registry import find_balancers
    from mftbench.training.finetune import Settings

    require("format", format, FORMATS, "--format")
    require("balancer", balancer, find_balancers(), "--balancer")
    for override in overrides:
        require("setting", override.partition("=")[0].partition(".")[0], _SETTINGS, "--set")
    raw = {"name": "train", "models": ["nano"], "tasks": list(tasks), "balancers": [balancer]}
    study = parse_study(overridden(raw, overrides), "--set")
    weights = {task: study.settings(task).weight for task in tasks}
    balance, parallel = study.balancers[0], study.parallel
    return Settings(
        study.adapter, study.optim, balance, weights, format, seed, parallel, study.threads
    )


def _publish(artifact: Artifact, out: Path) -> None:
    import shutil

    shutil.copytree(artifact.path, out, dirs_exist_ok=True)
    found = "" if artifact.made else " (from the store)"
    typer.echo(f"model: {out / 'model'}{found}; figures: {out / 'card.json'}")
