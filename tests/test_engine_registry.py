import subprocess
import sys

import pytest

from mftbench.errors import UsageError
from mftbench.inference.registry import find_engines, open_engine


def install(folder, monkeypatch, name):
    """Put a distribution with one engine on the import path."""
    info = folder / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[mftbench.engines]\n{name} = mftbench.inference.scripted:ScriptedEngine\n"
    )
    monkeypatch.syspath_prepend(str(folder))


def test_built_in_engines_are_found():
    assert {"transformers", "scripted"} <= find_engines().keys()


def test_an_unknown_engine_is_answered_with_the_nearest_name():
    with pytest.raises(UsageError, match="did you mean 'transformers'"):
        open_engine("transformer")


def test_an_installed_engine_is_found_and_opened(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "other")
    assert open_engine("other").name == "scripted"


def test_two_engines_of_one_name_are_an_error_that_names_both_origins(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "transformers")
    with pytest.raises(UsageError, match=r"'transformers': mftbench and other: mftbench.inference"):
        find_engines()


def test_finding_engines_and_the_scripted_one_import_no_torch():
    code = (
        "import sys; from mftbench.inference.registry import open_engine; "
        "open_engine('scripted'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
