"""Documentation: the reference follows the code, links lead somewhere, the README is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path for folder in ("docs", "tasks", "leaderboards") for path in (ROOT / folder).rglob("*.md")
) + sorted(ROOT.glob("*.md"))


def test_the_reference_is_current():
    command = [sys.executable, str(ROOT / "docs" / "generate_reference.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_the_readme_shows_the_table_of_its_board():
    readme = (ROOT / "README.md").read_text()
    shown = readme.split("<!-- board:laptop -->")[1].split("<!-- /board -->")[0].strip()
    assert shown.startswith("|")
    assert shown in (ROOT / "leaderboards" / "laptop" / "README.md").read_text()
