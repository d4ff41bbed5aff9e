"""The task plugins: one folder each. In a checkout they lie at the top, in the wheel in here."""

from pathlib import Path

_checkout = Path(__file__).resolve().parents[2]
# Only beside our own pyproject.toml: in site-packages a folder named tasks would be someone else's.
if (_checkout / "pyproject.toml").is_file() and (_checkout / "tasks").is_dir():
    __path__.append(str(_checkout / "tasks"))
