"""Where a study's board goes, and how its files are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mftbench.canonical import digest
from mftbench.errors import UsageError
from mftbench.leaderboard.files import RESULTS, ROOT, STUDY, publish, write_board
from mftbench.leaderboard.rows import Row
from mftbench.leaderboard.studies import taken
from mftbench.study import Study, load_study, study_toml


def board_folder(study: Study, file: Path, say: Callable[[str], None]) -> Path:
    """Choose a board folder that never mixes two studies.

    A study as its file has it goes to the folder of its name; if that file is a board's, here under
    ``leaderboards``, to that board. One that was changed on the command line goes to a folder of
    its own, named for the change; so does one whose folder is another's already, which is said.
    Raises UsageError for a name that is no folder's.
    """
    name = _component(study.name, file)
    own = ROOT / f"{name}-{digest(study, 6)}"
    if study != load_study(file):
        return own
    folder, root = file.resolve().parent, ROOT.resolve()
    if file.name == STUDY and root in folder.parents and (folder / RESULTS).is_file():
        return ROOT / folder.relative_to(root)
    if reason := taken(ROOT / name, study):
        say(f"{ROOT / name} {reason}, so this board goes to {own}")
        return own
    return ROOT / name


def _component(name: str, file: Path) -> str:
    """Give a name that is one folder below another, and no way to somewhere else."""
    if name in ("", ".", "..") or not name.isprintable() or set(name) & {"/", "\\"}:
        raise UsageError(
            f"{file}: name {name!r} is no name of a folder; give one without / or \\, or --board"
        )
    return name


def require_free(folder: Path, study: Study) -> None:
    """Raise UsageError if a folder that was named for a study's board is another's."""
    if reason := taken(folder, study):
        raise UsageError(f"{folder} {reason}; name another by --board, or move this one away")


def write_results(folder: Path, study: Study, file: Path | None, rows: Sequence[Row]) -> None:
    """Write the study file, the rows and everything that is generated from them.

    ``file`` is where the study came from; its text is kept if the study is as it stands there.
    Raises UsageError if the folder is another board's.
    """
    require_free(folder, study)
    as_it_stands = file is not None and study == load_study(file)
    text = file.read_text(encoding="utf-8") if file and as_it_stands else study_toml(study)
    publish(folder / STUDY, text)
    write_board(folder, rows)
