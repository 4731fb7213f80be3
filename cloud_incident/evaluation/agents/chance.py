"""Random legal moves, drawn by a seed: the floor that every other agent should stand well above."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.agents.agent import Agent, Decision
from scenarios.actions import SEVERITIES, VOCABULARY
from scenarios.library import failure_families, runbook_catalogue

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.agent import Seat
    from env_core.observation import Observation

_SUMMARY = "Something failed and it was repaired. The services were looked at. All is well again now."


class Chance(Agent):
    """Draws an action and its parameters from what the task and the incident list."""

    def __init__(self, seat: Seat) -> None:
        self._chance = random.Random(f"{seat.scenario.id}:{seat.seed}")  # noqa: S311 - a seeded player

    async def decide(self, shown: Observation) -> Decision:
        name = self._chance.choice(shown["available_actions"])
        fields = VOCABULARY[name].parameters.model_fields
        return Decision({"action_type": name, "parameters": {field: self._drawn(field, shown) for field in fields}})

    def _drawn(self, field: str, shown: Observation) -> Any:
        chance = self._chance
        match field:
            case "service":
                return chance.choice(shown["known_services"])
            case "replicas":
                return chance.randint(1, 20)
            case "flag":
                return chance.choice(["dark_mode", "new_checkout", "beta_search"])
            case "runbook_action":
                return chance.choice(list(runbook_catalogue()))
            case "severity":
                return chance.choice(SEVERITIES)
            case "failure_mode":
                return chance.choice(chance.choice(list(failure_families().values())).terms).replace("*", "")
            case _:
                return _SUMMARY
