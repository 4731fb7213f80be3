"""What a task is: what is asked, in how many steps, which submission ends it, and what each step earns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from scenarios.vocabulary.action import ActionDeclaration, Submission

POINT = 10_000
"""Rewards are integers of 1/10,000 inside, so that sums are exact, and floats of four decimals outside."""


def to_reward(points: int) -> float:
    """Units of 1/`POINT` as the float that surfaces show."""
    return points / POINT


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardTable:
    """What each event of a step earns, in units of 1/`POINT`.

    `past_halfway`: added to each step in the second half. `timeout`: added to the last step that is allowed, if it is
    not the submission of the task.
    """

    new_service: int
    new_query: int
    repeated_query: int
    unknown_service: int
    effective_remediation: int
    wrong_remediation: int
    past_halfway: int
    timeout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task.

    `code` begins the ids of its scenarios, such as `RCA` in `RCA-001`. `way` says in one line how the task is worked.
    `actions` are those that it lists, in declared order. `asks_evidence`: the score rests on evidence that establishes
    the cause. `asks_repair`: the plan has to be carried out. In a task without remediations every remediation is wrong.
    """

    id: str
    code: str
    tier: Literal["easy", "medium", "hard"]
    title: str
    objective: str
    way: str
    max_steps: int
    submission: Submission
    actions: tuple[ActionDeclaration, ...]
    rewards: RewardTable
    asks_evidence: bool = True
    asks_repair: bool = False

    @property
    def key(self) -> str:
        return self.id

    @property
    def available_actions(self) -> list[str]:
        """The names of the actions that this task lists, in declared order."""
        return [action.name for action in self.actions]

    @property
    def remediates(self) -> bool:
        """Whether remediations belong to the task."""
        return any(action.destructive for action in self.actions)
