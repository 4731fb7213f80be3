"""`cloud-incident lint`: whether an incident is fit to be served."""

from __future__ import annotations

from pathlib import Path

import click

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.evaluation.audit import report_fitness


@click.command(cls=ReportingCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def lint(file: Path) -> None:
    """Check an incident and play it.

    Is it valid, solvable, reactive, not guessable? What would the standard cheats earn?
    """
    text, fit = report_fitness(file)
    click.echo(text)
    if not fit:
        raise SystemExit(1)
