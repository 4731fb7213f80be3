"""An agent that submits nothing. It shows what an empty trajectory earns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents import Agent, Decision, choose

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents import Seat
    from env_core.observation import Observation


class IdleAgent(Agent):
    """Looks at one service's logs again and again until the steps run out."""

    def __init__(self, seat: Seat) -> None: ...

    async def decide(self, shown: Observation) -> Decision:
        return choose("query_logs", service=shown["known_services"][0])
