"""Prompts: take the pager, classify, find the root cause, write the summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    GetPromptResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from env_core.briefing import describe_standing, write_briefing, write_timeline
from mcp_server.drill import RANDOM, START, Drill
from mcp_server.errors import to_mcp_error
from scenarios.errors import CloudIncidentError
from scenarios.generator.naming import DIFFICULTIES
from scenarios.parsing import parse_arguments
from scenarios.vocabulary import (
    NAME_LIMIT,
    REMEDIATION_PLANNING,
    SUBMIT_RESOLUTION,
    SUBMIT_ROOT_CAUSE,
    SUBMIT_SEVERITY,
    TASKS,
    Submission,
    Task,
)

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from env_core.episode import Episode
    from mcp_server.binding import Binding
    from scenarios.catalogue import Catalogue

PAGER = "take_the_pager"
_GENTLE = min(DIFFICULTIES)
"""How difficult the drill is that a prompt proposes where nothing is chosen."""

_ARGUMENTS = {
    "incident": f"What to start: a scenario such as {REMEDIATION_PLANNING.code}-001, a number, or {RANDOM}. Left out: "
    "the drill that is open, or else a random one.",
    "task_id": f"{', '.join(TASKS)}. Left out: {REMEDIATION_PLANNING.id}.",
    "difficulty": f"{min(DIFFICULTIES)} (easy) to {max(DIFFICULTIES)} (hard). Left out: {_GENTLE}.",
    "episode_id": f"Handle from {START}. Left out: the drill that is open here.",
    "service": "A service you already suspect.",
}

_CLASSIFY = """\
Classify this alert by its real effect on users and revenue, not by its label: read oncall://guide for the severity
matrix, and look at one or two of the services that carry core journeys."""

_ROOT_CAUSE = """\
Find the service where this incident started. Look for evidence on the failing services that points outside their own
process, then confirm it on the service it points to. When two services' evidence agrees, say which service it is, by
its exact name, and in one sentence what failed and how. Name one failure, not every possible one."""

_SUMMARY = """\
Write the post-incident summary: three sentences or more. Say in one sentence which service failed and how, then each
repair that was really made, in order, then how recovery was verified. Claim nothing that the timeline does not show."""


def _write_work(task: Task) -> str:
    """How a task is worked from the alert to its submission, as numbered steps."""
    steps = [
        "Read the alert. Decide which services could explain every symptom, not only the loudest one.",
        "Query evidence: logs, metrics, dependencies, recent deploys, status. Follow what failing services depend on, "
        f"and compare the onset of the trouble with what changed. Each query is a step and you have {task.max_steps}, "
        f"{task.submission.name} included; do not repeat one.",
    ]
    if task.asks_repair:
        steps.append("Change nothing before the evidence from two services or more agrees on the cause.")
    return "\n".join(
        [
            "You are the on-call engineer in a drill: the incident is simulated, and nothing real is touched. "
            f"{task.objective} Use the tools of this server.",
            "",
            *(f"{number}. {step}" for number, step in enumerate([*steps, f"To finish: {task.way}"], 1)),
        ]
    )


@dataclass(frozen=True, slots=True)
class _PromptText:
    """What one prompt says of an episode that is open.

    `hands_in` is the submission that it leads to, in the task that ends with it. A prompt without one may begin an
    episode, and says how its task is worked.
    """

    name: str
    title: str
    description: str
    arguments: tuple[str, ...]
    instructions: str = ""
    hands_in: Submission | None = None

    def write_instructions(self, task: Task) -> str:
        """What to do in an episode of a task."""
        if self.hands_in is None:
            return _write_work(task)
        if self.hands_in is task.submission:
            return f"{self.instructions} Hand it in with {task.submission.name}, which ends the incident."
        return (
            f"{self.instructions} Tell me what you find and hand nothing in: the task of this incident is {task.id}, "
            f"which ends with {task.submission.name}."
        )


_PROMPTS = (
    _PromptText(
        PAGER,
        "Take the pager",
        "Work a simulated incident from the alert to the answer, an easy one if nothing is chosen.",
        ("incident", "task_id", "difficulty"),
    ),
    _PromptText(
        "classify_alert",
        "Classify the alert",
        "Classify the severity of an alert.",
        ("episode_id",),
        _CLASSIFY,
        SUBMIT_SEVERITY,
    ),
    _PromptText(
        "find_root_cause",
        "Find the root cause",
        "Find the service where an incident started.",
        ("episode_id", "service"),
        _ROOT_CAUSE,
        SUBMIT_ROOT_CAUSE,
    ),
    _PromptText(
        "write_summary",
        "Write the summary",
        "Write the post-incident summary from what was done.",
        ("episode_id",),
        _SUMMARY,
        SUBMIT_RESOLUTION,
    ),
)


@dataclass(frozen=True, slots=True)
class Prompts:
    """Lists and renders prompts over one binding. With `rewards` they tell what each step has earned."""

    binding: Binding
    catalogue: Catalogue
    takes_handle: bool
    rewards: bool = True

    def list_prompts(self) -> list[Prompt]:
        """Every prompt with the arguments that it takes in this profile."""
        return [
            Prompt(
                name=text.name,
                title=text.title,
                description=text.description,
                arguments=[
                    PromptArgument(name=name, description=_ARGUMENTS[name], required=False)
                    for name in self._list_arguments(text)
                ],
            )
            for text in _PROMPTS
        ]

    async def render(
        self, ctx: ServerRequestContext[Any, Any], name: str, arguments: dict[str, str]
    ) -> GetPromptResult:
        """A prompt with its incident.

        Raises:
            MCPError: if there is no such prompt, argument or incident, with the code that the table of errors has.
        """
        text = next((text for text in _PROMPTS if text.name == name), None)
        if text is None:
            names = ", ".join(text.name for text in _PROMPTS)
            raise MCPError(code=INVALID_PARAMS, message=f"There is no prompt {name[:80]!r}. Prompts: {names}.")
        unknown = sorted(set(arguments) - set(self._list_arguments(text)))
        if unknown:
            takes = ", ".join(self._list_arguments(text)) or "no arguments"
            raise MCPError(code=INVALID_PARAMS, message=f"{name} takes {takes}, not {unknown[0][:80]!r}.")
        try:
            said = await self._write(ctx, text, arguments)
        except CloudIncidentError as error:
            raise to_mcp_error(error) from error
        message = PromptMessage(role="user", content=TextContent(type="text", text=said))
        return GetPromptResult(description=text.description, messages=[message])

    def _list_arguments(self, text: _PromptText) -> tuple[str, ...]:
        return text.arguments if self.takes_handle else tuple(name for name in text.arguments if name == "service")

    async def _write(self, ctx: ServerRequestContext[Any, Any], text: _PromptText, arguments: dict[str, str]) -> str:
        if text.hands_in is None and self.takes_handle and (drill := await self._choose_drill(ctx, arguments)):
            return self._write_beginning(text, drill)
        episode = await self.binding.find(ctx, arguments.get("episode_id", ""))
        if episode.done:
            return self._write_end(episode)
        parts = [text.write_instructions(episode.task)]
        if service := arguments.get("service"):
            parts.append(
                f"Already suspected: {service[:NAME_LIMIT]}. Confirm it or rule it out; do not take it as given."
            )
        if self.takes_handle:
            parts.append(f"episode_id: {episode.id}")
        parts.append(write_briefing(episode))
        if episode.steps:
            parts.append(f"So far:\n{write_timeline(episode, rewards=self.rewards)}")
        return "\n\n".join(parts)

    def _write_beginning(self, text: _PromptText, drill: Drill) -> str:
        task = self.catalogue.entry(drill.select().choose(self.catalogue).scenario_id).task
        chosen = ", ".join(f"{name} {value!r}" for name, value in drill.model_dump(exclude_defaults=True).items())
        return f"{text.write_instructions(task)}\n\nBegin by calling {START} with {chosen}."

    def _write_end(self, episode: Episode) -> str:
        name = f"{episode.reference.scenario_id} ({episode.id})" if self.takes_handle else "This incident"
        return (
            f"{name} is over, and no action changes it. {describe_standing(episode)} {self.binding.after_the_end} "
            "Tell me so, and ask what I want next."
        )

    async def _choose_drill(self, ctx: ServerRequestContext[Any, Any], arguments: dict[str, str]) -> Drill | None:
        """The drill to start, or none where nothing is named and the caller has exactly one unfinished."""
        named = {name: value for name, value in arguments.items() if value.strip()}
        if not named:
            unfinished = [episode for episode in await self.binding.list_open(ctx) if not episode.done]
            if len(unfinished) == 1:
                return None
        drill = parse_arguments(PAGER, Drill, named)
        if drill.names_scenario:
            return drill
        gentle = {"incident": RANDOM, "task_id": REMEDIATION_PLANNING.id, "difficulty": _GENTLE}
        return Drill(**{**gentle, **drill.model_dump(exclude_defaults=True)})
