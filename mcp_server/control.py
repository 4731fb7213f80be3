"""The control tools of the operator profile: start, look again, list, grade, close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult, Tool, ToolAnnotations
from typing_extensions import TypedDict

from env_core.briefing import describe_grade, describe_standing, write_briefing, write_debrief, write_timeline
from env_core.observation import ProgressReport
from env_core.selection import Selection, SelectionError
from env_core.stores import CapacityError, EpisodeExistsError
from env_core.transition import Transition
from mcp_server.apps import ACTS, LOOKS, App
from mcp_server.binding import HandleError, OperatorBinding
from mcp_server.results import refusal, reply
from mcp_server.tools import Arguments, OnEpisode, ServedTool
from scenarios.catalogue import CURATED_SPLIT, UnknownScenarioError
from scenarios.parsing import InvalidActionError, parse_arguments
from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import ServerRequestContext
    from pydantic import BaseModel

    from env_core.episode import Episode
    from env_core.service import EpisodeService


class Briefing(ProgressReport):
    """The numbers of an episode and the names that its actions take."""

    available_actions: list[str]
    known_services: list[str]


class ScenarioEntry(TypedDict):
    """A scenario that can be started."""

    scenario_id: str
    task_id: str
    scenario_index: int


class Listing(TypedDict):
    """What can be started, and which of the caller's incidents are open."""

    scenarios: list[ScenarioEntry]
    open: list[ProgressReport]


class Closed(TypedDict):
    """The handle that has been closed."""

    episode_id: str


class _Nothing(Arguments):
    """No arguments."""


@dataclass(frozen=True, slots=True)
class ControlTools:
    """The tools by which an operator controls the simulation. An agent under test never sees them."""

    service: EpisodeService
    binding: OperatorBinding
    app: App | None = None

    def served(self) -> list[ServedTool]:
        return [
            self._tool(
                "start_incident",
                "Start incident",
                "Start an incident and get its briefing and episode_id. Name a task, a scenario, an index or a seed, "
                "or ask for one at random; with nothing named it is alert_classification, scenario 0.",
                Selection,
                self._start,
                shown=ACTS,
            ),
            self._tool(
                "get_incident",
                "Look at the incident again",
                "Show the briefing of an open incident again and what has been done so far. Not a step.",
                OnEpisode,
                self._get,
                read_only=True,
                shown=LOOKS,
            ),
            self._tool(
                "list_incidents",
                "List incidents",
                "List what can be started and which incidents this connection has open. Not a step.",
                _Nothing,
                self._list,
                read_only=True,
            ),
            self._tool(
                "grade_incident",
                "Grade incident",
                "Show the score of a finished incident with every point explained, and what had happened. Not a step.",
                OnEpisode,
                self._grade,
                read_only=True,
                shown=LOOKS,
            ),
            self._tool(
                "close_incident",
                "Close incident",
                "Close an incident, finished or not, and forget it.",
                OnEpisode,
                self._close,
                destructive=True,
            ),
        ]

    def _tool(
        self,
        name: str,
        title: str,
        description: str,
        takes: type[BaseModel],
        answer: Callable[[ServerRequestContext[Any, Any], Any], Awaitable[CallToolResult]],
        *,
        read_only: bool = False,
        destructive: bool = False,
        shown: dict[str, Any] | None = None,
    ) -> ServedTool:
        async def handler(ctx: ServerRequestContext[Any, Any], arguments: dict[str, Any]) -> CallToolResult:
            try:
                return await answer(ctx, parse_arguments(name, takes, arguments))
            except (
                InvalidActionError,
                HandleError,
                SelectionError,
                UnknownScenarioError,
                EpisodeExistsError,
                CapacityError,
            ) as error:
                return refusal(str(error))

        annotations = ToolAnnotations(
            title=title,
            read_only_hint=read_only,
            destructive_hint=destructive,
            idempotent_hint=read_only or destructive,
            open_world_hint=False,
        )
        definition = Tool(
            name=name,
            title=title,
            description=description,
            input_schema=build_arguments_schema(takes),
            annotations=annotations,
            meta=shown if self.app is not None else None,
        )
        return ServedTool(definition, handler)

    def _drawn(
        self, ctx: ServerRequestContext[Any, Any], episode: Episode, result: CallToolResult, *, whole: bool = False
    ) -> CallToolResult:
        if self.app is not None:
            result.meta = self.app.drawn(ctx, episode, whole=whole)
        return result

    async def _start(self, ctx: ServerRequestContext[Any, Any], selection: Selection) -> CallToolResult:
        episode = await self.service.create(selection)
        self.binding.opened(ctx, episode)
        drawn = f"\nDrawn with seed {episode.reference.seed}." if episode.reference.seed is not None else ""
        started = reply(f"episode_id: {episode.id}{drawn}\n\n{write_briefing(episode)}", _briefed(episode))
        return self._drawn(ctx, episode, started)

    async def _get(self, ctx: ServerRequestContext[Any, Any], arguments: OnEpisode) -> CallToolResult:
        episode = await self.binding.episode(ctx, arguments.episode_id)
        told = f"episode_id: {episode.id}\n\n{write_briefing(episode)}\n\n{write_timeline(episode)}"
        return self._drawn(ctx, episode, reply(told, _briefed(episode)), whole=True)

    async def _list(self, ctx: ServerRequestContext[Any, Any], _: _Nothing) -> CallToolResult:
        catalogue = self.service.catalogue
        lines = ["Can be started with start_incident:"]
        for task in TASKS.values():
            ids = ", ".join(scenario.id for scenario in catalogue.of_task(task.id))
            lines.append(f"- {task.id} ({task.max_steps} steps): {ids}")
        splits = ", ".join(name for name in catalogue.splits if name != CURATED_SPLIT)
        lines.append(f"Generated, of each task: by seed and difficulty (1 to 5), or by index in a split ({splits}).")
        episodes = await self.binding.own(ctx)
        if not self.binding.knows(ctx):
            lines.append("This connection has no session: use the episode_id that start_incident returned.")
        for heading, done in (("Open here:", False), ("Finished here:", True)):
            entries = [
                f"- {episode.id}  {episode.reference.scenario_id}  {describe_standing(episode)}"
                for episode in episodes
                if episode.done is done
            ]
            lines += [heading, *entries] if entries else []
        listing: Listing = {
            "scenarios": [
                {"scenario_id": scenario.id, "task_id": task_id, "scenario_index": index}
                for task_id in TASKS
                for index, scenario in enumerate(catalogue.of_task(task_id))
            ],
            "open": [Transition(episode).report() for episode in episodes],
        }
        return reply("\n".join(lines), dict(listing))

    async def _grade(self, ctx: ServerRequestContext[Any, Any], arguments: OnEpisode) -> CallToolResult:
        episode = await self.binding.episode(ctx, arguments.episode_id)
        if episode.grade is None:
            return refusal(
                f"Not finished, so not graded. {describe_standing(episode)} {episode.task.submission.name} ends it."
            )
        told = reply(f"{describe_grade(episode.grade)}\n\n{write_debrief(episode)}", dict(Transition(episode).report()))
        return self._drawn(ctx, episode, told, whole=True)

    async def _close(self, ctx: ServerRequestContext[Any, Any], arguments: OnEpisode) -> CallToolResult:
        episode = await self.binding.episode(ctx, arguments.episode_id)
        await self.service.close(episode.id)
        closed: Closed = {"episode_id": episode.id}
        return reply(f"Closed {episode.id}. Call start_incident for another.", dict(closed))


def _briefed(episode: Episode) -> dict[str, Any]:
    return {
        **Transition(episode).report(),
        "available_actions": episode.task.available_actions,
        "known_services": list(episode.incident.services),
    }
