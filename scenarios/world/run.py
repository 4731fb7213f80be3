"""A run: a system that is played, step by step, and what it has written down."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.access import Obstacles, find_access
from scenarios.world.chance import draw_noises
from scenarios.world.changes import Agenda, place_changes
from scenarios.world.flows import STEP, Conditions, step_flows
from scenarios.world.forking import fork
from scenarios.world.jobs import step_jobs
from scenarios.world.layout import lay_out
from scenarios.world.operations import Order, finish_tasks, order
from scenarios.world.picking import pick
from scenarios.world.pools import step_pools
from scenarios.world.processes import die, find_limits, kill_for_memory, step_processes, swell
from scenarios.world.record import TICK, Record
from scenarios.world.releases import average_releases, find_tries, keep_connections, multiply_messages
from scenarios.world.standing import find_standing
from scenarios.world.state import State
from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from scenarios.world.access import Access
    from scenarios.world.flows import Passed
    from scenarios.world.layout import Floats, Layout
    from scenarios.world.paths import Crossing, Ways
    from scenarios.world.pools import Pooled
    from scenarios.world.resolving import Resolved
    from scenarios.world.standing import Standing
    from scenarios.world.system import System

ARRIVALS_NOISE = 0.03
WORK_NOISE = 0.02
"""Standard deviations of what arrives and of own work from tick to tick, as shares. Nothing else has noise."""

_MINUTE = 60.0
_TICKS_AT_ONCE, _MINUTES_AT_ONCE = 8, 4
"""Of how many ticks and minutes the noise is hashed at once: that costs little more than one."""
_AGAIN_SECONDS = 20.0
"""After which time users try again on average whose request has failed: 95 % of them within a minute."""


class Run:
    """Some systems that run side by side from second 0. The same systems and orders give the same bytes.

    Args:
        systems: what runs; a single one in an episode, many that are compared in a proof.
        noise: whether arrivals and work vary.
        step: seconds of a step; a tick of 15 seconds has a whole number of them.
    """

    def __init__(self, *systems: System, noise: bool = True, step: float = STEP) -> None:
        self.layout: Layout = lay_out(systems)
        self.state = State.start(self.layout, step)
        self.record = Record()
        self._noise = noise
        self._factors: tuple[int, tuple[Floats, Floats] | None] = 0, None
        self._swells: tuple[int, Floats | None] = 0, None
        self._agenda = Agenda(place_changes(self.layout), step)

    @property
    def time(self) -> float:
        """Seconds since the start."""
        return self.state.time

    def fork(self) -> Self:
        """Another run that has the same past. What happens to one from now on does not happen to the other."""
        forked = copy(self)
        forked.state, forked.record = fork(self.state), self.record.fork()
        return forked

    def pick(self, places: Sequence[int], systems: Sequence[System] | None = None) -> Self:
        """Another run that goes on with the systems at some places, each as often as it is named.

        Args:
            places: which systems, in the order in which they stand in the other run.
            systems: what they are from now on, if not what they were: changes, jobs, features and releases may differ.
                A change that is over by now has no effect any more.

        Raises:
            ValueError: if one of the `systems` has other components, calls or the like.
        """
        other = copy(self)
        picked = pick(self.layout, self.state, self.record, places, systems)
        other.layout, other.state, other.record = picked.layout, picked.state, picked.record
        other._factors, other._swells = (0, None), (0, None)
        other._agenda = Agenda(place_changes(other.layout), other.state.step)
        return other

    def advance(self, seconds: float) -> None:
        """Let time pass, in whole steps."""
        for _ in range(round(seconds / self.state.step)):
            self._pass_step()

    def order(self, operation: str, target: str, system: int = 0, number: int | None = None) -> None:
        """Begin an operation now, in one of the systems; its effects come with time. `number` is what it sets.

        Raises:
            OperationError: if the operation or its target does not exist; nothing is done.
        """
        order(self.layout, self.state, Order(operation, target, system, number))

    def _pass_step(self) -> None:
        layout, state = self.layout, self.state
        for setting in self._agenda.list_due(state.time):
            setting.step(state)
        finish_tasks(layout, state)
        _end_entries(layout, state)
        step_processes(layout, state)
        standing = find_standing(layout, state.phase, state.release)
        keep_connections(layout, state, standing)
        held, slow = step_jobs(layout, state)
        pooled = step_pools(layout, state, standing)
        offered, kept_out, barred = self._find_users()
        offered = offered + state.queues.take(layout, standing, state.flows.holding, state.step)
        found = self._find_conditions(standing, pooled, slow, offered)
        passed = step_flows(layout, state.flows, found, state.step)
        if np.count_nonzero(kept_out):
            passed.users_failed = passed.users_failed + kept_out
            passed.rejected, passed.barred = passed.rejected + kept_out, barred
        self._keep_messages(standing, passed)
        state.awaiting.fail(state.queues, passed, state.step)
        state.passed = passed
        self._note_failed(passed)
        # A disk that is full may have stopped a process.
        standing = find_standing(layout, state.phase, state.release)
        swell(layout, state, standing, passed, self._find_swell(int(state.time / _MINUTE)))
        connections = kill_for_memory(layout, state, standing, passed, held, pooled.connections)
        state.time += state.step
        self.record.add(layout, state, passed, connections)

    def _keep_messages(self, standing: Standing, passed: Passed) -> None:
        """Queues and disks take what was sent and written."""
        layout, state = self.layout, self.state
        if not layout.topic_names and not np.count_nonzero(state.disks.capacity):
            return
        queues = state.queues
        for group in queues.settle(layout, standing, passed).tolist():
            topic = layout.topic_names[queues.group_topic[group]]
            state.note(int(queues.group_component[group]), "poison", topic=topic)
        self.record.ledger = max(self.record.ledger, queues.ledger)
        kept = queues.find_kept(len(layout.components)) if layout.topic_names else None
        full, stopping = state.disks.step(layout, standing, passed.good, kept, state.step)
        for instance in full.tolist():
            state.note(int(layout.instance_component[instance]), "disk_full", instance=instance)
        for instance in stopping.tolist():
            state.note(int(layout.instance_component[instance]), "disk_stop", instance=instance)
            die(layout, state, instance)

    def _note_failed(self, passed: Passed) -> None:
        """A share of the users whose request has failed will try again."""
        layout, state = self.layout, self.state
        if layout.tries_again:
            shares = layout.memory.get((), _share_entries, layout)
            mine = passed.users_failed[layout.journey_entry] * shares
            state.again = state.again + mine * layout.journey_retries

    def _find_users(self) -> tuple[Floats, Floats, Floats]:
        """The requests of users in this step that are let in, those that are not, and which of these a rule bars."""
        layout, state = self.layout, self.state
        demand = layout.journey_demand * state.demand
        if self._noise:
            demand = demand * self._find_noise(int(state.time / TICK))[1]
        demand = demand * state.step
        if layout.tries_again:
            back = state.again * (state.step / _AGAIN_SECONDS)
            state.again = state.again - back
            demand = demand + back
        routes, nobody = len(layout.route_work), layout.no_requests
        out = layout.memory.get((state.shed.tobytes(), state.blocked.tobytes()), _keep_out, layout, state)
        if out is None:
            return add_up(layout.journey_entry, demand, routes), nobody, nobody
        kept_out = demand * out
        return (
            add_up(layout.journey_entry, demand - kept_out, routes),
            add_up(layout.journey_entry, kept_out, routes),
            add_up(layout.journey_entry, demand * state.blocked, routes),
        )

    def _find_conditions(
        self,
        standing: Standing,
        pooled: Pooled,
        slow: Floats,
        offered: Floats,
    ) -> Conditions:
        layout, state = self.layout, self.state
        work, errors = average_releases(layout, state, standing)
        seen = work.tobytes(), state.work.tobytes(), state.scans.tobytes(), slow.tobytes()
        work = layout.memory.get(seen, _multiply_work, state, work, slow)
        if self._noise:
            work = work * self._find_noise(int(state.time / TICK))[0]
        sent = layout.call_weight if state.passed is None else state.passed.sent
        users = add_up(layout.route_component, offered, len(layout.components))
        crossing = state.paths.step(layout, standing, sent, users, state.step)
        pull, pulled = _lean(layout, state, crossing)
        denied = state.credentials.step(layout, standing, state.usable)
        resolved = state.addresses.step(layout, standing, state.step)
        refusals = state.disks.refuse(layout, standing)
        weights = state.caches.step(layout, standing, self._find_room(), state.passed, state.step)
        limits = find_limits(layout, state, standing)
        return Conditions(
            access=_find_access(layout, state, pooled, crossing.ways, resolved, denied),
            open_=standing.open_,
            count=standing.count,
            pull=pull,
            pulled=pulled,
            rates=limits.rates,
            places=limits.places,
            work=work,
            errors=_find_errors(layout, state, errors, refusals),
            again=find_tries(layout, standing),
            weights=multiply_messages(layout, standing, weights),
            offered=offered,
        )

    def _find_room(self) -> Floats:
        """The share of its memory that each component has for what others have put there."""
        room = self.state.memory_limit
        for job in self.state.jobs:
            if job.job.evicts and job.since is not None and job.planned:
                left = 1.0 - job.job.evicts
                # What is found grows with the root of the room.
                room = np.where(np.arange(len(room)) == job.store, room * left * left, room)
        return room

    def _find_swell(self, minute: int) -> Floats:
        """How the memory of each instance differs in a minute, about a half, hashed at once for some minutes."""
        known, noise = self._swells
        if noise is None or not known <= minute < known + _MINUTES_AT_ONCE:
            known, instances = minute, self.layout.instance_noise
            noise = 0.5 + 0.25 * (
                draw_noises(instances, minute, _MINUTES_AT_ONCE)
                if self._noise
                else np.zeros((_MINUTES_AT_ONCE, len(instances)))
            )
            self._swells = minute, noise
        found: Floats = noise[minute - known]
        return found

    def _find_noise(self, tick: int) -> tuple[Floats, Floats]:
        """Factors of work and of arrivals in a tick, hashed at once for some ticks and all their steps."""
        known, factors = self._factors
        if factors is None or not known <= tick < known + _TICKS_AT_ONCE:
            known = tick
            of_work = 1.0 + WORK_NOISE * draw_noises(self.layout.component_noise, tick, _TICKS_AT_ONCE)
            of_arrivals = 1.0 + ARRIVALS_NOISE * draw_noises(self.layout.journey_noise, tick, _TICKS_AT_ONCE)
            factors = of_work, of_arrivals
            self._factors = tick, factors
        return factors[0][tick - known], factors[1][tick - known]


def _multiply_work(state: State, work: Floats, slow: Floats) -> Floats:
    return np.asarray(work * state.work * state.scans * slow)


def _share_entries(layout: Layout) -> Floats:
    """The share of each journey in what enters where it does."""
    entry = layout.journey_entry
    return np.asarray(layout.journey_demand / add_up(entry, layout.journey_demand, len(layout.route_work))[entry])


def _keep_out(layout: Layout, state: State) -> Floats | None:
    """The share of each journey that is not let in, None if all are."""
    shed = state.shed[layout.route_component[layout.journey_entry]]
    out = 1.0 - (1.0 - shed) * (1.0 - state.blocked)
    return out if np.any(out) or np.any(state.blocked) else None


def _end_entries(layout: Layout, state: State) -> None:
    """Empty the caches whose entries end all at once, when they do."""
    if not np.count_nonzero(state.together):
        return
    for component in np.nonzero(state.together)[0].tolist():
        every = float(state.together[component])
        if int(state.time / every) != int((state.time - state.step) / every):
            state.caches.clear(layout, component)


def _find_access(
    layout: Layout, state: State, pooled: Pooled, ways: Ways, resolved: Resolved, denied: Floats
) -> Access:
    """How attempts get to whom they call, with all that is in their way."""
    changing = (denied, state.shed, state.loss, state.denied, state.expired)
    seen = (pooled, ways, resolved, *(part.tobytes() for part in changing), state.step)
    return layout.memory.get(seen, _gather_obstacles, layout, state, pooled, ways, resolved, denied)


def _gather_obstacles(
    layout: Layout, state: State, pooled: Pooled, ways: Ways, resolved: Resolved, denied: Floats
) -> Access:
    obstacles = Obstacles(
        pools=pooled.free,
        broken=pooled.broken,
        unopened=pooled.unopened,
        turned_away=1.0 - (1.0 - pooled.turned_away) * (1.0 - state.shed[layout.call_component]),
        loss=1.0 - (1.0 - state.loss) * (1.0 - layout.call_loss) * (1.0 - ways.lost),
        denied=denied,
        forbidden=state.denied.copy(),
        distrusted=state.expired[layout.call_component],
        delay=ways.delay,
        stale=resolved.stale,
        unresolved=resolved.unresolved,
    )
    return find_access(layout, obstacles, state.step)


def _find_errors(layout: Layout, state: State, errors: Floats, refusals: Floats) -> Floats:
    """The share of the requests of each route that it cannot answer well, whatever its calls give."""
    seen = errors.tobytes(), state.errors.tobytes(), refusals.tobytes()
    return layout.memory.get(seen, _add_errors, layout, state, errors, refusals)


def _add_errors(layout: Layout, state: State, errors: Floats, refusals: Floats) -> Floats:
    of_component = np.minimum(1.0, errors + state.errors)
    return np.asarray(np.minimum(1.0, layout.route_errors + of_component[layout.route_component] + refusals))


def _lean(layout: Layout, state: State, crossing: Crossing) -> tuple[Floats, Floats]:
    """What instances get where the first of a component gets more than others, and what all of a component get."""
    skew = layout.memory.get((state.skew.tobytes(),), _find_skew, layout, state)
    if skew is None:
        return crossing.pull, crossing.pulled
    pull = crossing.pull * skew
    return pull, add_up(layout.instance_component, pull, len(layout.components))


def _find_skew(layout: Layout, state: State) -> Floats | None:
    """How many times as much as others of its component each instance gets, None if all get the same."""
    if not np.any(state.skew != 1.0):
        return None
    own = layout.instance_component
    first = np.searchsorted(own, own) == np.arange(len(own))
    return np.asarray(np.where(first, state.skew[own], 1.0))
