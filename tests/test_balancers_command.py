"""``mftbench balancers``: names without imports, laws with exit codes."""

import subprocess
import sys

import pytest
from training_runs import install_plugin
from typer.testing import CliRunner

from mftbench.cli import app
from mftbench.errors import UsageError
from mftbench.training.balancing.registry import built_in_balancers, purpose

CARELESS = """
from mftbench.training.balancing.balancer import Balancer

class Careless(Balancer):
    def forward(self, losses, batch):
        return losses.mean()
"""


def run(*arguments):
    return CliRunner().invoke(app, ["balancers", *arguments])


def test_every_built_in_method_is_listed_with_its_purpose():
    printed = run("list").stdout
    for name in built_in_balancers():
        assert f"{name:<18} {purpose(name)}" in printed
        assert purpose(name).endswith(".")


def test_listing_imports_no_torch():
    script = (
        "import sys; from mftbench.commands.balancers import list_; list_(); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_check_says_what_holds_and_exits_0():
    result = run("check", "famo", "fixed_weights", "-o", 'weights={"sql": 2}')
    assert isinstance(result.exception, UsageError)  # famo has no such option
    assert run("check", "fixed_weights", "-o", 'weights={"sql": 2}').exit_code == 0
    result = run("check", "famo", "gls")
    assert (result.exit_code, result.stdout.split()) == (0, ["famo", "ok", "gls", "ok"])


def test_broken_law_is_named_and_exits_1(tmp_path, monkeypatch):
    install_plugin(tmp_path, "careless = careless:Careless")
    (tmp_path / "careless.py").write_text(CARELESS)
    monkeypatch.syspath_prepend(tmp_path)
    result = run("check", "careless")
    assert result.exit_code == 1
    assert "gives weight to a task that is absent" in result.stdout


def test_check_of_all_skips_what_needs_options():
    result = run("check", "--all")
    assert result.exit_code == 0
    assert "fixed_weights      -- skipped" in result.stdout
    assert result.stdout.count(" ok") == len(built_in_balancers()) - 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["check"], "by --all"), (["check", "fammo"], "did you mean 'famo'")],
)
def test_what_cannot_be_checked_is_told(arguments, message):
    assert message in str(run(*arguments).exception)
