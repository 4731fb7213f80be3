"""The episode service: what every surface calls. Async, and safe under concurrent calls on one episode and on many."""

from __future__ import annotations

import secrets
import uuid
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread

from env_core.episode import Episode, Reference, advance, begin
from env_core.store import (
    AppendConflictError,
    CapacityError,
    Claim,
    EpisodeExistsError,
    EpisodeStore,
    Event,
    MemoryStore,
    Record,
    UnknownEpisodeError,
)
from scenarios.catalogue import UnknownScenarioError
from scenarios.parsing import parse_action

if TYPE_CHECKING:
    from env_core.selection import Selection
    from scenarios.actions import Action
    from scenarios.catalogue import Catalogue, Scenario

_HANDLE_BYTES = 16
_ATTEMPTS = 16


class EpisodeOverError(RuntimeError):
    """A step on an episode that has ended, with its score. Nothing was changed."""

    def __init__(self, episode: Episode) -> None:
        super().__init__(f"Episode {episode.id} is over.")
        self.score = episode.grade.score if episode.grade is not None else 0.0


class RequestIdError(ValueError):
    """A request id that was used on the episode for another action. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many episodes may be open at once, and after how many idle seconds one is forgotten."""

    capacity: int = 10_000
    idle_seconds: float = 3600.0


class EpisodeService:
    """Opens, steps and closes episodes by their handles.

    The store holds the truth; the folded episodes kept here are a cache over it.
    """

    def __init__(self, catalogue: Catalogue, store: EpisodeStore | None = None, limits: Limits | None = None) -> None:
        self.catalogue = catalogue
        self._store: EpisodeStore = store if store is not None else MemoryStore()
        self._limits = limits or Limits()
        self._folded: OrderedDict[str, Episode] = OrderedDict()
        self._finished: OrderedDict[str, str] = OrderedDict()
        self._making = CapacityLimiter(1)  # it is all work for the one interpreter; more threads would only wait
        self.steps_taken = 0
        """Steps that this process has taken, on every episode."""

    async def create(self, selection: Selection, replacing: Claim | None = None) -> Episode:
        """Open an episode, in the place of `replacing` if that is still there.

        Where there is no room the episode that finished longest ago makes it; a handle of a finished one is free again.

        Raises:
            SelectionError, UnknownScenarioError: if the selection names nothing that can be started.
            CapacityError: if as many episodes are open as may be.
            EpisodeExistsError: if the handle asked for is in use.
        """
        chosen = selection.chosen(self.catalogue)
        scenario = await self._scenario(chosen.scenario_id)
        reference = selection.reference(scenario, chosen.seed)
        for expired in await self._store.expire(self._limits.idle_seconds):
            self._drop(expired)
        episode_id, incarnation = selection.episode_id or _minted(), secrets.token_hex(8)
        while True:
            try:
                await self._store.create(episode_id, reference, incarnation, self._limits.capacity, replacing)
                break
            except (EpisodeExistsError, CapacityError) as error:
                in_the_way = episode_id if isinstance(error, EpisodeExistsError) else next(iter(self._finished), "")
                if in_the_way not in self._finished:
                    raise
                await self._forget(Claim(in_the_way, self._finished[in_the_way]))
        if replacing is not None:
            self._drop(replacing.episode_id)
        return self._keep(begin(episode_id, reference, scenario, incarnation))

    async def get(self, episode_id: str, incarnation: str = "", *, touch: bool = True) -> Episode:
        """The episode as it stands. Without `touch` looking at it does not keep it from expiring.

        Raises:
            UnknownEpisodeError: if there is none of that handle, or not that incarnation of it if one is given.
            StaleReferenceError: if its incident or the rules have changed since it began.
        """
        cached = self._folded.get(episode_id)
        record = await self._store.load(episode_id, cached.step_count if cached else 0, touch=touch)
        if incarnation and incarnation != record.incarnation:
            raise UnknownEpisodeError(f"There is no open episode {episode_id!r} here.")
        if cached is not None and cached.incarnation == record.incarnation:
            return self._keep(_fold(cached, record.events)) if record.events else cached
        if cached is not None:  # closed, and opened anew under the same handle
            record = await self._store.load(episode_id, touch=touch)
        return self._keep(_fold(await self._opened(episode_id, record), record.events))

    async def step(self, episode_id: str, action: Action, request_id: str = "", incarnation: str = "") -> Episode:
        """Take a step. A request id that has been used on the episode repeats its answer and takes no step.

        Raises:
            UnknownEpisodeError: if there is none of that handle, or not that incarnation of it if one is given.
            EpisodeOverError: if the episode has ended.
            RequestIdError: if the request id was used for another action.
            AppendConflictError: if others kept stepping first. Nothing was changed.
        """
        for _ in range(_ATTEMPTS):
            episode = await self.get(episode_id, incarnation, touch=False)
            if request_id and (answered := await self._answered(episode, action, request_id)) is not None:
                return answered
            if episode.done:
                raise EpisodeOverError(episode)
            try:
                event = Event(action.dump(), request_id)
                await self._store.append(episode_id, episode.incarnation, episode.step_count, event)
            except AppendConflictError:
                self._folded.pop(episode_id, None)
                continue
            self.steps_taken += 1
            return self._keep(advance(episode, action))
        raise AppendConflictError(f"Episode {episode_id} is being stepped by others; try again.")

    async def close(self, episode_id: str, incarnation: str = "") -> None:
        """Forget an episode.

        Raises:
            UnknownEpisodeError: if there is none of that handle, or not that incarnation of it if one is given.
        """
        record = await self._store.load(episode_id)
        if incarnation and incarnation != record.incarnation:
            raise UnknownEpisodeError(f"There is no open episode {episode_id!r} here.")
        await self._forget(Claim(episode_id, record.incarnation))

    async def actions(self, episode_id: str) -> tuple[Reference, list[Event]]:
        """What is stored of an episode: enough to replay it anywhere."""
        record = await self._store.load(episode_id)
        return record.reference, list(record.events)

    async def _answered(self, episode: Episode, action: Action, request_id: str) -> Episode | None:
        """The episode as it stood after the step that a request id made."""
        record = await self._store.load(episode.id)
        for index, event in enumerate(record.events):
            if event.request_id == request_id:
                if event.action != action.dump():
                    raise RequestIdError(f"Request id {request_id[:80]!r} was used for {event.action['action_type']}.")
                return _fold(await self._opened(episode.id, record), record.events[: index + 1])
        return None

    async def _scenario(self, scenario_id: str) -> Scenario:
        """The scenario of an id; where its incident has to be made, others are served meanwhile."""
        if self.catalogue.at_hand(scenario_id):
            return self.catalogue.get(scenario_id)
        return await to_thread.run_sync(self.catalogue.get, scenario_id, limiter=self._making)

    async def _opened(self, episode_id: str, record: Record) -> Episode:
        with suppress(UnknownScenarioError):  # a reference says better what has become of its scenario
            await self._scenario(record.reference.scenario_id)
        scenario = record.reference.resolve(self.catalogue)
        return begin(episode_id, record.reference, scenario, record.incarnation)

    def _keep(self, episode: Episode) -> Episode:
        self._folded[episode.id] = episode
        self._folded.move_to_end(episode.id)
        if episode.done:
            self._finished[episode.id] = episode.incarnation
        while len(self._folded) > self._limits.capacity:
            self._folded.popitem(last=False)
        return episode

    async def _forget(self, claim: Claim) -> None:
        await self._store.delete(claim)
        self._drop(claim.episode_id)

    def _drop(self, episode_id: str) -> None:
        self._folded.pop(episode_id, None)
        self._finished.pop(episode_id, None)


def _minted() -> str:
    """A fresh handle, written like a UUID, with all of its 128 bits random."""
    return str(uuid.UUID(bytes=secrets.token_bytes(_HANDLE_BYTES)))


def _fold(episode: Episode, events: tuple[Event, ...]) -> Episode:
    for event in events:
        episode = advance(episode, parse_action(event.action["action_type"], event.action["parameters"]))
    return episode
