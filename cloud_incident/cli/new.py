"""`cloud-incident new`: a first incident to write on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.cli.outputs import OutputPath
from cloud_incident.scaffold import write_scaffold

if TYPE_CHECKING:
    from pathlib import Path


@click.command(cls=ReportingCommand)
@click.argument("file", type=OutputPath(file=True))
def new(file: Path) -> None:
    """Write a small incident that passes lint, and the schema for editors.

    The schema is written beside the incident.
    """
    if file.suffix not in {".yaml", ".yml"}:
        raise click.ClickException(f"{file} would never be loaded; name it {file}.yaml.")
    if file.exists():
        raise click.ClickException(f"{file} exists; name a new file.")
    for path in write_scaffold(file):
        click.echo(f"wrote {path}")
