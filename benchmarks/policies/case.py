"""A proved incident to play a policy on, and what plays it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from env_core.episode import begin
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from env_core.transition import step
from scenarios.catalogue import Catalogue
from scenarios.drawing import draw
from scenarios.generator.naming import RUNNING_VERSION
from scenarios.parsing import InvalidActionError, parse_action
from scenarios.proofs.proving import LOOK_SECONDS
from scenarios.proofs.repairs import play_lanes
from scenarios.running.incident import RunningIncident
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import DIAGNOSTICS, TASKS
from scenarios.world import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from env_core.episode import Episode
    from graders.score import Grade
    from scenarios.catalogue import Scenario
    from scenarios.drawing import Draw
    from scenarios.proofs import Proof
    from scenarios.proofs.operating import Deed
    from scenarios.proofs.repairs import Deeds, Lane
    from scenarios.vocabulary import Action, TaskId


_NEGLIGIBLE = 0.02
"""Minutes in which nobody is served."""


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
    def is_calm(self) -> bool:
        """Whether nothing is to be repaired."""
        return self.proof.calm is not None

    @property
    def best(self) -> Deeds:
        """The best repair; empty where nothing is to be repaired."""
        return self.proof.repairs[0] if self.proof.repairs else ()

    @property
    def knows_at(self) -> int:
        """The second at which who plays perfectly begins to repair."""
        return self.proof.first_look + LOOK_SECONDS * len(self.looks)

    def mends(self, repair: Deeds) -> bool:
        """Whether some operations, begun then, bring users back for as long as a repair has to last."""
        return self._try([repair])[repair].well

    def find_helping(self, deeds: Sequence[Deed]) -> list[Deed]:
        """Those of some operations by which users lose less, if one is done then and no other."""
        lanes = self._try([(deed,) for deed in deeds])
        return [deed for deed in deeds if lanes[deed,].harm < lanes[()].harm - _NEGLIGIBLE]

    def _try(self, repairs: Sequence[Deeds]) -> dict[Deeds, Lane]:
        tried = self._tried.get(tuple(repairs))
        if tried is None:
            pair = Run(self.drawn.system, self.drawn.background)
            pair.advance(self.knows_at)
            tried = self._tried[tuple(repairs)] = play_lanes(pair, repairs, self.proof.lasts)
        return tried

    @cached_property
    def _tried(self) -> dict[tuple[Deeds, ...], dict[Deeds, Lane]]:
        """What came of some repairs: who asks whether a policy fits asks again when it plays it."""
        return {}

    def is_harmless(self, deed: Deed) -> bool:
        """Whether users of the system without its fault would lose nothing worth telling by an operation."""
        return bool(self.find_harmless([(deed,)]))

    def find_harmless(self, some: Sequence[Deeds]) -> list[Deeds]:
        """Those of some sequences of operations by which users of the system without its fault would lose nothing."""
        healthy = Run(self.drawn.background, self.drawn.background)
        healthy.advance(self.knows_at)
        lanes = play_lanes(healthy, some, self.proof.lasts)
        return [deeds for deeds in some if lanes[deeds].harm <= lanes[()].harm + _NEGLIGIBLE]

    @cached_property
    def spare_zone(self) -> str | None:
        """The first zone without which users of the system without its fault would lose nothing, if there is one.

        Who drains a zone has looked before whether there is room for its users in the others.
        """
        zones = self.incident.system.zones
        drains: list[Deeds] = [(("drain_zone", zone),) for zone in zones if len(zones) > 1]
        return next((deed[0][1] for deed in self.find_harmless(drains)), None) if drains else None

    def count_instances(self, service: str) -> int:
        """How many instances of a service there are to be by then."""
        run = self.incident.runs.fork((), self.knows_at)
        own = run.layout.instance_component == run.layout.component_names.index(service)
        return int((run.state.wanted & own).sum())

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


Sent: TypeAlias = "Action | Mapping[str, Any]"
"""An action, or one as it is sent."""


class Policy(NamedTuple):
    """Who plays: its moves, and then its answer; None if that is the last of its moves.

    In the mean it is to earn so much at `most`, or a share of what the honest searcher earns (`of_honest`). It is
    played on the cases that it `fits`.
    """

    name: str
    tasks: tuple[TaskId, ...]
    moves: Callable[[Case], Iterator[Sent]]
    answer: Callable[[Case], Action] | None
    most: float = 1.0
    of_honest: float | None = None
    fits: Callable[[Case], bool] = lambda _: True


def act(name: str, **parameters: object) -> Action:
    """An action by its name and parameters."""
    return parse_action(name, parameters)


class Ended(NamedTuple):
    """What came of a play: its steps, and its grade."""

    steps: int
    grade: Grade


def play(case: Case, policy: Policy) -> Ended:
    """What a policy earns on a case.

    Raises:
        RuntimeError: if its moves are over before the episode is.
    """
    episode = _play(case, policy)
    if episode.grade is None:
        raise RuntimeError(f"{policy.name} did not end {case.scenario.id}")
    return Ended(episode.step_count, episode.grade)


def _play(case: Case, policy: Policy) -> Episode:
    """The episode that a policy plays. It answers with the last step that the task has, if not before.

    An action that is refused costs nothing, and the policy is shown the episode as it was.
    """
    episode = case.episode = begin("policy", Reference.to(case.scenario), case.scenario)
    for action in policy.moves(case):
        try:
            episode = case.episode = step(episode, action).episode
        except InvalidActionError:
            continue
        if episode.done:
            return episode
        if policy.answer is not None and episode.step_count >= case.steps - 1:
            break
    return episode if policy.answer is None else step(episode, policy.answer(case)).episode
