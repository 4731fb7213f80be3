"""A language model with a scripted agent that decides where the model fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.agents.agent import Agent
from cloud_incident.evaluation.agents.endpoint import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_incident.evaluation.agents.agent import Decision
    from cloud_incident.evaluation.agents.llm import LLM
    from env_core.observation import Observation


class Fallback(Agent):
    """Asks the model first. If the scripted agent decides, the note of the decision says why."""

    def __init__(self, model: LLM, scripted: Agent, name: str) -> None:
        self._model = model
        self._scripted = scripted
        self._name = name
        self._watched: Mapping[str, Any] | None = None
        self.fell_back = False
        """Whether the scripted agent made the last decision."""

    async def decide(self, shown: Observation) -> Decision:
        if self._watched is not None:
            self._scripted.watch(self._watched, shown)
        self.fell_back, self._watched = False, None
        try:
            decision = await self._model.decide(shown)
            self._watched = decision.action
            return decision
        except ModelError as error:
            self.fell_back = True
            decision = await self._scripted.decide(shown)
            self._model.note_other_decision(decision.action)
            return decision._replace(
                messages=error.messages,
                usage=decision.usage.add(error.usage),
                note=f"{self._name} decided: {error}",
            )

    async def close(self) -> None:
        await self._model.close()
        await self._scripted.close()
