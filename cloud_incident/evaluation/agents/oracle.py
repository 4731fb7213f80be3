"""The oracle knows the answer and plays perfectly. Its score is the highest possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import Agent, Decision
from env_core.perfect import play_perfectly

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.agent import Seat
    from env_core.observation import Observation


class Oracle(Agent):
    """Knows the answer and plays the plan: what it earns is the most that can be earned."""

    def __init__(self, seat: Seat) -> None:
        self._play = play_perfectly(seat.scenario.incident, seat.scenario.task)

    async def decide(self, shown: Observation) -> Decision:
        return Decision(self._play[shown["step_count"]].dump())
