"""Model cards for the Hugging Face hub, one per training, and a card of the whole study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mftbench.canonical import dumps
from mftbench.contract import Source
from mftbench.errors import MftbenchError
from mftbench.leaderboard.evidence import Evidence
from mftbench.leaderboard.files import publish
from mftbench.leaderboard.model_names import file_names
from mftbench.leaderboard.rows import Row
from mftbench.leaderboard.settings import describe
from mftbench.leaderboard.trainings import Training
from mftbench.leaderboard.wording import ABSENT, AT_LEAST, percent
from mftbench.plugins import load_task, open_source
from mftbench.study import study_toml

SYNTHETIC = (
    "Scores on synthetic data compare training modes with each other; they say nothing about real "
    "code and are not comparable to any published benchmark."
)
IN_PROCESS = (
    "In-process checker: there the checker shares a process with the candidate, which could forge "
    "its verdict."
)
MISSING = (
    f"{AT_LEAST} is a lower bound: the infrastructure failed on some items, not the model. Such "
    "scores are not in the metadata above."
)


def write_cards(evidence: Evidence, out: Path, tasks_dirs: Sequence[Path] = ()) -> Iterator[Path]:
    """Write README.md for every training into a folder of its own, and STUDY.md beside them."""
    for training in evidence.trainings:
        path = out / slug(evidence, training) / "README.md"
        publish(path, model_card(evidence, training, tasks_dirs))
        yield path
    path = out / "STUDY.md"
    publish(path, study_card(evidence, tasks_dirs))
    yield path


def slug(evidence: Evidence, training: Training) -> str:
    """Name a training so that it can be a folder and a repository, as no other of its study."""
    names = file_names(each.system.model for each in evidence.trainings)
    text = f"{names[training.system.model]}-{training.label}-seed{training.seed}"
    return "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in text)


def model_card(evidence: Evidence, training: Training, tasks_dirs: Sequence[Path] = ()) -> str:
    """Write a training's card: base, data, licences, settings, and its scores as model-index."""
    from huggingface_hub import ModelCard, ModelCardData

    rows = [row for row in evidence.board.rows if row.keys.train == training.key]
    kind = training.spec["adapter"]["kind"]
    data = ModelCardData(
        model_name=slug(evidence, training),
        base_model=training.spec["model"] if _on_hub(training.spec["model"]) else None,
        library_name="transformers" if kind == "full" else "peft",
        pipeline_tag="text-generation",
        # What may be done with the weights follows from the base and the data, named below.
        license="other",
        license_name="of-base-and-data",
        tags=["code", "mftbench", training.system.mode],
        eval_results=[_result(row) for row in rows if row.value is not None and not row.missing],
    )
    body = "\n".join(_model_lines(evidence, training, rows, tasks_dirs))
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{body}\n"))


def study_card(evidence: Evidence, tasks_dirs: Sequence[Path] = ()) -> str:
    """Write all that is needed to make a study again: settings, data, versions, keys."""
    return "\n".join(_study_lines(evidence, tasks_dirs)) + "\n"


def _result(row: Row) -> Any:
    from huggingface_hub import EvalResult

    return EvalResult(
        task_type="text-generation",
        task_name=row.task,
        dataset_type=row.source,
        dataset_config=row.task,
        dataset_split="test",
        dataset_name=f"{row.task} ({', '.join((row.source, *_labels(row)))})",
        metric_type=row.metric,
        metric_value=round(100 * (row.value or 0.0), 1),
        metric_name=f"{row.metric}, percent of {row.problems} problems",
        verified=False,
    )


def _model_lines(
    evidence: Evidence, training: Training, rows: Sequence[Row], tasks_dirs: Sequence[Path]
) -> Iterator[str]:
    board = evidence.board.name
    yield from (f"# {slug(evidence, training)}", "")
    yield f"Trained by mftbench for the study *{board}*: {training.label}, seed {training.seed},"
    yield f"from the base model `{training.spec['model']}`. Made to compare ways of training."
    yield from ("", "## Training data", "", *_data_lines([training], tasks_dirs))
    yield from ("", "## Settings", "")
    for name in ("balance", "adapter", "optim", "format"):
        yield f"- {name}: `{dumps(training.spec[name])}`"
    yield from ("", "## Scores", "", "| task | metric | percent | 95 % interval | problems |")
    yield "| :-- | :-- | --: | --: | --: |"
    yield from (_score_line(row) for row in rows)
    if any(row.synthetic for row in rows):
        yield from ("", SYNTHETIC)
    if any(row.in_process for row in rows):
        yield from ("", IN_PROCESS)
    if any(row.missing for row in rows):
        yield from ("", MISSING)
    yield from ("", "## Made with", "", *_made_with([training]))
    yield from ("", f"Key in the store: `{training.key}` (`mftbench show {training.key}`).")


def _labels(row: Row) -> Iterator[str]:
    """Give what must be said of a score wherever it appears."""
    if row.synthetic:
        yield "synthetic"
    if row.in_process:
        asked = sum(row.outcomes.values())
        yield f"in-process checker for {row.in_process} of {asked} samples"


def _score_line(row: Row) -> str:
    at_least = AT_LEAST if row.missing else ""
    value = ABSENT if row.value is None else at_least + percent(row.value)
    bounds = (
        ABSENT
        if row.low is None or row.high is None
        else f"[{percent(row.low)}, {percent(row.high)}]"
    )
    measured = f"{row.task} ({', '.join((row.source, *_labels(row)))})"
    return f"| {measured} | {row.metric} | {value} | {bounds} | {row.problems} |"


def _study_lines(evidence: Evidence, tasks_dirs: Sequence[Path]) -> Iterator[str]:
    board = evidence.board
    yield from (f"# Study card: {board.name}", "")
    if board.study:
        yield from (board.study.notes, "", describe(board.study), "")
        yield from ("## study.toml", "", "```toml", study_toml(board.study).rstrip(), "```", "")
    yield from ("## Data", "", *_data_lines(evidence.trainings, tasks_dirs), "")
    yield from ("## Made with", "", *_made_with(evidence.trainings), "")
    yield from ("## Models", "", "| model | seed | Train key |", "| :-- | --: | :-- |")
    for training in evidence.trainings:
        yield f"| {training.system.model} {training.label} | {training.seed} | `{training.key}` |"
    yield from ("", "## Make it again", "", "```sh", "mftbench run study.toml", "```", "")
    yield "Equal keys mean the same experiment; on another processor last digits may differ."


def _data_lines(trainings: Sequence[Training], tasks_dirs: Sequence[Path]) -> Iterator[str]:
    """Write a line per data set that was trained on: options, licence, origin, fingerprint."""
    yield "| task | source | options | licence | citation | fingerprint |"
    yield "| :-- | :-- | :-- | :-- | :-- | :-- |"
    lines: dict[str, None] = {}
    for training in trainings:
        for data in training.spec["tasks"]:
            source = data["source"]
            found = _open(data["task"], source, tasks_dirs)
            cells = (
                *(data["task"], source["name"], f"`{dumps(source['options'])}`"),
                *((found.licence, found.citation) if found else ("not known here", "")),
                f"`{source['fingerprint']}`",
            )
            lines["| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"] = None
    yield from lines


def _open(task: str, source: Any, tasks_dirs: Sequence[Path]) -> Source | None:
    try:
        return open_source(load_task(task, tasks_dirs), source["name"], source["options"])
    except MftbenchError:
        return None


def _made_with(trainings: Sequence[Training]) -> Iterator[str]:
    """Write the versions and machines, each once."""
    said: dict[str, None] = {}
    for training in trainings:
        made = training.provenance
        packages = ", ".join(
            f"{name} {number}" for name, number in sorted(made["packages"].items())
        )
        said[
            f"- mftbench {made['mftbench']} at commit {made['commit'] or 'none'}, Python "
            f"{made['python']}, {packages}; {made['system']}, {made['cores']} cores"
        ] = None
    yield from said


def _on_hub(model: str) -> bool:
    """Say whether a model's name is a hub id: owner/name, and no folder here."""
    return model.count("/") == 1 and not model.startswith((".", "/")) and not Path(model).exists()
