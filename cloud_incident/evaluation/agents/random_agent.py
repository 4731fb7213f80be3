"""An agent that makes random legal moves. Every other agent should score well above it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.agents.agent import Agent, Decision
from scenarios.library import load_failure_families, load_runbook_catalogue
from scenarios.vocabulary import ACTIONS, SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_incident.evaluation.agents.agent import Seat
    from env_core.observation import Observation

_GUESSED_FLAGS = ("dark_mode", "new_checkout", "beta_search")
_SUMMARY = "Something failed and it was repaired. The services were looked at. All is well again now."


class RandomAgent(Agent):
    """Legal moves, drawn: an action and its parameters from what the task and the incident list."""

    def __init__(self, seat: Seat) -> None:
        self._random = random.Random(f"{seat.scenario.id}:{seat.agent_seed}")  # noqa: S311 - a seeded player

    async def decide(self, shown: Observation) -> Decision:
        name = self._random.choice(shown["available_actions"])
        return Decision(draw_action(self._random, name, shown["known_services"], _GUESSED_FLAGS))


def draw_action(chance: random.Random, name: str, services: Sequence[str], flags: Sequence[str]) -> dict[str, Any]:
    """Draw the parameters of an action, from the services and flags given and from the vocabulary.

    No step of the runbook is given a target. Returns `{"action_type": …, "parameters": {…}}`.
    """
    fields = ACTIONS[name].parameters.model_fields
    return {
        "action_type": name,
        "parameters": {field: _draw_parameter(chance, field, services, flags) for field in fields if field != "target"},
    }


def _draw_parameter(chance: random.Random, field: str, services: Sequence[str], flags: Sequence[str]) -> Any:
    match field:
        case "service":
            return chance.choice(services)
        case "replicas":
            return chance.randint(1, 20)
        case "flag":
            return chance.choice(flags)
        case "runbook_action":
            return chance.choice(list(load_runbook_catalogue()))
        case "severity":
            return chance.choice(SEVERITIES)
        case "failure_mode":
            return chance.choice(chance.choice(list(load_failure_families().values())).terms).replace("*", "")
        case _:
            return _SUMMARY
