"""An agent that asks a language model behind an OpenAI-compatible chat endpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import Agent, Decision, Usage
from cloud_incident.evaluation.agents.conversation import Conversation, Message
from cloud_incident.evaluation.agents.endpoint import ModelError, NoActionError
from cloud_incident.evaluation.agents.prompting import (
    build_function_tools,
    collect_evidence,
    write_correction,
    write_news,
    write_system_prompt,
)
from cloud_incident.evaluation.agents.text_actions import parse_called_action, parse_written_action
from env_core.briefing import write_briefing_of
from scenarios.parsing import InvalidActionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_incident.evaluation.agents.endpoint import ModelEndpoint
    from cloud_incident.evaluation.agents.replies import ModelReply
    from env_core.observation import Observation
    from scenarios.vocabulary import Action

_MOST_REPLIES = 3
"""The agent gives up on a step after this many replies without a valid action."""


class LLM(Agent):
    """Asks a model for every step. The agents of a run share one endpoint; whoever made the endpoint closes it."""

    def __init__(self, endpoint: ModelEndpoint, most_replies: int = _MOST_REPLIES) -> None:
        self._endpoint = endpoint
        self._most_replies = most_replies
        self._conversation = Conversation()
        self._known: dict[tuple[str, str], str] = {}
        self._steps: int | None = None

    async def decide(self, shown: Observation) -> Decision:
        """Ask the model for the next step.

        Raises:
            NoActionError: if the model gives no valid action.
            ModelError: if it does not answer.
        """
        self._tell(shown)
        tools, turns, recorded = self._endpoint.tools, self._conversation.turns, self._count_recorded(shown)
        usages: list[Usage] = []
        try:
            action = await self._ask_for_action(shown, usages)
        except ModelError as error:
            error.messages, error.usage = self._collect_messages(shown, recorded), _sum_usages(usages)
            self._conversation.forget(turns)
            raise
        note = "the model takes no tools: asked for JSON in text" if tools and not self._endpoint.tools else ""
        return Decision(action.dump(), self._collect_messages(shown, recorded), _sum_usages(usages), note)

    def note_other_decision(self, action: Mapping[str, object]) -> None:
        """Take note that another agent took the step. The model is told so when it is asked next."""
        self._conversation.tell(f"No decision came from you, so a colleague took this step: {json.dumps(action)}")

    def _tell(self, shown: Observation) -> None:
        if self._steps is None:
            self._conversation.tell(write_briefing_of(shown))
        if self._steps == shown["step_count"]:  # the environment refused the last action
            self._conversation.tell(write_correction(shown["last_action_error"] or "", tools=self._endpoint.tools))
        elif shown["step_count"]:
            self._conversation.tell(write_news(shown, self._known))
        self._steps = shown["step_count"]
        self._known |= collect_evidence(shown)

    async def _ask_for_action(self, shown: Observation, usages: list[Usage]) -> Action:
        problem = ""
        for _ in range(self._most_replies):
            reply = await self._endpoint.ask(
                lambda tools: self._build_messages(shown, tools=tools), self._build_tools(shown)
            )
            usages.append(reply.usage)
            self._conversation.hear(reply)
            try:
                return _parse_reply(reply, shown["available_actions"])
            except InvalidActionError as error:
                problem = str(error)
                self._conversation.tell(write_correction(problem, tools=self._endpoint.tools))
        raise NoActionError(f"no valid action in {self._most_replies} replies: {problem}")

    def _build_tools(self, shown: Observation) -> list[Message]:
        return build_function_tools(shown["available_actions"])

    def _build_messages(self, shown: Observation, *, tools: bool) -> list[Message]:
        system = {"role": "system", "content": write_system_prompt(shown, tools=tools)}
        return [system, *self._conversation.render_messages(tools=tools)]

    def _count_recorded(self, shown: Observation) -> int:
        """Count the messages that earlier steps have recorded: all but the last, which tells the news of this step."""
        return len(self._build_messages(shown, tools=True)) - 1 if self._conversation.turns else 0

    def _collect_messages(self, shown: Observation, recorded: int) -> tuple[Message, ...]:
        return tuple(self._build_messages(shown, tools=self._endpoint.tools)[recorded:])


def _parse_reply(reply: ModelReply, available: list[str]) -> Action:
    """Parse the action in a reply: that of its tool call, or else the first in its text."""
    if reply.call is not None:
        return parse_called_action(reply.call, available)
    return parse_written_action(reply.content, available)


def _sum_usages(usages: list[Usage]) -> Usage:
    total = Usage()
    for usage in usages:
        total = total.add(usage)
    return total
