"""The control tools of the operator profile: start, look again, list, grade, close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NotRequired

from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field
from typing_extensions import TypedDict

from env_core.briefing import describe_grade, describe_standing, write_briefing, write_debrief, write_timeline
from env_core.callers import OPERATE, PLAY, Need
from env_core.guide import name_runbook_steps
from env_core.observation import GradeReport, ProgressReport, report_grade
from env_core.perfect import play_perfectly
from env_core.selection import MOST_STEPS
from env_core.stores import Claim
from env_core.transition import Transition
from mcp_server.apps import MODEL_AND_PAGE, MODEL_ONLY, App
from mcp_server.drill import FIRST, RANDOM, START, Drill, TrainingDrill
from mcp_server.errors import explain_error
from mcp_server.meta import AGENT_URL
from mcp_server.results import build_refusal, build_result
from mcp_server.tools import Arguments, OnEpisode, ServedTool, add_meta, define_tool
from scenarios.catalogue import CURATED_SPLIT
from scenarios.generator.naming import DIFFICULTIES, RUNNING_VERSION
from scenarios.parsing import InvalidActionError, parse_arguments
from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import TASKS, Submission

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import ServerRequestContext

    from env_core.agent_keys import LocateAgent
    from env_core.episode import Episode
    from env_core.service import EpisodeService
    from mcp_server.binding import OperatorBinding
    from scenarios.errors import CloudIncidentError
    from scenarios.given import Given


OLD_NAMES = {
    "start_incident": "start_drill",
    "get_incident": "show_drill",
    "list_incidents": "list_drills",
    "grade_incident": "grade_drill",
    "close_incident": "close_drill",
}
"""Earlier names of the control tools. They are not listed, and a call by one is answered as by the new name."""


class Standing(ProgressReport):
    """The numbers of an episode, and its incarnation, which tells it from others that had its handle."""

    incarnation: str


class Briefing(Standing):
    """The numbers of an episode and the names that its actions take."""

    available_actions: list[str]
    known_services: list[str]


class StartableScenario(TypedDict):
    """A scenario that can be started."""

    scenario_id: str
    task_id: str
    scenario_index: int


class Listing(TypedDict):
    """What can be started, and which of the caller's drills are open or finished."""

    scenarios: list[StartableScenario]
    open: list[Standing]
    finished: list[Standing]


class ClosedDrill(TypedDict):
    """A drill that has been closed, with its grade if it was finished."""

    episode_id: str
    incarnation: str
    scenario_id: str
    grade: NotRequired[GradeReport]


ALL_STEPS = -1
"""Asks a fork for all steps."""


class ForkedDrill(OnEpisode):
    """Which drill is forked, and after which of its steps."""

    after: int = Field(ALL_STEPS, ge=ALL_STEPS, le=MOST_STEPS, description="Steps to take over; -1 is all of them.")


class _Nothing(Arguments):
    """No arguments."""


@dataclass(frozen=True, slots=True)
class ControlTools:
    """The tools by which an operator controls the simulation. An agent under test never sees them."""

    service: EpisodeService
    binding: OperatorBinding
    app: App | None = None
    training: bool = False
    locate_agent: LocateAgent | None = None

    def build_tools(self) -> list[ServedTool]:
        """The control tools, in the order in which clients list them."""
        return [
            self._build_tool(
                START,
                "Start a drill",
                "Start an incident and get its briefing and episode_id. With nothing named it is "
                f"{FIRST}, a short first one.",
                TrainingDrill if self.training else Drill,
                self._start,
                needs=OPERATE,
                explain=_explain_start,
                shown=MODEL_ONLY,
            ),
            self._build_tool(
                "show_drill",
                "Show a drill again",
                "Show the briefing of a drill again and what has been done so far. Not a step.",
                OnEpisode,
                self._show,
                needs=PLAY,
                read_only=True,
                shown=MODEL_AND_PAGE,
            ),
            self._build_tool(
                "list_drills",
                "List drills",
                "List your drills, open and finished, with their episode_id, and what can be started. Not a step.",
                _Nothing,
                self._list,
                needs=OPERATE,
                read_only=True,
            ),
            self._build_tool(
                "grade_drill",
                "Grade a drill",
                "Explain the score of a finished drill: each point, what had happened, what was done, and one way to "
                "the full score. Not a step.",
                OnEpisode,
                self._grade,
                needs=OPERATE,
                read_only=True,
                shown=MODEL_AND_PAGE,
            ),
            *([self._build_fork()] if self.training else []),
            self._build_tool(
                "close_drill",
                "Close a drill",
                "Close a drill and forget it. A finished one gives its grade once more.",
                OnEpisode,
                self._close,
                needs=OPERATE,
                destructive=True,
            ),
        ]

    def _build_fork(self) -> ServedTool:
        return self._build_tool(
            "fork_drill",
            "Fork a drill",
            "Try another way: start a drill that begins with the first steps of one, which stays as it is.",
            ForkedDrill,
            self._fork,
            needs=OPERATE,
            shown=MODEL_ONLY,
        )

    def _build_tool(
        self,
        name: str,
        title: str,
        description: str,
        takes: type[Given],
        answer: Callable[[ServerRequestContext[Any, Any], Any], Awaitable[CallToolResult]],
        *,
        needs: Need,
        explain: Callable[[CloudIncidentError], str] = explain_error,
        read_only: bool = False,
        destructive: bool = False,
        shown: dict[str, Any] | None = None,
    ) -> ServedTool:
        async def handler(ctx: ServerRequestContext[Any, Any], arguments: dict[str, Any]) -> CallToolResult:
            return await answer(ctx, parse_arguments(name, takes, arguments))

        hints = ToolAnnotations(
            read_only_hint=read_only, destructive_hint=destructive, idempotent_hint=read_only or destructive
        )
        meta = shown if self.app is not None else None
        definition = define_tool(name, title, description, build_arguments_schema(takes), hints, meta)
        return ServedTool(definition, needs, handler, explain)

    async def _start(self, ctx: ServerRequestContext[Any, Any], drill: Drill) -> CallToolResult:
        episode = await self.service.create(drill.select())
        self.binding.remember(ctx, episode)
        text = f"episode_id: {episode.id}\n\n{_brief(episode)}"
        if self.training and episode.reference.seed is not None:
            text = f"{text}\n\nSeed: {episode.reference.seed}"
        return await self._build_briefing(ctx, episode, text, whole=False)

    async def _show(self, ctx: ServerRequestContext[Any, Any], arguments: OnEpisode) -> CallToolResult:
        episode = await self.binding.find(ctx, arguments.episode_id)
        text = f"episode_id: {episode.id}\n\n{_brief(episode)}\n\n{self._tell_timeline(episode)}"
        if episode.done:
            text = f"{text}\n\nThis drill is over. {self.binding.after_the_end}"
        return await self._build_briefing(ctx, episode, text, whole=True)

    async def _fork(self, ctx: ServerRequestContext[Any, Any], arguments: ForkedDrill) -> CallToolResult:
        source = await self.binding.find(ctx, arguments.episode_id)
        after = None if arguments.after == ALL_STEPS else arguments.after
        episode = await self.service.fork(Claim(source.id, source.incarnation), after)
        self.binding.remember(ctx, episode)
        text = f"episode_id: {episode.id}\n\n{_brief(episode)}\n\n{self._tell_timeline(episode)}"
        return await self._build_briefing(ctx, episode, text, whole=True)

    async def _build_briefing(
        self, ctx: ServerRequestContext[Any, Any], episode: Episode, text: str, *, whole: bool
    ) -> CallToolResult:
        briefing: Briefing = {
            **_report_standing(episode),
            "available_actions": episode.task.available_actions,
            "known_services": list(episode.incident.services),
        }
        result = await add_meta(ctx, self.binding, self.app, episode, build_result(text, dict(briefing)), whole=whole)
        if self.locate_agent is not None and ctx.request is not None:
            url = await self.locate_agent(ctx.request.scope, episode)
            result.meta = {**(result.meta or {}), **({AGENT_URL: url} if url else {})}
        return result

    async def _list(self, ctx: ServerRequestContext[Any, Any], _: _Nothing) -> CallToolResult:
        episodes = await self.binding.list_known(ctx)
        unfinished = [episode for episode in episodes if not episode.done]
        finished = [episode for episode in episodes if episode.done]
        listing: Listing = {
            "scenarios": [
                {"scenario_id": scenario.id, "task_id": task_id, "scenario_index": index}
                for task_id in TASKS
                for index, scenario in enumerate(self.service.catalogue.of_task(task_id))
            ],
            "open": [_report_standing(episode) for episode in unfinished],
            "finished": [_report_standing(episode) for episode in finished],
        }
        parts = [_list_standings("Your open drills:", unfinished), _list_standings("Your finished drills:", finished)]
        if not self.binding.knows_drills(ctx):
            parts = [_NO_SESSION]
        elif not episodes:
            parts = ["You have no drill here yet."]
        return build_result("\n\n".join(filter(None, [*parts, self._list_startable()])), dict(listing))

    async def _grade(self, ctx: ServerRequestContext[Any, Any], arguments: OnEpisode) -> CallToolResult:
        episode = await self.binding.find(ctx, arguments.episode_id)
        if episode.grade is None:
            return build_refusal(
                f"Not finished, so not graded. {describe_standing(episode)} {episode.task.submission.name} ends it."
            )
        way = " → ".join(
            action.name if isinstance(action.declaration, Submission) else action.step
            for action in play_perfectly(episode.incident, episode.task)
        )
        parts = [
            f"episode_id: {episode.id}",
            f"{episode.reference.scenario_id} · {episode.task.title}\n{describe_grade(episode.grade)}",
            write_debrief(episode),
            f"What was done:\n{self._tell_timeline(episode)}",
            f"One way to the full score: {way}",
        ]
        result = build_result("\n\n".join(parts), dict(_report_standing(episode)))
        return await add_meta(ctx, self.binding, self.app, episode, result, whole=True)

    async def _close(self, ctx: ServerRequestContext[Any, Any], arguments: OnEpisode) -> CallToolResult:
        episode = await self.binding.find(ctx, arguments.episode_id)
        await self.binding.close(episode)
        scenario_id = episode.reference.scenario_id
        closed: ClosedDrill = {
            "episode_id": episode.id,
            "incarnation": episode.incarnation,
            "scenario_id": scenario_id,
        }
        if episode.grade is None:
            text = f"Closed {scenario_id} ({episode.id}) before its end, so it has no score. {_ANOTHER}"
        else:
            closed["grade"] = report_grade(episode.grade, episode.incident)
            text = f"Closed {scenario_id} ({episode.id}). {_ANOTHER}\n\n{describe_grade(episode.grade)}"
        return await add_meta(ctx, self.binding, None, episode, build_result(text, dict(closed)), whole=False)

    def _tell_timeline(self, episode: Episode) -> str:
        return write_timeline(episode, rewards=self.training)

    def _list_startable(self) -> str:
        catalogue = self.service.catalogue
        lines = [f"What {START} can start:"]
        for task in TASKS.values():
            ids = ", ".join(scenario.id for scenario in catalogue.of_task(task.id))
            lines.append(f"- {task.id} ({task.max_steps} steps): {ids}")
        difficulties = f"{min(DIFFICULTIES)} (easy) to {max(DIFFICULTIES)} (hard)"
        lines.append(f'- generated incidents of each task, difficulty {difficulties}: any number, or "{RANDOM}"')
        lines.append(f"- generated incidents that run: the same with generator {RUNNING_VERSION}")
        if self.training:
            splits = ", ".join(name for name in catalogue.splits if name != CURATED_SPLIT)
            lines.append(f"- the same by index or number in a split: {splits}")
        return "\n".join(lines)


_ANOTHER = f"{START} starts another."
_NO_SESSION = (
    "Your drills are not listed: this connection has no session, so they cannot be told from those of others. Keep the "
    f"episode_id that {START} returns; without it a drill cannot be found again."
)


def _brief(episode: Episode) -> str:
    """The briefing for an operator, whose list of tools names no step of a runbook. Systems that run tell theirs."""
    briefing = write_briefing(episode)
    if episode.course.is_played or not episode.task.asks_repair:
        return briefing
    return f"{briefing}\n\n{name_runbook_steps(episode.course.runbook)}"


def _explain_start(error: CloudIncidentError) -> str:
    """Why no drill was started. What is said of invalid arguments says that by itself."""
    told = explain_error(error)
    return told if isinstance(error, InvalidActionError) else f"{told} Nothing was started."


def _list_standings(heading: str, episodes: list[Episode]) -> str:
    """The handles of episodes and where each stands; empty where there is none."""
    lines = [
        f"- episode_id {episode.id}: {episode.reference.scenario_id}. {describe_standing(episode)}"
        for episode in episodes
    ]
    return "\n".join([heading, *lines]) if lines else ""


def _report_standing(episode: Episode) -> Standing:
    return {**Transition(episode).report(), "incarnation": episode.incarnation}
