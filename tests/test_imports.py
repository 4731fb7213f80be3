"""Imports of our own packages: no cycles, and inside functions only where start-up time was measured."""

from __future__ import annotations

import ast
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import grimp
import pytest

from cloud_incident.cli import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
PACKAGES: list[str] = [*PROJECT["root_packages"], "server"]

LATE = {
    ("cloud_incident.cli.group", "scenarios.suggesting"): "only a command that does not exist needs it",
    ("cloud_incident.cli.mcp", "cloud_incident.app"): "over stdio the HTTP application is not needed",
    ("cloud_incident.evaluation.agents.endpoint", "cloud_incident.evaluation.agents.transport"): (
        "most agents ask no model, and an HTTP client takes long to import"
    ),
    ("cloud_incident.evaluation.reporting.description", "cloud_incident.evaluation.reporting.tables"): (
        "the server, which shows reports, works without rich"
    ),
    ("cloud_incident.telemetry.watching", "cloud_incident.telemetry.layer"): "over stdio there is no application",
    ("cloud_incident.telemetry.watching", "cloud_incident.telemetry.logs"): "a server that logs nothing needs none",
    ("cloud_incident.telemetry.watching", "cloud_incident.telemetry.metrics"): "the client library takes 30 ms",
    ("cloud_incident.telemetry.watching", "cloud_incident.telemetry.traces"): "a server that is not traced needs none",
    ("env_core.stores.opening", "env_core.stores.redis"): "a shared store is an extra, and most servers have none",
    ("scenarios.generator.incidents", "scenarios.generator.draw"): "curated incidents are not generated",
    ("scenarios.running.__init__", "scenarios.running.incident"): "few servers play incidents that run, and need NumPy",
    ("scenarios.running.__init__", "scenarios.running.retold"): "as above",
    ("scenarios.running.__init__", "scenarios.running.drawn"): "as above",
    ("scenarios.running.__init__", "scenarios.running.abreast"): "as above",
    ("scenarios.running.__init__", "scenarios.running.listed"): "as above",
    ("scenarios.running.__init__", "scenarios.world"): "as above",
}
"""The imports inside functions, by who imports what: why start-up is faster with them there."""


def build_graph() -> dict[str, set[str]]:
    """What each module imports at its top or inside functions; what only type checkers import does not count."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None, exclude_type_checking_imports=True)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    for command in COMMANDS.values():
        imports["cloud_incident.cli"].add(command.module)
    return imports


def find_late_imports(path: Path) -> Iterator[str]:
    """The modules of ours that functions of a file import."""
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and node.module is not None:
                    yield node.module
                elif isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)


def test_there_is_no_cycle() -> None:
    try:
        TopologicalSorter(build_graph()).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other: {' -> '.join(error.args[1])}")


def test_a_cycle_is_found() -> None:
    graph = build_graph()
    graph["cloud_incident.settings.sources"].add("cloud_incident.cli.mcp")
    with pytest.raises(CycleError):
        TopologicalSorter(graph).prepare()


@pytest.mark.slow
def test_imports_inside_functions_are_those_that_were_measured() -> None:
    found = {
        (".".join(path.relative_to(ROOT).with_suffix("").parts), imported)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for imported in find_late_imports(path)
        if imported.partition(".")[0] in PACKAGES
    }
    assert found == set(LATE)
