"""`cloud-incident audit`: the environment measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.cli.options import DIFFICULTY, with_settings
from cloud_incident.cli.outputs import OutputFile
from cloud_incident.evaluation.audit import (
    Audit,
    AuditedWorld,
    Sample,
    UnknownCheckError,
    count_processors,
    render_markdown,
)
from cloud_incident.evaluation.audit import render_json as to_json
from cloud_incident.settings.base import Settings
from scenarios.catalogue import UnknownScenarioError

if TYPE_CHECKING:
    from pathlib import Path


class AuditSettings(Settings):
    """Settings of `audit`."""

    command = "audit"


@click.command(cls=ReportingCommand, misuses=(UnknownCheckError, UnknownScenarioError))
@click.option("--sample", "size", type=click.IntRange(min=1), default=300, show_default=True, help="Incidents.")
@click.option("--task", "tasks", multiple=True, help="Only this task; all of them if not given.")
@click.option("--split", "splits", multiple=True, help="Only this split; `open` are the seeds that people type.")
@click.option(
    "--start",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="First index of each split, or first seed of `open`.",
)
@click.option("--difficulty", "difficulties", type=DIFFICULTY, multiple=True, help="Only this difficulty.")
@click.option("--check", "checks", multiple=True, help="Only this check, such as semantic.oracle_max.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that measure; as many as processors if not given.")
@click.option("--json", "as_json", type=OutputFile(), help="The file to write the figures to.")
@with_settings(AuditSettings, without=("scenarios",))
def audit(
    settings: AuditSettings,
    size: int,
    start: int,
    checks: tuple[str, ...],
    jobs: int | None,
    as_json: Path | None,
    **chosen: tuple[Any, ...],
) -> None:
    """Measure the environment: OpenEnv's checks on generated incidents.

    Prints a Markdown table. The exit code is 1 if a check failed, 2 if there is no such thing to audit. A figure that
    is out of bounds on a sample that is too small to tell fails nothing; the table says so.
    """
    sample = Sample.from_options(size=size, start=start, **{name: given for name, given in chosen.items() if given})
    world = AuditedWorld(settings.secret_salt)
    audited = Audit(sample=sample, checks=checks, jobs=jobs or count_processors(), world=world).run()
    click.echo(render_markdown(audited), nl=False)
    if as_json is not None:
        as_json.write_bytes(to_json(audited))
    if not audited.passed:
        raise SystemExit(1)
