"""The control tools of the operator profile: start, look again, list, grade, close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult, Tool, ToolAnnotations
from typing_extensions import TypedDict

from env_core.briefing import describe_grade, describe_standing, write_briefing, write_debrief, write_timeline
from env_core.observation import ProgressReport
from env_core.selection import Selection
from env_core.transition import Transition
from mcp_server.apps import MODEL_AND_PAGE, MODEL_ONLY, App
from mcp_server.errors import explain_error
from mcp_server.results import build_refusal, build_result
from mcp_server.tools import Arguments, OnEpisode, ServedTool, add_meta
from scenarios.catalogue import CURATED_SPLIT
from scenarios.generator.naming import DIFFICULTIES
from scenarios.parsing import parse_arguments
from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import ServerRequestContext

    from env_core.episode import Episode
    from env_core.service import EpisodeService
    from mcp_server.binding import OperatorBinding
    from scenarios.given import Given


OLD_NAMES = {
    "start_incident": "start_drill",
    "get_incident": "show_drill",
    "list_incidents": "list_drills",
    "grade_incident": "grade_drill",
    "close_incident": "close_drill",
}
"""Earlier names of the control tools. They are not listed, and a call by one is answered as by the new name."""


class Briefing(ProgressReport):
    """The numbers of an episode and the names that its actions take."""

    available_actions: list[str]
    known_services: list[str]


class StartableScenario(TypedDict):
    """A scenario that can be started."""

    scenario_id: str
    task_id: str
    scenario_index: int


class Listing(TypedDict):
    """What can be started, and which of the caller's incidents are open."""

    scenarios: list[StartableScenario]
    open: list[ProgressReport]


class ClosedIncident(TypedDict):
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

    def build_tools(self) -> list[ServedTool]:
        """The control tools, in the order in which clients list them."""
        return [
            self._build_tool(
                "start_drill",
                "Start a drill",
                "Start an incident and get its briefing and episode_id. Name a task, a scenario, an index or a seed, "
                f"or ask for one at random; with nothing named it is {next(iter(TASKS))}, scenario 0.",
                Selection,
                self._start,
                shown=MODEL_ONLY,
            ),
            self._build_tool(
                "show_drill",
                "Show a drill again",
                "Show the briefing of an open incident again and what has been done so far. Not a step.",
                OnEpisode,
                self._get,
                read_only=True,
                shown=MODEL_AND_PAGE,
            ),
            self._build_tool(
                "list_drills",
                "List drills",
                "List what can be started and which incidents this connection has open. Not a step.",
                _Nothing,
                self._list,
                read_only=True,
            ),
            self._build_tool(
                "grade_drill",
                "Grade a drill",
                "Show the score of a finished incident with every point explained, and what had happened. Not a step.",
                OnEpisode,
                self._grade,
                read_only=True,
                shown=MODEL_AND_PAGE,
            ),
            self._build_tool(
                "close_drill",
                "Close a drill",
                "Close an incident, finished or not, and forget it.",
                OnEpisode,
                self._close,
                destructive=True,
            ),
        ]

    def _build_tool(
        self,
        name: str,
        title: str,
        description: str,
        takes: type[Given],
        answer: Callable[[ServerRequestContext[Any, Any], Any], Awaitable[CallToolResult]],
        *,
        read_only: bool = False,
        destructive: bool = False,
        shown: dict[str, Any] | None = None,
    ) -> ServedTool:
        async def handler(ctx: ServerRequestContext[Any, Any], arguments: dict[str, Any]) -> CallToolResult:
            return await answer(ctx, parse_arguments(name, takes, arguments))

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
        return ServedTool(definition, handler, explain_error)

    async def _start(self, ctx: ServerRequestContext[Any, Any], selection: Selection) -> CallToolResult:
        episode = await self.service.create(selection)
        self.binding.remember(ctx, episode)
        seed = f"\nDrawn with seed {episode.reference.seed}." if episode.reference.seed is not None else ""
        text = f"episode_id: {episode.id}{seed}\n\n{write_briefing(episode)}"
        return add_meta(ctx, self.app, episode, build_result(text, _report_briefing(episode)), whole=False)

    async def _get(self, ctx: ServerRequestContext[Any, Any], arguments: OnEpisode) -> CallToolResult:
        episode = await self.binding.find(ctx, arguments.episode_id)
        text = f"episode_id: {episode.id}\n\n{write_briefing(episode)}\n\n{write_timeline(episode)}"
        return add_meta(ctx, self.app, episode, build_result(text, _report_briefing(episode)), whole=True)

    async def _list(self, ctx: ServerRequestContext[Any, Any], _: _Nothing) -> CallToolResult:
        catalogue = self.service.catalogue
        lines = ["Can be started with start_drill:"]
        for task in TASKS.values():
            ids = ", ".join(scenario.id for scenario in catalogue.of_task(task.id))
            lines.append(f"- {task.id} ({task.max_steps} steps): {ids}")
        splits = ", ".join(name for name in catalogue.splits if name != CURATED_SPLIT)
        difficulties = f"{min(DIFFICULTIES)} to {max(DIFFICULTIES)}"
        lines.append(
            f"Generated, of each task: by seed and difficulty ({difficulties}), or by index in a split ({splits})."
        )
        episodes = await self.binding.list_open(ctx)
        if not self.binding.has_session(ctx):
            lines.append("This connection has no session: use the episode_id that start_drill returned.")
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
        return build_result("\n".join(lines), dict(listing))

    async def _grade(self, ctx: ServerRequestContext[Any, Any], arguments: OnEpisode) -> CallToolResult:
        episode = await self.binding.find(ctx, arguments.episode_id)
        if episode.grade is None:
            return build_refusal(
                f"Not finished, so not graded. {describe_standing(episode)} {episode.task.submission.name} ends it."
            )
        text = f"{describe_grade(episode.grade)}\n\n{write_debrief(episode)}"
        return add_meta(ctx, self.app, episode, build_result(text, dict(Transition(episode).report())), whole=True)

    async def _close(self, ctx: ServerRequestContext[Any, Any], arguments: OnEpisode) -> CallToolResult:
        episode = await self.binding.find(ctx, arguments.episode_id)
        await self.binding.close(episode)
        closed: ClosedIncident = {"episode_id": episode.id}
        result = build_result(f"Closed {episode.id}. {self.binding.after_the_end}", dict(closed))
        return add_meta(ctx, None, episode, result, whole=False)


def _report_briefing(episode: Episode) -> dict[str, Any]:
    return {
        **Transition(episode).report(),
        "available_actions": episode.task.available_actions,
        "known_services": list(episode.incident.services),
    }
