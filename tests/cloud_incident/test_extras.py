"""Optional dependencies: the server loads none of them, and a command says which it misses and how to get them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cloud_incident.cli import main
from cloud_incident.console.evaluations import Evaluations
from cloud_incident.evaluation.reporting.markup import load_templates
from cloud_incident.evaluation.running import dump_trajectory
from cloud_incident.extras import MissingExtraError, require_extra
from tests.cloud_incident.evaluation.trajectories import made_up

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"jinja2", "matplotlib", "numpy", "openai", "pygal", "rich", "scipy", "tenacity"}
MCP = "from cloud_incident.cli import main; main(['mcp'], standalone_mode=False)"
SERVE = "import server.app; server.app.app"


@pytest.mark.slow
@pytest.mark.parametrize("program", [MCP, SERVE])
def test_the_server_loads_none_of_them(program: str) -> None:
    script = f"{program}\nimport sys\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    assert {"cloud_incident.cli", "env_core.service"} <= loaded
    assert not HEAVY & loaded


@pytest.mark.parametrize("package", ["jinja2", "rich"])
def test_evaluate_says_what_is_missing_before_it_plays(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # how Python is told that there is no such package
    path = tmp_path / "run.jsonl"
    refused = CliRunner().invoke(main, ["evaluate", "--agent", "oracle", "--out", str(path)])
    assert refused.exit_code == 1
    assert refused.output == f"Error: {package} not installed; run: pip install 'cloud-incident[evaluate]'\n"
    assert not path.exists()


def test_evaluate_says_how_to_get_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    asked = ["evaluate", "--agent", "oracle", "--backend", "ray", "--out", str(tmp_path / "run.jsonl")]
    refused = CliRunner().invoke(main, asked)
    assert refused.exit_code == 1
    assert "Error: ray not installed; run: pip install 'cloud-incident[ray]'\n" in refused.output


@pytest.mark.anyio
async def test_the_console_says_what_a_page_misses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.jsonl").write_bytes(dump_trajectory(made_up(0.5)))
    evaluations = Evaluations(tmp_path)
    load_templates.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert (await evaluations.list_latest())["evaluations"][0]["episodes"] == 1
    with pytest.raises(MissingExtraError, match="evaluate"):
        await evaluations.render_page("run")


def test_several_are_named_at_once() -> None:
    require_extra("evaluate", "jinja2", "rich")
    with pytest.raises(
        MissingExtraError, match=r"no_such, nor_this not installed; run: pip install 'cloud-incident\[x\]'"
    ):
        require_extra("x", "no_such", "jinja2", "nor_this")
