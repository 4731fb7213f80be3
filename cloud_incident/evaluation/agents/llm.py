"""A language model as an agent, behind any OpenAI-compatible chat endpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import Agent, Decision, Usage
from cloud_incident.evaluation.agents.conversation import Conversation, Message
from cloud_incident.evaluation.agents.endpoint import ModelError
from cloud_incident.evaluation.agents.prompting import correction, evidence, function_tools, news, system_text
from cloud_incident.evaluation.agents.text_actions import called_action, written_action
from env_core.briefing import write_briefing_of
from scenarios.parsing import InvalidActionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_incident.evaluation.agents.endpoint import Endpoint
    from cloud_incident.evaluation.agents.replies import Reply
    from env_core.observation import Observation
    from scenarios.vocabulary import Action

_MOST_REPLIES = 3
"""A model that has not given a valid action in this many replies gives none."""


class LLM(Agent):
    """Asks a model for every step. Who makes the endpoint closes it: agents of one run share it."""

    def __init__(self, endpoint: Endpoint, most_replies: int = _MOST_REPLIES) -> None:
        self._endpoint = endpoint
        self._most_replies = most_replies
        self._conversation = Conversation()
        self._known: dict[tuple[str, str], str] = {}
        self._steps: int | None = None

    async def decide(self, shown: Observation) -> Decision:
        """The model's next step.

        Raises:
            ModelError: if the model does not answer, or gives no valid action.
        """
        self._tell(shown)
        tools, turns, told = self._endpoint.tools, self._conversation.turns, self._told(shown)
        usages: list[Usage] = []
        try:
            action = await self._action(shown, usages)
        except ModelError as error:
            error.messages, error.usage = self._since(shown, told), _sum(usages)
            self._conversation.forget(turns)
            raise
        note = "the model takes no tools: asked for JSON in text" if tools and not self._endpoint.tools else ""
        return Decision(action.dump(), self._since(shown, told), _sum(usages), note)

    def passed_over(self, action: Mapping[str, object]) -> None:
        """Another took the step that this agent was asked for; the model is told so when it is asked next."""
        self._conversation.tell(f"No decision came from you, so a colleague took this step: {json.dumps(action)}")

    def _tell(self, shown: Observation) -> None:
        if self._steps is None:
            self._conversation.tell(write_briefing_of(shown))
        if self._steps == shown["step_count"]:  # the environment refused the last one
            self._conversation.tell(correction(shown["last_action_error"] or "", tools=self._endpoint.tools))
        elif shown["step_count"]:
            self._conversation.tell(news(shown, self._known))
        self._steps = shown["step_count"]
        self._known |= evidence(shown)

    async def _action(self, shown: Observation, usages: list[Usage]) -> Action:
        problem = ""
        for _ in range(self._most_replies):
            reply = await self._endpoint.ask(lambda tools: self._put(shown, tools=tools), self._tools(shown))
            usages.append(reply.usage)
            self._conversation.hear(reply)
            try:
                return _meant(reply, shown["available_actions"])
            except InvalidActionError as error:
                problem = str(error)
                self._conversation.tell(correction(problem, tools=self._endpoint.tools))
        raise ModelError(f"no valid action in {self._most_replies} replies: {problem}")

    def _tools(self, shown: Observation) -> list[Message]:
        return function_tools(shown["available_actions"])

    def _put(self, shown: Observation, *, tools: bool) -> list[Message]:
        system = {"role": "system", "content": system_text(shown, tools=tools)}
        return [system, *self._conversation.messages(tools=tools)]

    def _told(self, shown: Observation) -> int:
        """How many messages earlier steps have recorded: all but the last one, which tells the news."""
        return len(self._put(shown, tools=True)) - 1 if self._conversation.turns else 0

    def _since(self, shown: Observation, told: int) -> tuple[Message, ...]:
        return tuple(self._put(shown, tools=self._endpoint.tools)[told:])


def _meant(reply: Reply, available: list[str]) -> Action:
    """The action that a reply calls for, by a tool call or else in its text."""
    if reply.call is not None:
        return called_action(reply.call, available)
    return written_action(reply.content, available)


def _sum(usages: list[Usage]) -> Usage:
    total = Usage()
    for usage in usages:
        total = total.plus(usage)
    return total
