"""A run: a system that is played, step by step, and what it has written down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.chance import draw_noise
from scenarios.world.flows import STEP, Conditions, add_up, step_flows
from scenarios.world.jobs import step_jobs
from scenarios.world.layout import lay_out
from scenarios.world.operations import Order, finish_tasks, order, roll
from scenarios.world.pools import step_pools
from scenarios.world.processes import count_connections, get_speed, kill_for_memory, step_processes
from scenarios.world.record import Record
from scenarios.world.state import RUNNING, State
from scenarios.world.system import InvalidSystemError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenarios.world.layout import Floats, Layout
    from scenarios.world.system import Change, System

ARRIVALS_NOISE = 0.03
WORK_NOISE = 0.02
"""Standard deviations of what arrives and of own work from tick to tick, as shares. Nothing else has noise."""


class Run:
    """Some systems that run side by side from second 0. The same systems and orders give the same bytes.

    Args:
        systems: what runs; a single one in an episode, many that are compared in a proof.
        noise: whether arrivals and work vary.
    """

    def __init__(self, *systems: System, noise: bool = True) -> None:
        self.layout: Layout = lay_out(systems)
        self.state = State.start(self.layout)
        self.record = Record()
        self._noise = noise
        self._changes = list(_place_changes(self.layout, self.state))
        self._step = 0

    @property
    def time(self) -> float:
        """Seconds since the start."""
        return self.state.time

    def advance(self, seconds: float) -> None:
        """Let time pass, in whole steps."""
        for _ in range(round(seconds / STEP)):
            self._pass_step()

    def order(self, operation: str, target: str, system: int = 0) -> None:
        """Begin an operation now, in one of the systems; its effects come with time.

        Raises:
            OperationError: if the operation or its target does not exist; nothing is done.
        """
        order(self.layout, self.state, Order(operation, target, system))

    def _pass_step(self) -> None:
        layout, state = self.layout, self.state
        for change, apply, before in self._changes:
            if change.at <= state.time < change.at + change.over + STEP:
                part = 1.0 if change.over == 0.0 else min(1.0, (state.time - change.at + STEP) / (change.over + STEP))
                apply(before + (change.to - before) * part)
        finish_tasks(layout, state)
        step_processes(layout, state)
        held, slow = step_jobs(layout, state)
        pools, broken, turned_away = step_pools(layout, state)
        offered, kept_out = self._find_users()
        passed = step_flows(layout, state.flows, self._find_conditions(pools, broken, turned_away, slow, offered))
        if np.any(kept_out):
            passed = replace(passed, users_failed=passed.users_failed + kept_out, rejected=passed.rejected + kept_out)
        state.passed = passed
        kill_for_memory(layout, state, passed, held)
        state.time += STEP
        self._step += 1
        self.record.add(layout, state, passed, count_connections(layout, state))

    def _find_users(self) -> tuple[Floats, Floats]:
        """The requests of users in this step that are let in, and those that are not, by route."""
        layout, state = self.layout, self.state
        demand = layout.journey_demand * state.demand
        if self._noise:
            demand = demand * (1.0 + ARRIVALS_NOISE * draw_noise(layout.journey_noise, self._step // 3))
        demand = demand * STEP
        shed = state.shed[layout.route_component[layout.journey_entry]]
        kept_out = demand * (1.0 - (1.0 - shed) * (1.0 - state.blocked))
        routes = len(layout.route_work)
        return (
            add_up(layout.journey_entry, demand - kept_out, routes),
            add_up(layout.journey_entry, kept_out, routes),
        )

    def _find_conditions(
        self, pools: Floats, broken: Floats, turned_away: Floats, slow: Floats, offered: Floats
    ) -> Conditions:
        layout, state = self.layout, self.state
        components = len(layout.components)
        work, errors = _average_releases(layout, state)
        work = work * state.work * slow
        if self._noise:
            tick = self._step // 3
            work = work * (1.0 + WORK_NOISE * draw_noise(layout.component_noise, tick))
        open_ = (state.phase == RUNNING) * 1.0
        sent = layout.call_weight if state.passed is None else state.passed.sent
        crossing = state.paths.step(layout, open_, sent, add_up(layout.route_component, offered, components))
        not_let_in = state.credentials.step(layout, open_, state.usable)
        return Conditions(
            speed=get_speed(layout, state),
            open_=open_,
            pull=crossing.pull,
            work=work,
            errors=np.minimum(1.0, errors + state.errors[:components]),
            pools=pools,
            broken=broken,
            turned_away=1.0 - (1.0 - turned_away) * (1.0 - state.shed[state.paths.callee]),
            loss=1.0 - (1.0 - state.loss) * (1.0 - crossing.lost),
            denied=1.0 - (1.0 - state.denied) * (1.0 - not_let_in),
            weights=state.caches.step(layout, open_, state.memory_limit, state.passed),
            delay=crossing.delay,
            offered=offered,
        )


def _average_releases(layout: Layout, state: State) -> tuple[Floats, Floats]:
    """Work and errors of each component, on average over the releases that its running instances have."""
    components = len(layout.components)
    own = layout.instance_component
    releases = [layout.components[c].releases[r] for c, r in zip(own.tolist(), state.release.tolist(), strict=True)]
    running = (state.phase == RUNNING) * 1.0
    count = add_up(own, running, components)
    totals = (
        add_up(own, running * np.array([getattr(release, name) for release in releases]), components)
        for name in ("work", "errors")
    )
    work, errors = (
        np.where(count > 0, total / np.maximum(count, 1.0), neutral)
        for total, neutral in zip(totals, (1.0, 0.0), strict=True)
    )
    return work, errors


def _place_changes(layout: Layout, state: State) -> list[tuple[Change, Callable[[float], None], float]]:
    """Each change, what sets its value, and the value before it."""
    placed = []
    components = calls = journeys = 0
    for number, system in enumerate(layout.systems):
        for change in system.changes:
            if change.what in ("link_loss", "link_latency", "zone_loss"):
                setter, before = _find_path(state, system, change, number)
            else:
                setter, before = _find_setter(layout, state, system, change, (components, calls, journeys))
            placed.append((change, setter, before))
        components += len(system.components)
        calls += len(system.calls)
        journeys += len(system.journeys)
    return placed


def _find_setter(
    layout: Layout, state: State, system: System, change: Change, first: tuple[int, int, int]
) -> tuple[Callable[[float], None], float]:
    valid: Sequence[str]
    names = [component.name for component in system.components]
    if change.what in ("loss", "denied"):
        places = [f"{call.source} {call.target}" for call in system.calls]
        array, offset, valid = getattr(state, change.what), first[1], places
    elif change.what in ("secret_issued", "secret_accepted"):
        array, offset, valid = getattr(state.credentials, change.what.removeprefix("secret_")), first[0], names
    elif change.what == "demand":
        array, offset, valid = state.demand, first[2], [journey.name for journey in system.journeys]
    elif change.what == "release":
        place = first[0] + _find(names, change)
        return lambda value: _release(layout, state, place, int(value)), float(
            state.release[layout.instance_component == place][0]
        )
    elif change.what == "flag":
        valid = [flag for component in system.components for flag in component.flags]
        _find(valid, change)
        owners = [key for key in state.flags if key[1] == change.target]
        return lambda value: state.flags.update(dict.fromkeys(owners, value > 0)), 1.0
    else:
        array, offset, valid = getattr(state, change.what), first[0], names
    place = offset + _find(valid, change)

    def apply(value: float) -> None:
        array[place] = value

    return apply, float(array[place])


def _find_path(state: State, system: System, change: Change, number: int) -> tuple[Callable[[float], None], float]:
    """What sets a link, named by its two zones as `zone-a zone-b`, or the border of a zone."""
    if change.what == "zone_loss":
        zone = _find(system.zones, change)

        def isolate(value: float) -> None:
            state.paths.isolated[number, zone] = value

        return isolate, 0.0
    array = state.paths.loss if change.what == "link_loss" else state.paths.latency
    ends = [(begin, end) for begin in range(len(system.zones)) for end in range(len(system.zones)) if begin != end]
    begin, end = ends[_find([f"{system.zones[near]} {system.zones[far]}" for near, far in ends], change)]

    def apply(value: float) -> None:
        array[number, begin, end] = array[number, end, begin] = value

    return apply, float(array[number, begin, end])


def _release(layout: Layout, state: State, component: int, release: int) -> None:
    """Roll a release out, if that was not begun yet."""
    if any(rollout.component == component and rollout.release == release for rollout in state.rollouts):
        return
    if all(state.release[layout.instance_component == component] == release):
        return
    roll(layout, state, component, release)
    state.note(component, "deploy", version=layout.components[component].releases[release].version)


def _find(valid: Sequence[str], change: Change) -> int:
    if change.target not in valid:
        raise InvalidSystemError(f"{change.what}: {change.target!r} is not in the system; there is {', '.join(valid)}.")
    return valid.index(change.target)
