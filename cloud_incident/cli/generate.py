"""`cloud-incident generate`: generated incidents as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.cli.options import DIFFICULTY, TASK, with_settings
from cloud_incident.cli.outputs import OutputPath
from cloud_incident.generate import GenerateError, select_incidents, write_incidents
from cloud_incident.settings.base import Settings

if TYPE_CHECKING:
    from pathlib import Path


class GenerateSettings(Settings):
    """Settings of `generate`."""

    command = "generate"


@click.command(cls=ReportingCommand, failures=(GenerateError,))
@click.option(
    "--seed", "seeds", type=click.IntRange(min=0), multiple=True, help="Seed of an incident; may be given repeatedly."
)
@click.option("--split", default="", help="Incidents of this split, such as validation.")
@click.option(
    "--index", "indices", type=click.IntRange(min=0), multiple=True, help="Index in the split; may be given repeatedly."
)
@click.option("--start", type=click.IntRange(min=0), help="First seed or index.")
@click.option("--count", type=click.IntRange(min=1), help="How many, from the first seed or index on.")
@click.option(
    "--difficulty",
    type=DIFFICULTY,
    help="Difficulty 1–5. If not given: 3 for a seed; in a split, each incident has its own.",
)
@click.option(
    "--task",
    "tasks",
    type=TASK,
    multiple=True,
    help="Only this task; may be given repeatedly. Every task if not given.",
)
@with_settings(GenerateSettings, without=("scenarios",))
@click.option(
    "--out",
    type=OutputPath(file=False),
    required=True,
    help="The directory to write to; other commands take it as --scenarios.",
)
@click.option("--force", is_flag=True, help="Write over files that are there.")
def generate(settings: GenerateSettings, out: Path, force: bool, **selectors: Any) -> None:
    """Write generated incidents down as files that last.

    Each is an incident file like those written by hand: readable, editable, the same in every later release.
    """
    for file, content in write_incidents(select_incidents(**selectors), out, settings.build_catalogue(), force=force):
        click.echo(f"wrote {file} · {content}")
