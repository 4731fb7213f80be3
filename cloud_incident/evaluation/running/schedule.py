"""The attempts of an evaluation: every agent at every scenario, with every seed, repeat by repeat."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from cloud_incident.evaluation.running.conditions import ConditionsRecord, describe_conditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from env_core.reference import RewardMode


@dataclass(frozen=True, slots=True)
class Attempt:
    """One episode to be played. `repeat` counts the attempts of an agent at a scenario with a seed, from 0.

    `conditions` are recorded with the result. If none are given, they are those of this process.
    """

    agent: str
    scenario_id: str
    seed: int = 0
    repeat: int = 0
    reward_mode: RewardMode = "dense"
    conditions: ConditionsRecord = field(default_factory=describe_conditions, compare=False, repr=False)

    @property
    def key(self) -> str:
        """The name of the attempt, unique within its evaluation."""
        return f"{self.agent}/{self.scenario_id}/{self.seed}/{self.repeat}"

    @property
    def agent_seed(self) -> int:
        """The seed of the agent's own random choices, 0 to 2**48 − 1: a different one for every attempt."""
        return int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:6])


def list_attempts(
    agents: Sequence[str],
    scenario_ids: Sequence[str],
    seeds: Iterable[int] = (0,),
    repeats: int = 1,
) -> list[Attempt]:
    """List every attempt once: the first attempts at all scenarios come before the second ones."""
    combinations = product(range(repeats), dict.fromkeys(agents), dict.fromkeys(scenario_ids), dict.fromkeys(seeds))
    return [Attempt(agent, scenario_id, seed, repeat) for repeat, agent, scenario_id, seed in combinations]
