"""Where a study's board goes, and how its files are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mftbench.canonical import digest
from mftbench.leaderboard.files import RESULTS, ROOT, STUDY, publish, write_board
from mftbench.leaderboard.rows import Row
from mftbench.study import Study, load_study, study_toml


def board_folder(study: Study, file: Path) -> Path:
    """Choose a board folder that never mixes two studies.

    A study as its file has it goes to the folder of its name; if that file is a board's, here under
    ``leaderboards``, to that board. One that was changed on the command line goes to a folder of
    its own, named for the change.
    """
    if study != load_study(file):
        return ROOT / f"{study.name}-{digest(study, 6)}"
    folder, root = file.resolve().parent, ROOT.resolve()
    if file.name == STUDY and root in folder.parents and (folder / RESULTS).is_file():
        return ROOT / folder.relative_to(root)
    return ROOT / study.name


def write_results(folder: Path, study: Study, file: Path | None, rows: Sequence[Row]) -> None:
    """Write the study file, the rows and everything that is generated from them.

    ``file`` is where the study came from; its text is kept if the study is as it stands there.
    """
    as_it_stands = file is not None and study == load_study(file)
    text = file.read_text(encoding="utf-8") if file and as_it_stands else study_toml(study)
    publish(folder / STUDY, text)
    write_board(folder, rows)
