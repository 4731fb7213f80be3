"""`cloud-incident episodes`: what is stored, and what can be done with it while no server runs, or beside one."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import click

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.cli.options import with_settings
from cloud_incident.cli.outputs import OutputFile
from cloud_incident.settings.store import StoreSettings
from env_core.briefing import describe_grade, write_briefing, write_timeline
from env_core.service import EpisodeService
from env_core.stores import MEMORY, Claim

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from env_core.stores import Entry, EpisodeStore

Answer = TypeVar("Answer")

_DAY = 86_400
_UNITS = ((_DAY, "d"), (3600, "h"), (60, "min"), (1, "s"))


class EpisodesSettings(StoreSettings):
    """Settings of `episodes`."""

    command = "episodes"

    @property
    def lasting(self) -> bool:
        """Whether episodes are looked for in the user's data directory if the settings name no place."""
        return True

    def open_stored(self) -> EpisodeStore:
        """The store, which must be one that outlives its process.

        Raises:
            StoreUnavailableError: if it cannot be opened.
        """
        if self.store == MEMORY or not (self.store or self.default_file.exists()):
            raise click.ClickException(
                f"No episode is stored in {self.store or self.default_file}. --store names the file of a server."
            )
        return self.open_store()

    def work_on_store(self, work: Callable[[EpisodeStore], Awaitable[Answer]]) -> Answer:
        """What some work on the store gives. The store is let go of afterwards.

        Raises:
            StoreUnavailableError: if it cannot be opened.
        """
        store = self.open_stored()

        async def work_and_close() -> Answer:
            try:
                return await work(store)
            finally:
                await store.close()

        return anyio.run(work_and_close)

    def work_on_service(self, work: Callable[[EpisodeService], Awaitable[Answer]]) -> Answer:
        """The same with an episode service over the store."""
        return self.work_on_store(lambda store: work(EpisodeService(self.build_catalogue(), store)))


@click.group()
def episodes() -> None:
    """List, show, export, fork and prune stored episodes."""


@episodes.command("list", cls=ReportingCommand)
@click.option("--json", "as_json", is_flag=True, help="For programs: one object to a line.")
@with_settings(EpisodesSettings)
def list_episodes(settings: EpisodesSettings, as_json: bool) -> None:
    """List the stored episodes, the one that was used last first."""
    entries = settings.work_on_store(lambda store: store.list_entries())
    for entry in entries:
        click.echo(json.dumps(_describe_entry(entry)) if as_json else _write_entry(entry))
    if not entries and not as_json:
        click.echo("No episode is stored.", err=True)


@episodes.command(cls=ReportingCommand)
@click.argument("episode_id")
@with_settings(EpisodesSettings)
def show(settings: EpisodesSettings, episode_id: str) -> None:
    """Print the briefing of an episode and what has been done; after its end its grade."""
    episode = settings.work_on_service(lambda service: service.get(episode_id))
    parts = [write_briefing(episode), write_timeline(episode)]
    if episode.grade is not None:
        parts.append(describe_grade(episode.grade))
    click.echo("\n\n".join(parts))


@episodes.command(cls=ReportingCommand)
@click.argument("episode_ids", nargs=-1)
@click.option("--out", type=OutputFile(), help="The file to write; standard output if not given.")
@with_settings(EpisodesSettings)
def export(settings: EpisodesSettings, episode_ids: tuple[str, ...], out: Path | None) -> None:
    """Write what is stored of episodes, one JSON object to a line: of all, or of those that are named.

    An episode can be exported even if this release cannot go on with it, because its incident has changed since.
    """
    lines = settings.work_on_store(lambda store: _export(store, episode_ids))
    if out is None:
        sys.stdout.write("".join(lines))
    else:
        out.write_text("".join(lines), "utf-8")
        click.echo(f"{len(lines)} episodes are in {out}.", err=True)


@episodes.command(cls=ReportingCommand)
@click.argument("episode_id")
@click.option("--after", type=click.IntRange(min=0), help="Steps to take over; all if not given.")
@click.option("--as", "fork_id", default="", help="The id of the fork; minted if not given.")
@with_settings(EpisodesSettings)
def fork(settings: EpisodesSettings, episode_id: str, after: int | None, fork_id: str) -> None:
    """Store an episode that begins with the first steps of another one, and print its id."""
    episode = settings.work_on_service(lambda service: service.fork(Claim(episode_id, ""), after, fork_id))
    click.echo(episode.id)


@episodes.command(cls=ReportingCommand)
@click.argument("episode_ids", nargs=-1)
@click.option("--idle-days", type=click.FloatRange(min=0), help="Those that were not used for so many days.")
@with_settings(EpisodesSettings)
def prune(settings: EpisodesSettings, episode_ids: tuple[str, ...], idle_days: float | None) -> None:
    """Delete episodes: those that are named, and those that nobody has used for some days."""
    if not episode_ids and idle_days is None:
        raise click.UsageError("Name episodes, or give --idle-days.")
    for episode_id in settings.work_on_store(lambda store: _prune(store, episode_ids, idle_days)):
        click.echo(episode_id)


async def _export(store: EpisodeStore, episode_ids: Sequence[str]) -> list[str]:
    chosen = episode_ids or [entry.episode_id for entry in await store.list_entries()]
    lines = []
    for episode_id in chosen:
        record = await store.load(episode_id, touch=False)
        actions = [event.action.dump() for event in record.events]
        content = {"episode_id": episode_id, "reference": record.reference.dump(), "actions": actions}
        lines.append(f"{json.dumps(content, ensure_ascii=False)}\n")
    return lines


async def _prune(store: EpisodeStore, episode_ids: Sequence[str], idle_days: float | None) -> list[str]:
    records = {episode_id: await store.load(episode_id, touch=False) for episode_id in episode_ids}
    for episode_id, record in records.items():
        await store.delete(Claim(episode_id, record.incarnation))
    return [*records, *(await store.expire(idle_days * _DAY) if idle_days is not None else [])]


def _describe_entry(entry: Entry) -> dict[str, Any]:
    reference = entry.reference
    return {
        "episode_id": entry.episode_id,
        "scenario_id": reference.scenario_id,
        "task_id": reference.task_id,
        "steps": entry.length,
        "done": entry.ended,
        "idle_seconds": round(entry.idle_seconds),
    }


def _write_entry(entry: Entry) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if entry.idle_seconds >= size or size == 1)
    standing = "finished" if entry.ended else "open"
    used = f"used {entry.idle_seconds / size:.0f} {unit} ago"
    steps = f"{entry.length} step{'' if entry.length == 1 else 's'}"
    return f"{entry.episode_id}  {entry.reference.scenario_id}  {standing}  {steps}  {used}"
