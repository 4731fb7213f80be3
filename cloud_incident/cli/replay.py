"""`cloud-incident replay`: stored trajectories, printed and verified."""

from __future__ import annotations

from pathlib import Path

import click

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.cli.options import with_settings
from cloud_incident.evaluation.running import find_differences, is_measured, read_trajectories, render_trajectory
from cloud_incident.settings.base import Settings


class ReplaySettings(Settings):
    """Settings of `replay`."""

    command = "replay"


@click.command(cls=ReportingCommand, failures=(ValueError,))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", help="Only the trajectory of this key, such as responder/RP-001/0/0.")
@click.option("--quiet", is_flag=True, help="Only verify.")
@with_settings(ReplaySettings)
def replay(settings: ReplaySettings, file: Path, key: str | None, quiet: bool) -> None:
    """Print trajectories step by step and verify that they replay.

    Each must come to the same evidence, rewards and score again. The exit code is 1 if one does not. Of an episode
    that failed the steps that were taken are verified; it has no score.
    """
    catalogue = settings.build_catalogue()
    count = wrong = failed = 0
    for trajectory in read_trajectories(file):
        if key is not None and trajectory["key"] != key:
            continue
        count += 1
        failed += not is_measured(trajectory)
        if not quiet:
            click.echo("\n".join(render_trajectory(trajectory)))
        found = find_differences(trajectory, catalogue)
        wrong += bool(found)
        for difference in found:
            click.echo(f"{trajectory['key']}: {difference}", err=True)
    if not count:
        raise click.ClickException(f"{file} has no trajectory{f' called {key}' if key else ''}.")
    left_out = (
        f" {failed} of them failed when {'it was' if failed == 1 else 'they were'} played: no score." if failed else ""
    )
    click.echo(f"{count - wrong} of {count} replay to the same evidence, rewards and score.{left_out}")
    if wrong:
        raise SystemExit(1)
