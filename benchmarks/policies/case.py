"""A proved incident to play a policy on, and what plays it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from env_core.episode import Reference, begin
from env_core.perfect import play_perfectly
from env_core.transition import step
from scenarios.catalogue import Catalogue
from scenarios.drawing import draw
from scenarios.generator.naming import RUNNING_VERSION
from scenarios.parsing import InvalidActionError, parse_action
from scenarios.running.incident import RunningIncident
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import DIAGNOSTICS, TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from env_core.episode import Episode
    from scenarios.catalogue import Scenario
    from scenarios.drawing import Draw
    from scenarios.proofs import Proof
    from scenarios.vocabulary import Action, TaskId


@dataclass
class Case:
    """A listed draw as a task.

    Attributes:
        constant: the text that says the failure mode of as many incidents as one text can.
        episode: the episode as it stands, while a policy plays.
    """

    task_id: TaskId
    seed: int
    difficulty: int
    constant: str = ""
    episode: Episode | None = None

    @cached_property
    def scenario(self) -> Scenario:
        return Catalogue().get_generated(self.task_id, self.seed, self.difficulty, RUNNING_VERSION)

    @cached_property
    def incident(self) -> RunningIncident:
        incident = self.scenario.incident
        if not isinstance(incident, RunningIncident):
            raise TypeError(f"{self.scenario.id} does not run")
        return incident

    @cached_property
    def drawn(self) -> Draw:
        return draw(self.seed, self.difficulty)

    @property
    def proof(self) -> Proof:
        return list_proofs()[self.seed, self.difficulty].proof

    @property
    def steps(self) -> int:
        """The steps that the task has."""
        return TASKS[self.task_id].max_steps

    @cached_property
    def perfect(self) -> list[Action]:
        return play_perfectly(self.incident, self.scenario.task)

    @property
    def looks(self) -> list[Action]:
        """The looks of perfect play until it answers or begins to repair."""
        until = next(n for n, action in enumerate(self.perfect) if action.name not in DIAGNOSTICS)
        return self.perfect[:until]

    @property
    def rest(self) -> list[Action]:
        """What perfect play does after those looks, before it answers."""
        return self.perfect[len(self.looks) : -1]

    @property
    def alerted(self) -> list[str]:
        return list(self.incident.alert["affected_services"] or self.incident.services)


class Policy(NamedTuple):
    """Who plays: its moves, and then its answer.

    In the mean it is to earn so much at `most`, or a share of what the honest searcher earns (`of_honest`). It is
    played on the cases that it `fits`.
    """

    name: str
    tasks: tuple[TaskId, ...]
    moves: Callable[[Case], Iterator[Action]]
    answer: Callable[[Case], Action]
    most: float = 1.0
    of_honest: float | None = None
    fits: Callable[[Case], bool] = lambda _: True


def act(name: str, **parameters: object) -> Action:
    """An action by its name and parameters."""
    return parse_action(name, parameters)


def play(case: Case, policy: Policy) -> Episode:
    """The episode that a policy plays. It answers with the last step that the task has, if not before.

    An action that is refused costs nothing, and the policy is shown the episode as it was.
    """
    episode = case.episode = begin("policy", Reference.to(case.scenario), case.scenario)
    for action in policy.moves(case):
        try:
            episode = case.episode = step(episode, action).episode
        except InvalidActionError:
            continue
        if episode.step_count >= case.steps - 1:
            break
    return step(episode, policy.answer(case)).episode
