"""Render the page: the template, its style and its scripts, with everything inside one file.

Nothing in the page is fetched, and its content security policy forbids every script but its own, by
digest. Completions reach the page as compressed data and are shown as text only.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mftbench.leaderboard.board import Section
from mftbench.leaderboard.evidence import Evidence
from mftbench.leaderboard.figures.catalogue import PLOTS, draw
from mftbench.leaderboard.figures.theme import inline_svg
from mftbench.leaderboard.report.archive import pack
from mftbench.leaderboard.report.views import section_view, study_view

FOLDER = Path(__file__).parent
SCRIPTS = ("text.js", "archive.js", "diff.js", "list.js", "detail.js", "samples.js", "tables.js")


def render_report(evidence: Evidence) -> str:
    """Write the whole report as one HTML document."""
    board = evidence.board
    several = len(board.sections) > 1
    names = [
        f"{each.system.model} {each.system.label}" if several else each.system.label
        for each in evidence.answers
    ]
    script = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    page = _environment().get_template("page.html")
    return page.render(
        board=board,
        policy=_policy(script),
        css=Markup((FOLDER / "page.css").read_text(encoding="utf-8")),
        script=Markup(script),
        sections=[
            {**section_view(evidence, section, several), "figures": _figures(evidence, section)}
            for section in board.sections
        ],
        study=study_view(evidence),
        archive=pack(evidence.answers, names),
        missing=evidence.missing,
    )


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _policy(script: str) -> str:
    """Allow this script by its digest, inline styles, and nothing else; no network at all."""
    # The template puts a line end on either side of the script, and the digest covers them.
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _figures(evidence: Evidence, section: Section) -> dict[str, dict[str, Any]]:
    """Draw every figure that has something to show, as SVG with its caption."""
    found = {}
    for name, plot in PLOTS.items():
        figure = draw(name, evidence, section)
        if figure is not None:
            svg = Markup(inline_svg(figure, plot.caption))  # drawn by us, names escaped in it
            found[name] = {"svg": svg, "caption": plot.caption}
    return found
