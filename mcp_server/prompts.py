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
from mcp_server.binding import Binding, HandleError

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

_ARGUMENTS = {
    "scenario_id": "Scenario to start, such as RP-001. Left out: one is chosen at random.",
    "episode_id": "Handle from start_incident. Left out: the incident open on this connection.",
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

_CLASSIFY = """\
Classify this alert by its real effect on users and revenue, not by its label: read oncall://guide for the severity
matrix, look at one or two of the services that carry core journeys, then call submit_severity."""

_ROOT_CAUSE = """\
Find the service where this incident started. Look for evidence on the failing services that points outside their own
process, then confirm it on the service it points to. When two services' evidence agrees, call submit_root_cause with
the exact service name and one sentence that says what failed and how. Name one failure, not every possible one."""

_SUMMARY = """\
Write the post-incident summary and hand it in with submit_resolution: three sentences or more. Say in one sentence
which service failed and how, then each repair that was really made, in order, then how recovery was verified. Claim
nothing that the timeline does not show."""


@dataclass(frozen=True, slots=True)
class _Text:
    name: str
    title: str
    description: str
    instructions: str
    arguments: tuple[str, ...]
    on_episode: bool = True


_PROMPTS = (
    _Text(
        "take_the_pager",
        "Take the pager",
        "Work an incident from the alert to the summary.",
        _WORK,
        ("scenario_id",),
        on_episode=False,
    ),
    _Text("classify_alert", "Classify the alert", "Classify the severity of an alert.", _CLASSIFY, ("episode_id",)),
    _Text(
        "find_root_cause",
        "Find the root cause",
        "Find the service where an incident started.",
        _ROOT_CAUSE,
        ("episode_id", "service"),
    ),
    _Text(
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
    named: bool

    def listed(self) -> list[Prompt]:
        return [
            Prompt(
                name=text.name,
                title=text.title,
                description=text.description,
                arguments=[
                    PromptArgument(name=name, description=_ARGUMENTS[name], required=False)
                    for name in self._arguments(text)
                ],
            )
            for text in _PROMPTS
        ]

    async def rendered(
        self, ctx: ServerRequestContext[Any, Any], name: str, arguments: dict[str, str]
    ) -> GetPromptResult:
        """A prompt with its incident.

        Raises:
            MCPError: with code -32602 if there is no such prompt, argument or incident.
        """
        text = next((one for one in _PROMPTS if one.name == name), None)
        if text is None:
            names = ", ".join(one.name for one in _PROMPTS)
            raise MCPError(code=INVALID_PARAMS, message=f"There is no prompt {name[:80]!r}. Prompts: {names}.")
        unknown = sorted(set(arguments) - set(self._arguments(text)))
        if unknown:
            takes = ", ".join(self._arguments(text)) or "no arguments"
            raise MCPError(code=INVALID_PARAMS, message=f"{name} takes {takes}, not {unknown[0][:80]!r}.")
        parts = [text.instructions, await self._incident(ctx, text, arguments)]
        if service := arguments.get("service"):
            parts.append(f"Already suspected: {service[:64]}. Confirm it or rule it out; do not take it as given.")
        message = PromptMessage(role="user", content=TextContent(type="text", text="\n\n".join(parts)))
        return GetPromptResult(description=text.description, messages=[message])

    def _arguments(self, text: _Text) -> tuple[str, ...]:
        return text.arguments if self.named else tuple(name for name in text.arguments if name == "service")

    async def _incident(self, ctx: ServerRequestContext[Any, Any], text: _Text, arguments: dict[str, str]) -> str:
        scenario = arguments.get("scenario_id", "")
        unfinished = [episode for episode in await self.binding.own(ctx) if not episode.done]
        if self.named and not text.on_episode and (scenario or len(unfinished) != 1):
            which = f'scenario_id "{scenario[:64]}"' if scenario else 'task_id "remediation_planning" and random true'
            return f"Begin by calling start_incident with {which}."
        try:
            episode = await self.binding.episode(ctx, arguments.get("episode_id", ""))
        except HandleError as error:
            raise MCPError(code=INVALID_PARAMS, message=str(error)) from error
        handle = f"episode_id: {episode.id}\n\n" if self.named else ""
        done = f"\n\nSo far:\n{write_timeline(episode)}" if episode.steps else ""
        return f"{handle}{write_briefing(episode)}{done}"
