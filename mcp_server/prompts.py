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

from env_core.briefing import write_briefing, write_timeline
from mcp_server.errors import to_mcp_error
from scenarios.errors import CloudIncidentError
from scenarios.vocabulary import NAME_LIMIT, REMEDIATION_PLANNING, SUBMIT_RESOLUTION, SUBMIT_ROOT_CAUSE, SUBMIT_SEVERITY

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from mcp_server.binding import Binding

_ARGUMENTS = {
    "scenario_id": f"Scenario to start, such as {REMEDIATION_PLANNING.code}-001. Left out: one is chosen at random.",
    "episode_id": "Handle from start_drill. Left out: the incident open on this connection.",
    "service": "A service you already suspect.",
}

_WORK = """\
You are the on-call engineer. Work this incident from the alert to the write-up with the tools of this server.

1. Read the alert. Decide which services could explain every symptom, not only the loudest one.
2. Query evidence: logs, metrics, dependencies, recent deploys, status. Follow what failing services depend on, and
   compare the onset of the trouble with what changed. Each query is a step and steps are limited; do not repeat one.
3. Establish the cause with evidence from two services or more before you change anything.
4. Repair the cause first, then what it broke, in order of dependency. Check one diagnostic to see the recovery, then
   run the verification steps.
5. Submit what the task asks for, and state only what you did."""

_CLASSIFY = f"""\
Classify this alert by its real effect on users and revenue, not by its label: read oncall://guide for the severity
matrix, look at one or two of the services that carry core journeys, then call {SUBMIT_SEVERITY.name}."""

_ROOT_CAUSE = f"""\
Find the service where this incident started. Look for evidence on the failing services that points outside their own
process, then confirm it on the service it points to. When two services' evidence agrees, call \
{SUBMIT_ROOT_CAUSE.name} with
the exact service name and one sentence that says what failed and how. Name one failure, not every possible one."""

_SUMMARY = f"""\
Write the post-incident summary and hand it in with {SUBMIT_RESOLUTION.name}: three sentences or more. Say in one \
sentence
which service failed and how, then each repair that was really made, in order, then how recovery was verified. Claim
nothing that the timeline does not show."""


@dataclass(frozen=True, slots=True)
class _PromptText:
    """What one prompt says. `on_episode`: it is about an episode that is open; else it may begin one."""

    name: str
    title: str
    description: str
    instructions: str
    arguments: tuple[str, ...]
    on_episode: bool = True


_PROMPTS = (
    _PromptText(
        "take_the_pager",
        "Take the pager",
        "Work an incident from the alert to the summary.",
        _WORK,
        ("scenario_id",),
        on_episode=False,
    ),
    _PromptText(
        "classify_alert", "Classify the alert", "Classify the severity of an alert.", _CLASSIFY, ("episode_id",)
    ),
    _PromptText(
        "find_root_cause",
        "Find the root cause",
        "Find the service where an incident started.",
        _ROOT_CAUSE,
        ("episode_id", "service"),
    ),
    _PromptText(
        "write_summary",
        "Write the summary",
        "Write the post-incident summary from what was done.",
        _SUMMARY,
        ("episode_id",),
    ),
)


@dataclass(frozen=True, slots=True)
class Prompts:
    """Lists and renders prompts over one binding."""

    binding: Binding
    takes_handle: bool

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
        parts = [text.instructions, await self._describe_incident(ctx, text, arguments)]
        if service := arguments.get("service"):
            parts.append(
                f"Already suspected: {service[:NAME_LIMIT]}. Confirm it or rule it out; do not take it as given."
            )
        message = PromptMessage(role="user", content=TextContent(type="text", text="\n\n".join(parts)))
        return GetPromptResult(description=text.description, messages=[message])

    def _list_arguments(self, text: _PromptText) -> tuple[str, ...]:
        return text.arguments if self.takes_handle else tuple(name for name in text.arguments if name == "service")

    async def _describe_incident(
        self, ctx: ServerRequestContext[Any, Any], text: _PromptText, arguments: dict[str, str]
    ) -> str:
        if self.takes_handle and not text.on_episode and (which := await self._choose_scenario(ctx, arguments)):
            return f"Begin by calling start_drill with {which}."
        try:
            episode = await self.binding.find(ctx, arguments.get("episode_id", ""))
        except CloudIncidentError as error:
            raise to_mcp_error(error) from error
        handle = f"episode_id: {episode.id}\n\n" if self.takes_handle else ""
        done = f"\n\nSo far:\n{write_timeline(episode)}" if episode.steps else ""
        return f"{handle}{write_briefing(episode)}{done}"

    async def _choose_scenario(self, ctx: ServerRequestContext[Any, Any], arguments: dict[str, str]) -> str:
        """What is to be started; empty where none is named and the caller has exactly one unfinished incident."""
        if scenario := arguments.get("scenario_id", ""):
            return f'scenario_id "{scenario[:NAME_LIMIT]}"'
        unfinished = [episode for episode in await self.binding.list_open(ctx) if not episode.done]
        return "" if len(unfinished) == 1 else f'task_id "{REMEDIATION_PLANNING.id}" and random true'
