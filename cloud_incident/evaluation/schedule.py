"""What an evaluation consists of: every attempt of every agent at every scenario."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from env_core.episode import RewardMode


@dataclass(frozen=True, slots=True)
class Attempt:
    """One episode to be played. `repeat` counts from 0 the attempts of one agent at one scenario with one seed."""

    agent: str
    scenario_id: str
    seed: int = 0
    repeat: int = 0
    reward_mode: RewardMode = "dense"

    @property
    def key(self) -> str:
        """Names the attempt within its evaluation."""
        return f"{self.agent}/{self.scenario_id}/{self.seed}/{self.repeat}"

    @property
    def chance(self) -> int:
        """The seed of whatever the agent draws: another for every attempt, and none near another's."""
        return int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:6])


def schedule(
    agents: Sequence[str],
    scenario_ids: Sequence[str],
    seeds: Iterable[int] = (0,),
    repeats: int = 1,
    reward_mode: RewardMode = "dense",
) -> list[Attempt]:
    """Every attempt once, first attempts before second ones."""
    each = product(range(repeats), dict.fromkeys(agents), dict.fromkeys(scenario_ids), dict.fromkeys(seeds))
    return [Attempt(agent, scenario_id, seed, repeat, reward_mode) for repeat, agent, scenario_id, seed in each]
