"""The interface of an agent: it is shown an observation and decides on the next step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from env_core.observation import Observation
    from scenarios.catalogue import Scenario
    from scenarios.vocabulary import TaskId


class Usage(NamedTuple):
    """The cost of a decision: tokens, and US dollars if the price is known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def add(self, other: Usage) -> Usage:
        """Add two costs."""
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
        )


class Decision(NamedTuple):
    """The next step, `{"action_type": …, "parameters": {…}}`, and how the agent came to it.

    `messages` is the conversation with a model for this step, in the chat format. `note` says what was unusual, such as
    that another agent decided because the model failed.
    """

    action: Mapping[str, Any]
    messages: tuple[Mapping[str, Any], ...] = ()
    usage: Usage = Usage()
    note: str = ""


class Agent(ABC):
    """Plays one episode. It knows only what it is shown."""

    @abstractmethod
    async def decide(self, shown: Observation) -> Decision:
        """Decide on the next step. `shown` is the observation after the last step, or at first that of the reset."""

    def watch(self, action: Mapping[str, Any], shown: Observation) -> None:  # noqa: B027 - most need not know
        """Take note of a step of another agent, in an episode that this agent may have to take over."""

    async def close(self) -> None:
        """Release what the agent holds."""
        return


@dataclass(frozen=True, slots=True)
class Seat:
    """One attempt at one scenario, for which an agent is made. `agent_seed` is that of its random choices.

    Only agents that know the answer may look at `scenario`; they serve to measure others by. An honest agent must not.
    """

    scenario: Scenario
    agent_seed: int = 0


def submit(task_id: TaskId, **words: str) -> Decision:
    """Decide on the submission of a task. Only required parameters are filled, from `words`.

    A required parameter that is not in `words` gets a value that is valid and means nothing.
    """
    submission = TASKS[task_id].submission
    fields = submission.parameters.model_fields
    return choose(
        submission.name,
        **{
            name: words.get(name, 1 if field.annotation is int else "unknown")
            for name, field in fields.items()
            if field.is_required()
        },
    )


def choose(action_type: str, **parameters: Any) -> Decision:
    """Decide on an action by its name and parameters."""
    return Decision({"action_type": action_type, "parameters": parameters})


def list_alerted(shown: Observation) -> list[str]:
    """List the services of the alert; if it names none, all services that are known."""
    return list(shown["alert"]["affected_services"] or shown["known_services"])
