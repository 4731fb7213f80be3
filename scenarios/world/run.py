"""A run: a system that is played, step by step, and what it has written down."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.chance import draw_noise
from scenarios.world.changes import place_changes
from scenarios.world.flows import STEP, Conditions, add_rows, add_up, step_flows
from scenarios.world.forking import fork
from scenarios.world.jobs import step_jobs
from scenarios.world.layout import lay_out
from scenarios.world.operations import Order, order
from scenarios.world.pools import step_pools
from scenarios.world.processes import get_speed, kill_for_memory, step_processes
from scenarios.world.record import TICK, Record
from scenarios.world.state import RUNNING, State

if TYPE_CHECKING:
    from typing import Self

    from scenarios.world.layout import Floats, Layout
    from scenarios.world.system import System

ARRIVALS_NOISE = 0.03
WORK_NOISE = 0.02
"""Standard deviations of what arrives and of own work from tick to tick, as shares. Nothing else has noise."""


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
        self._settings = place_changes(self.layout)

    @property
    def time(self) -> float:
        """Seconds since the start."""
        return self.state.time

    def fork(self) -> Self:
        """Another run that has the same past. What happens to one from now on does not happen to the other."""
        forked = copy(self)
        forked.state, forked.record = fork(self.state), self.record.fork()
        return forked

    def advance(self, seconds: float) -> None:
        """Let time pass, in whole steps."""
        for _ in range(round(seconds / self.state.step)):
            self._pass_step()

    def order(self, operation: str, target: str) -> None:
        """Carry out an operation now; its effects come with time.

        Raises:
            OperationError: if the operation or its target does not exist; nothing is done.
        """
        order(self.layout, self.state, Order(operation, target))

    def _pass_step(self) -> None:
        layout, state = self.layout, self.state
        for setting in self._settings:
            setting.step(state)
        step_processes(layout, state)
        held, slow = step_jobs(layout, state)
        pools, broken, turned_away, connections = step_pools(layout, state)
        passed = step_flows(layout, state.flows, self._find_conditions(pools, broken, turned_away, slow), state.step)
        connections = kill_for_memory(layout, state, passed, held, connections)
        state.time += state.step
        self.record.add(layout, state, passed, connections)

    def _find_conditions(self, pools: Floats, broken: Floats, turned_away: Floats, slow: Floats) -> Conditions:
        layout, state = self.layout, self.state
        components = len(layout.components)
        work, errors = _average_releases(layout, state)
        work = work * state.work * slow
        demand = layout.journey_demand * state.demand
        if self._noise:
            of_work, of_arrivals = self._find_noise(int(state.time / TICK))
            work = work * of_work
            demand = demand * of_arrivals
        return Conditions(
            speed=get_speed(layout, state),
            open_=(state.phase == RUNNING) * 1.0,
            work=work,
            errors=np.minimum(1.0, errors + state.errors[:components]),
            pools=pools,
            broken=broken,
            turned_away=turned_away,
            loss=state.loss,
            denied=state.denied,
            offered=add_up(layout.journey_entry, demand * state.step, len(layout.route_work)),
        )

    def _find_noise(self, tick: int) -> tuple[Floats, Floats]:
        """Factors of work and of arrivals in a tick, hashed once for all its steps."""
        known, factors = self._factors
        if known != tick or factors is None:
            of_work = 1.0 + WORK_NOISE * draw_noise(self.layout.component_noise, tick)
            of_arrivals = 1.0 + ARRIVALS_NOISE * draw_noise(self.layout.journey_noise, tick)
            factors = of_work, of_arrivals
            self._factors = tick, factors
        return factors


def _average_releases(layout: Layout, state: State) -> tuple[Floats, Floats]:
    """Work and errors of each component, on average over the releases that its running instances have."""
    components = len(layout.components)
    own = layout.instance_component_rows
    places = layout.instance_release + state.release
    running = (state.phase == RUNNING) * 1.0
    rows = (running, running * layout.release_work[places], running * layout.release_errors[places])
    count, work, errors = add_rows(own, rows, components)
    some = np.maximum(count, 1.0)
    return np.where(count > 0, work / some, 1.0), errors / some
