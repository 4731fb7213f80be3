"""What an agent is: shown what the environment shows, it decides on one step after another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from env_core.observation import Observation
    from scenarios.catalogue import Scenario


class Usage(NamedTuple):
    """What a decision cost: tokens, and US dollars where the price is known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def plus(self, other: Usage) -> Usage:
        """The sum of two."""
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
        )


class Decision(NamedTuple):
    """The next step, `{"action_type": …, "parameters": {…}}`, and how it came about.

    `messages` are what a model was told and answered for this step, in the chat format; `note` says what was out of the
    ordinary, such as that another decided because the model failed.
    """

    action: Mapping[str, Any]
    messages: tuple[Mapping[str, Any], ...] = ()
    usage: Usage = Usage()
    note: str = ""


class Agent(ABC):
    """Plays one episode. It knows what it is shown and nothing else."""

    @abstractmethod
    async def decide(self, shown: Observation) -> Decision:
        """The next step, given the observation after the last one; at first the one that a reset gives."""

    def watch(self, action: Mapping[str, Any], shown: Observation) -> None:  # noqa: B027 - most need not know
        """A step that another agent took, in an episode that this one may have to take over, and what it showed."""

    async def close(self) -> None:
        """Let go of what the agent holds."""
        return


@dataclass(frozen=True, slots=True)
class Seat:
    """What an agent is made for: one attempt at one scenario.

    `scenario` is for agents that know the answer, to measure others by; an honest agent must not look at it.
    """

    scenario: Scenario
    seed: int = 0


def step(action_type: str, **parameters: Any) -> Decision:
    """A decision for an action by its name."""
    return Decision({"action_type": action_type, "parameters": parameters})
