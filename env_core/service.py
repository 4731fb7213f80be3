"""The episode service: what every surface calls. Async, and safe under concurrent calls on one episode and on many."""

from __future__ import annotations

import logging
import secrets
import uuid
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from anyio import CapacityLimiter, to_thread

from env_core.agent_keys import AgentKeys
from env_core.callers import ADMIN, ANYBODY, CALLER, OPERATE, PLAY, Caller, check_need
from env_core.episode import Episode, advance, begin, withhold
from env_core.quotas import Quotas
from env_core.reference import StaleReferenceError
from env_core.review import is_traced
from env_core.stores import (
    AppendConflictError,
    CapacityError,
    Claim,
    EpisodeExistsError,
    EpisodeStore,
    Event,
    MemoryStore,
    Opening,
    Record,
    ReopenedEpisodeError,
    UnknownAction,
    UnknownEpisodeError,
)
from env_core.transition import Transition, read_action, step
from env_core.turns import Turns
from scenarios.catalogue import UnknownScenarioError
from scenarios.errors import CloudIncidentError
from scenarios.vocabulary import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from env_core.selection import Selection
    from env_core.witness import Witness
    from scenarios.catalogue import Catalogue, Scenario
    from scenarios.vocabulary import Action

Result = TypeVar("Result")

_LOGGER = logging.getLogger(__name__)
_HANDLE_BYTES = 16
_ATTEMPTS = 16
_LOOKED_THROUGH = 64
"""Of how many episodes of a caller it is looked whether they are still open, where it has as many as it may have."""


class UnknownStepError(CloudIncidentError):
    """A step that an episode has not taken. Nothing was changed."""

    code = "unknown_step"


class BusyError(CloudIncidentError):
    """As many incidents are to be made as may wait. Nothing was changed."""

    code = "busy"


class RequestIdError(CloudIncidentError):
    """A request id that was used on the episode for another action. Nothing was changed."""

    code = "request_id_reused"


class ForeignHandleError(CloudIncidentError):
    """A handle that its caller may not choose, since it could be another caller's. Nothing was changed."""

    code = "not_allowed"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many episodes may be stored at once, and after how many idle seconds one is forgotten.

    After `idle_seconds` it is forgotten if there is no room for another, and after `keep_seconds`, which are as many if
    not given, in any case. A finished one makes room after `grace_seconds` without use. One caller may have `most_each`
    open, so that others find room; where there is none, finished ones of a caller that has more in all make it at once.
    At most `waiting` callers wait for an incident to be made. A process keeps `folded` computed episodes at most, as a
    shared store may hold many more. Others are computed again when they are asked for.
    """

    capacity: int = 10_000
    idle_seconds: float = 3600.0
    keep_seconds: float | None = None
    folded: int = 10_000
    waiting: int = 1_000
    grace_seconds: float = 0.0
    most_each: int | None = None


class _Folded(NamedTuple):
    """An episode as it was after some of its stored events, and at least the request ids of these; and its owner."""

    episode: Episode
    request_ids: set[str]
    owner: str


class EpisodeService:
    """Opens, steps and closes episodes by their handles.

    The store holds the truth; the folded episodes kept here are a cache over it. Several processes may have a service
    each over one store. A step is made on what the cache has and stored only if nobody has stored another one
    meanwhile, so it asks the store once; what the cache says against a step is looked up before it is told.

    Every call is made for the caller of the present task (`env_core.callers.CALLER`). An episode belongs to the caller
    that opened it, and to others is as one that does not exist; `admin` sees all. Whoever may grade none is not shown
    the score and the debrief of an episode that has them for its harness alone. Where a task has no caller, calls are
    made for `unnamed`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        store: EpisodeStore | None = None,
        limits: Limits | None = None,
        unnamed: Caller = ANYBODY,
    ) -> None:
        self.catalogue = catalogue
        self.unnamed = unnamed
        self._store: EpisodeStore = store if store is not None else MemoryStore()
        self._limits = limits or Limits()
        self._folded: OrderedDict[str, _Folded] = OrderedDict()
        self._keys: AgentKeys | None = None
        self._secret = b""
        self._warned = False
        self._quotas = Quotas(self._limits.most_each)
        self._making = Turns(self._limits.waiting)
        self._thread = CapacityLimiter(1)  # it is all work for the one interpreter; more threads would only wait
        self.steps_taken = 0
        """Steps that this process has taken, on every episode."""
        self.on_over: list[Callable[[str], None]] = []
        """What is told the handle of each episode that has ended, was closed, or was forgotten to make room.

        Only what this service did is told: another process on the same store ends episodes without a word here. Who
        keeps something for an episode looks it up (`get`, with its incarnation) before that is used, or drops it after
        some time.
        """
        self.witnesses: list[Witness] = []
        """Who is told what happens to the episodes."""

    @property
    def caller(self) -> Caller:
        """For whom calls are made now."""
        return CALLER.get(self.unnamed)

    async def create(self, selection: Selection, replacing: Claim | None = None) -> Episode:
        """Open an episode, in the place of `replacing` if that is still there and the caller's own.

        Where there is no room the episode that finished longest ago makes it. The handle of a finished episode is not
        free before that is closed, or whoever asks for its grade would get that of another one; a selection with
        `replace` closes it.

        Raises:
            UnauthenticatedError, ScopeError: if the caller may open none.
            ForeignHandleError: if the caller may not choose the handle asked for.
            SelectionError, UnknownScenarioError: if the selection names nothing that can be started.
            CapacityError, QuotaError: if as many episodes are open as may be, of anybody's or of the caller's.
            BusyError: if as many callers wait for an incident to be made as may.
            EpisodeExistsError: if the handle asked for is in use, or is to be replaced and belongs to somebody else.
            ReopenedEpisodeError: if the episode to be replaced is not of the incarnation that the selection names.
        """
        caller = self.caller
        check_need(OPERATE, caller)
        if replacing is not None and ADMIN not in caller.scopes and not await self._has(replacing):
            replacing = None
        named = await self._find_replaced(selection) if selection.replace else None
        if selection.episode_id not in {claim.episode_id for claim in (named, replacing) if claim is not None}:
            _check_handle(selection.episode_id, caller)
            self._warn_of_chosen(selection.episode_id, caller)
        chosen = selection.choose(self.catalogue)
        scenario = await self._scenario(chosen.scenario_id)
        reference = selection.reference(scenario, chosen.seed)
        episode_id, incarnation = selection.episode_id or _mint_handle(), secrets.token_hex(8)
        await self._make_room(Opening(episode_id, reference, incarnation, caller.name, replacing=named or replacing))
        if named is not None and replacing is not None and replacing != named:
            with suppress(UnknownEpisodeError):
                await self.close(*replacing)
        return self._open(begin(episode_id, reference, scenario, incarnation), caller.name)

    async def fork(self, claim: Claim, after: int | None = None, fork_id: str = "") -> Episode:
        """Open an episode that begins with the first `after` steps of another one; with all of them if None.

        The two share nothing from then on. The steps that were taken over have no request ids: these were the other's.

        Raises:
            UnknownEpisodeError: if there is none of that handle.
            ReopenedEpisodeError: if an incarnation is given, and it is not that one.
            UnknownStepError: if the episode has not that many steps.
            StaleReferenceError: if its incident or the rules have changed since it began.
            UnauthenticatedError, ScopeError, ForeignHandleError, CapacityError, QuotaError, EpisodeExistsError: as
                `create` does.
        """
        caller = self.caller
        check_need(OPERATE, caller)
        _check_handle(fork_id, caller)
        source = await self.get(claim.episode_id, claim.incarnation)
        record = await self._read(source.id)
        taken = len(record.events) if after is None else after
        if taken > len(record.events):
            raise UnknownStepError(f"Episode {source.id} has {len(record.events)} steps; {after} were asked for.")
        events = tuple(event._replace(request_id="") for event in record.events[:taken])
        fork_id, incarnation = fork_id or _mint_handle(), secrets.token_hex(8)
        owner = caller.name or record.owner
        await self._make_room(Opening(fork_id, record.reference, incarnation, owner, events))
        scenario = await self._scenario(record.reference.scenario_id)
        forked = await self._fold(begin(fork_id, record.reference, scenario, incarnation), events)
        return self._open(forked, owner, forked=True)

    async def resume(self, selection: Selection) -> Episode:
        """The stored episode of the handle that a selection gives; a new one where there is none, or no handle.

        Raises:
            StaleReferenceError: if the stored episode's incident or the rules have changed since it began.
            SelectionError, UnknownScenarioError: if the selection names nothing that can be started.
            CapacityError: if as many episodes are open as may be.
        """
        for _ in range(_ATTEMPTS if selection.episode_id else 0):
            with suppress(UnknownEpisodeError):
                return await self.get(selection.episode_id)
            with suppress(EpisodeExistsError):  # another process was quicker
                return await self.create(selection)
        return await self.create(selection)

    async def get(self, episode_id: str, incarnation: str = "", *, touch: bool = True) -> Episode:
        """The episode as it stands. Without `touch` looking at it does not keep it from expiring.

        Raises:
            UnknownEpisodeError: if there is none of that handle.
            ReopenedEpisodeError: if an incarnation is given, and it is not that one.
            StaleReferenceError: if its incident or the rules have changed since it began, or this release does not
                know one of its actions.
        """
        for witness in self.witnesses:
            witness.note_asked(episode_id)
        return self._show((await self._load(episode_id, incarnation, touch=touch)).episode)

    async def step(
        self,
        target: str | Episode,
        sent: Action | Mapping[str, Any],
        request_id: str = "",
        incarnation: str = "",
    ) -> Transition:
        """Take a step. A request id that has been used on the episode repeats its answer and takes no step.

        `target` is a handle, or an episode that `get` has just returned, which saves one load.

        Raises:
            InvalidActionError: if the action is not valid.
            UnknownEpisodeError: if there is none of that handle.
            ReopenedEpisodeError: if an incarnation is given, and it is not that one.
            EpisodeOverError: if the episode has ended.
            StaleReferenceError: if its incident or the rules have changed since it began, or this release does not
                know one of its actions.
            RequestIdError: if the request id was used for another action.
            AppendConflictError: if others kept stepping first. Nothing was changed.
            StoreUnavailableError: if the store does not answer. With a request id the step may be sent again.
        """
        action = read_action(sent)
        handle = target.id if isinstance(target, Episode) else target
        for witness in self.witnesses:
            witness.note_asked(handle)
        # A submission is graded, which costs many times what it costs to ask first whether others have stepped.
        graded = action.declaration.kind is Kind.SUBMISSION and not isinstance(target, Episode)
        folded, fresh = None if graded else self._find_folded(target, incarnation), False
        for _ in range(_ATTEMPTS):
            if folded is None:
                folded, fresh = await self._load(handle, incarnation, touch=False), True
            if request_id in folded.request_ids:
                if (answered := await self._find_answer(folded.episode, action, request_id)) is not None:
                    return answered._replace(episode=self._show(answered.episode))
            else:
                try:
                    transition = await self._step(self._show(folded.episode), action)
                except CloudIncidentError:
                    if fresh:
                        raise
                else:
                    try:
                        await self._append(folded, transition, action, request_id)
                    except AppendConflictError as error:
                        folded, fresh = await self._catch_up(folded, error.newer), True
                        continue
                    shown = self._show(transition.episode)
                    return transition if shown is transition.episode else transition._replace(episode=shown)
            folded = None
        raise AppendConflictError(handle)

    async def read_secret(self) -> bytes:
        """32 random bytes, the same for every process on the store."""
        if not self._secret:
            self._secret = await self._store.read_secret()
        return self._secret

    async def close(self, episode_id: str, incarnation: str = "") -> None:
        """Forget an episode.

        Raises:
            UnknownEpisodeError, ReopenedEpisodeError, UnauthenticatedError: as `get` does.
            ScopeError: if the caller may close none.
        """
        check_need(OPERATE, self.caller)
        record = await self._read(episode_id)
        if incarnation and incarnation != record.incarnation:
            raise ReopenedEpisodeError(episode_id, incarnation)
        await self._store.delete(Claim(episode_id, record.incarnation))
        for witness in self.witnesses:
            witness.note_closed(episode_id)
        self._forget(episode_id)

    async def count_open(self) -> int:
        """How many stored episodes have not ended, those of other processes included."""
        return await self._store.count_open()

    async def has_room(self) -> bool:
        """Whether another episode can be opened. Where none could, those that have been idle make room at once."""
        limits = self._limits
        if await self._store.has_room(limits.capacity, limits.grace_seconds):
            return True
        for handle in await self._store.expire(limits.idle_seconds):
            self._forget(handle)
        return (
            await self._store.has_room(limits.capacity, limits.grace_seconds) or self._quotas.find_surplus() is not None
        )

    async def list_own(self, most: int) -> list[str]:
        """The handles of the caller's open episodes, `most` at most, the one that was used last first.

        Whoever has no name owns none.
        """
        caller = self.caller
        if not caller.name:
            return []
        check_need(PLAY, caller)
        entries = await self._store.list_owned(caller.name, most)
        return [entry.episode_id for entry in entries]

    async def recount(self, episode: Episode, *, curves: bool = True) -> None:
        """Make what the debrief of an episode tells, if it is not at hand; others are served meanwhile.

        The `curves` of its review are made only if somebody is to draw them. Where too many wait for that, whoever
        renders the debrief makes it.
        """
        if episode.grade is None:
            return
        with suppress(BusyError):
            if not episode.incident.accounted:
                await self._work(lambda: episode.incident.account)
            if curves and not is_traced(episode):
                await self._work(episode.course.trace_losses)

    async def release(self) -> None:
        """Let go of the store; nothing can be asked any more."""
        await self._store.close()

    async def get_keys(self) -> AgentKeys:
        """What makes and reads the keys of agents' endpoints: the same ones for every process on the store."""
        if self._keys is None:
            self._keys = AgentKeys(await self.read_secret())
        return self._keys

    def _show(self, episode: Episode) -> Episode:
        """An episode as the caller may see it: a debrief for the harness is not for who may grade none."""
        return episode if episode.grade is None or OPERATE in self.caller.scopes else withhold(episode)

    async def _find_replaced(self, selection: Selection) -> Claim | None:
        """The episode that a selection replaces; None if the caller sees none of that handle."""
        try:
            record = await self._read(selection.episode_id, touch=False)
        except UnknownEpisodeError:
            return None
        if selection.incarnation not in {"", record.incarnation}:
            raise ReopenedEpisodeError(selection.episode_id, selection.incarnation)
        return Claim(selection.episode_id, record.incarnation)

    async def _read(self, episode_id: str, since: int = 0, *, touch: bool = True) -> Record:
        """What is stored of an episode, if the caller may see it. No episode is read in another way."""
        caller = CALLER.get(self.unnamed)
        if caller is ANYBODY:
            return await self._store.load(episode_id, since, touch=touch)
        check_need(PLAY, caller)
        record = await self._store.load(episode_id, since, touch=touch)
        if not caller.may_see(record.owner):
            raise _build_unknown(episode_id)
        return record

    async def _has(self, claim: Claim) -> bool:
        """Whether an episode is there and one that the caller may see."""
        with suppress(UnknownEpisodeError):
            return (await self._read(claim.episode_id, touch=False)).incarnation == claim.incarnation
        return False

    def _warn_of_chosen(self, handle: str, caller: Caller) -> None:
        """Warn once of handles that callers from elsewhere choose: whoever guesses one has the episode."""
        if handle and caller.address and not self._warned:
            self._warned = True
            _LOGGER.warning(
                "A caller from another machine chose the handle of its episode. Handles that can be guessed let others "
                "play and close the episode, also at its agents' endpoint: ask for tokens, or let the server make them."
            )

    async def _take_quota(self, handle: str) -> bool:
        """Count a new episode for the caller; whether it counts.

        Raises:
            QuotaError: if the caller has as many open as it may have.
        """
        account = self.caller.account
        if self._quotas.is_full(account):
            for held in self._quotas.list_held(account)[:_LOOKED_THROUGH]:
                record = await self._peek(held)
                if record is None:
                    self._quotas.release(held)
                elif record.ended:  # in another process
                    self._quotas.end(held)
        return self._quotas.take(account, handle)

    async def _peek(self, handle: str) -> Record | None:
        """What is stored of an episode, whosever it is; None if there is none."""
        with suppress(UnknownEpisodeError):
            return await self._store.load(handle, touch=False)
        return None

    async def _make_room(self, opening: Opening) -> None:
        """Store a new episode, and forget what has expired or makes room for it."""
        counted = await self._take_quota(opening.episode_id)
        try:
            await self._store_anew(opening._replace(grace_seconds=self._limits.grace_seconds))
        except BaseException:
            if counted:
                self._quotas.release(opening.episode_id)
            raise
        if counted:  # it counts no longer if it took the place of a finished one of the same handle
            self._quotas.take(self.caller.account, opening.episode_id)
            if opening.ended:
                self._quotas.end(opening.episode_id)

    async def _store_anew(self, opening: Opening) -> None:
        limits = self._limits
        kept = limits.idle_seconds if limits.keep_seconds is None else limits.keep_seconds
        forgotten = await self._store.expire(kept)
        try:
            forgotten += await self._store.create(opening, limits.capacity)
        except CapacityError:
            freed = await self._store.expire(limits.idle_seconds) or await self._end_surplus()
            if not freed:
                raise
            forgotten += freed
            forgotten += await self._store.create(opening, limits.capacity)
        finally:
            for handle in forgotten:
                for witness in self.witnesses:
                    witness.note_forgotten(handle)
                self._forget(handle)

    async def _end_surplus(self) -> list[str]:
        """Delete the ended episode that is to make room first, though others would be kept for a while. Its handle."""
        while (handle := self._quotas.find_surplus()) is not None:
            self._quotas.release(handle)
            record = await self._peek(handle)
            if record is not None and record.ended:
                await self._store.delete(Claim(handle, record.incarnation))
                return [handle]
        return []

    def _find_folded(self, target: str | Episode, incarnation: str) -> _Folded | None:
        """What is known of the episode to be stepped without asking the store; None if that is not enough."""
        if isinstance(target, Episode):
            folded = self._folded.get(target.id)
            return folded if folded is not None and folded.episode is target else None
        folded = self._folded.get(target)
        if folded is None or incarnation not in {"", folded.episode.incarnation}:
            return None
        caller = CALLER.get(self.unnamed)
        return folded if caller is ANYBODY or caller.may_see(folded.owner) else None

    async def _append(self, folded: _Folded, transition: Transition, action: Action, request_id: str) -> None:
        """Store a step.

        Raises:
            AppendConflictError: if it was not made on what is stored.
        """
        handle, incarnation, length = folded.episode.id, folded.episode.incarnation, folded.episode.step_count
        try:
            await self._store.append(handle, incarnation, length, Event(action, request_id, ends=transition.done))
        except (AppendConflictError, UnknownEpisodeError):
            self._folded.pop(handle, None)
            raise
        self.steps_taken += 1
        if request_id:
            folded.request_ids.add(request_id)
        self._keep(transition.episode, folded.request_ids, folded.owner)
        for witness in self.witnesses:
            witness.note_step(transition)
        if transition.done:
            self._quotas.end(handle)
            self._tell_over(handle)

    async def _catch_up(self, folded: _Folded, newer: tuple[Event, ...]) -> _Folded | None:
        """The episode after what others have stored since; None if that was not told."""
        return await self._fold_further(folded.episode, folded.request_ids, folded.owner, newer) if newer else None

    async def _load(self, episode_id: str, incarnation: str, *, touch: bool) -> _Folded:
        cached = self._folded.get(episode_id)
        if cached is not None and incarnation not in {"", cached.episode.incarnation}:
            cached = None
        since = cached.episode.step_count if cached else 0
        if cached is not None and cached.episode.done:
            touch = False  # or whoever keeps looking at finished episodes would take the room of others
        record = await self._read(episode_id, since, touch=touch)
        if incarnation and incarnation != record.incarnation:
            raise ReopenedEpisodeError(episode_id, incarnation)
        if cached is not None and cached.episode.incarnation == record.incarnation:
            if not record.events:
                return cached
            episode, request_ids = cached.episode, cached.request_ids
        else:
            if since:  # closed, and opened anew under the same handle
                record = await self._read(episode_id, touch=touch)
            episode, request_ids = await self._begin_again(episode_id, record), set()
        return await self._fold_further(episode, request_ids, record.owner, record.events)

    async def _fold_further(
        self, episode: Episode, request_ids: set[str], owner: str, events: tuple[Event, ...]
    ) -> _Folded:
        episode = await self._fold(episode, events)
        request_ids.update(event.request_id for event in events if event.request_id)
        self._keep(episode, request_ids, owner)
        return _Folded(episode, request_ids, owner)

    async def _find_answer(self, episode: Episode, action: Action, request_id: str) -> Transition | None:
        """What came of the step that a request id made, if it made one."""
        record = await self._read(episode.id)
        for index, event in enumerate(record.events):
            if event.request_id == request_id:
                if event.action != action:
                    raise RequestIdError(
                        f"Request id {request_id[:80]!r} was used for {event.action.name}; nothing was done. "
                        "Give every action a request id of its own."
                    )
                first = await self._begin_again(episode.id, record)
                return Transition(await self._fold(first, record.events[: index + 1]), stepped=True)
        return None

    async def _step(self, episode: Episode, action: Action) -> Transition:
        """Take a step; where a system has to run for it, others are served meanwhile."""
        if episode.done or not episode.course.is_played:
            return step(episode, action)
        return await self._work(partial(step, episode, action))

    async def _fold(self, episode: Episode, events: tuple[Event, ...]) -> Episode:
        """An episode after further events; where a system has to run for them, others are served meanwhile."""
        if not events or not episode.course.is_played:
            return _fold(episode, events)
        return await self._work(partial(_fold, episode, events))

    async def _work(self, what: Callable[[], Result]) -> Result:
        """Do what takes long in a thread. Each caller that waits has a turn before one has its second.

        Raises:
            BusyError: if as many callers wait as may.
        """
        account = self.caller.account
        if self._making.is_full(account):
            raise BusyError(
                f"{self._limits.waiting} callers wait for incidents that have to be made first; nothing was done, try "
                "again in a few seconds."
            )
        async with self._making.take(account):
            return await to_thread.run_sync(what, limiter=self._thread)

    async def _scenario(self, scenario_id: str) -> Scenario:
        """The scenario of an id; where its incident has to be made, others are served meanwhile.

        Raises:
            UnknownScenarioError: if there is none.
            BusyError: if as many callers wait for an incident as may.
        """
        if self.catalogue.is_at_hand(scenario_id):
            return self.catalogue.get(scenario_id)
        scenario, seconds = await self._work(partial(self._make, scenario_id))
        for witness in self.witnesses:
            witness.note_made(scenario_id, seconds)
        return scenario

    def _make(self, scenario_id: str) -> tuple[Scenario, float]:
        """A scenario, and how many seconds that took."""
        started = perf_counter()
        scenario = self.catalogue.get(scenario_id)
        scenario.incident.digest  # noqa: B018 - worked out once, and here rather than where others wait
        return scenario, perf_counter() - started

    async def _begin_again(self, episode_id: str, record: Record) -> Episode:
        with suppress(UnknownScenarioError):  # a reference says better what has become of its scenario
            await self._scenario(record.reference.scenario_id)
        scenario = record.reference.resolve(self.catalogue)
        return begin(episode_id, record.reference, scenario, record.incarnation)

    def _open(self, episode: Episode, owner: str, *, forked: bool = False) -> Episode:
        for witness in self.witnesses:
            witness.note_opened(episode, forked=forked)
        return self._keep(episode, set(), owner)

    def _forget(self, handle: str) -> None:
        self._folded.pop(handle, None)
        self._quotas.release(handle)
        self._tell_over(handle)

    def _tell_over(self, handle: str) -> None:
        for tell in self.on_over:
            tell(handle)

    def _keep(self, episode: Episode, request_ids: set[str], owner: str) -> Episode:
        self._folded[episode.id] = _Folded(episode, request_ids, owner)
        self._folded.move_to_end(episode.id)
        while len(self._folded) > min(self._limits.capacity, self._limits.folded):
            self._folded.popitem(last=False)
        return episode


def _check_handle(handle: str, caller: Caller) -> None:
    """Refuse a handle that is not the caller's own to choose: it learns nothing of others' and cannot take them.

    Raises:
        ForeignHandleError: if it may not choose it.
    """
    if handle and ADMIN not in caller.scopes and not handle.startswith(f"{caller.name}."):
        raise ForeignHandleError(
            f"A handle that you choose begins with your name and a dot: {caller.name}.{handle[:80]} would do. "
            "Without one the server makes a handle. Nothing was opened."
        )


def _build_unknown(episode_id: str) -> UnknownEpisodeError:
    """What is said of every episode that a caller does not have, in the words of the stores."""
    return UnknownEpisodeError(f"There is no open episode {episode_id!r}.")


def _mint_handle() -> str:
    """A fresh handle, written like a UUID, with all of its 128 bits random."""
    return str(uuid.UUID(bytes=secrets.token_bytes(_HANDLE_BYTES)))


def _fold(episode: Episode, events: tuple[Event, ...]) -> Episode:
    for event in events:
        if isinstance(event.action, UnknownAction):
            raise StaleReferenceError(
                f"Episode {episode.id} cannot go on: this release does not know its step {episode.step_count + 1}, "
                f"{event.action.name}. {event.action.reason} `cloud-incident episodes export` writes it down."
            )
        episode = advance(episode, event.action)
    return episode
