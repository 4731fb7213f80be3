"""`cloud-incident lint`: whether incidents are fit to be served."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.evaluation.audit import report_fitness
from scenarios.catalogue import list_documents
from scenarios.loading import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(cls=ReportingCommand)
@click.argument(
    "paths", metavar="FILE|DIRECTORY...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
def lint(paths: Sequence[Path]) -> None:
    """Check incidents and play them.

    Is each valid, solvable, reactive, not guessable? What would the standard cheats earn? Of a directory the files
    that --scenarios would load are checked. The exit code is 1 if an incident is not fit to serve.
    """
    given = [file for path in paths for file in (list_documents(path) if path.is_dir() else [path])]
    files = list(dict.fromkeys(given))
    unfit = []
    for file in files:
        if len(files) > 1:
            click.echo(f"{file}:")
        try:
            text, fit = report_fitness(file)
            click.echo(text)
        except DocumentError as error:
            click.ClickException(str(error)).show()
            fit = False
        if not fit:
            unfit.append(file)
    if len(files) > 1:
        click.echo(f"{len(files) - len(unfit)} of {len(files)} are fit to serve.")
    if unfit:
        raise SystemExit(1)
