"""Many episodes at once, in process: what a trainer steps in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from env_core.episode import begin
from env_core.transition import Transition, step
from scenarios.parsing import InvalidActionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from env_core.episode import Episode
    from env_core.observation import Observation, StepInfo
    from env_core.selection import Chosen, Selection
    from scenarios.catalogue import Catalogue


class BatchStep(NamedTuple):
    """What one episode of a batch shows after a call.

    `reward` is the step's, in [-1, 1], and 0.0 where none was taken. `terminated`: a submission has ended the episode;
    `truncated`: the step limit has. `refused` says what was wrong with an action that was no step at all.
    """

    observation: Observation
    reward: float
    terminated: bool
    truncated: bool
    info: StepInfo
    refused: str | None = None


class Batch:
    """Episodes side by side, each with its own incident. Deterministic, synchronous, without a store or handles."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.episodes: list[Episode] = []

    def reset(self, selections: Sequence[Selection]) -> list[BatchStep]:
        """Start one episode per selection, in the place of those there are.

        Incidents that run and are listed are played side by side, which costs a part of what they cost one by one.

        Raises:
            SelectionError, UnknownScenarioError: if a selection names nothing that can be started; nothing is replaced.
        """
        chosen = [selection.choose(self._catalogue) for selection in selections]
        incidents = self._catalogue.prepare(each.scenario_id for each in chosen)
        self.episodes = [
            self._begin(index, selection, each)
            for index, (selection, each) in enumerate(zip(selections, chosen, strict=True))
        ]
        del incidents  # from here on the episodes hold them
        return [_report(Transition(episode)) for episode in self.episodes]

    def step(self, actions: Sequence[Mapping[str, Any] | None]) -> list[BatchStep]:
        """Step every episode by its action, `{"action_type": …, "parameters": {…}}`; None leaves one as it is.

        An action that would be refused is told in `refused` and changes nothing.

        Raises:
            ValueError: if there is not one action per episode, or one is for an episode that is over; none is stepped.
        """
        if len(actions) != len(self.episodes):
            raise ValueError(f"{len(actions)} actions were given for {len(self.episodes)} episodes.")
        over = [index for index, action in enumerate(actions) if action is not None and self.episodes[index].done]
        if over:
            raise ValueError(f"Episodes {over} are over; give None for them, or reset.")
        return [self._step(index, action) for index, action in enumerate(actions)]

    def fork(self, index: int, copies: int = 1) -> list[int]:
        """Add copies of an episode as it stands, to be stepped apart from it; gives their indices.

        Raises:
            IndexError: if there is no episode of that index.
        """
        episode = self.episodes[index]
        first = len(self.episodes)
        self.episodes += [episode._replace(id=f"batch-{first + copy}") for copy in range(copies)]
        return list(range(first, first + copies))

    def _begin(self, index: int, selection: Selection, chosen: Chosen) -> Episode:
        scenario = self._catalogue.get(chosen.scenario_id)
        reference = selection.reference(scenario, chosen.seed)
        return begin(selection.episode_id or f"batch-{index}", reference, scenario)

    def _step(self, index: int, sent: Mapping[str, Any] | None) -> BatchStep:
        episode = self.episodes[index]
        if sent is None:
            return _report(Transition(episode))
        try:
            transition = step(episode, sent)
        except InvalidActionError as error:
            return _report(Transition(episode, refusal=error))
        self.episodes[index] = transition.episode
        return _report(transition)


def _report(transition: Transition) -> BatchStep:
    refused = str(transition.refusal) if transition.refusal is not None else None
    info = transition.info()
    return BatchStep(transition.observation(), transition.reward, info["terminated"], info["truncated"], info, refused)
