"""A small system on which every law can be broken, and runs of it that break one each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scenarios.laws import Subject
from scenarios.world import Run, System
from scenarios.world.operations import finish_tasks
from scenarios.world.standing import RUNNING, STARTING, STOPPED
from scenarios.world.state import Task

if TYPE_CHECKING:
    from collections.abc import Callable

BEGINS = 420.0
_STRUCK = 120.0

SYSTEM = System.model_validate(
    {
        "name": "shop",
        "zones": ["zone-a", "zone-b"],
        "resolver": "dns",
        "components": [
            {"name": "edge", "software": "envoy", "instances": 2, "routes": [{"name": "buy", "work": 0.001}]},
            {
                "name": "shop",
                "software": "jvm-service",
                "instances": 3,
                "routes": [{"name": "buy", "work": 0.01, "cpu": 0.002}],
                "releases": [{"version": "1.0.0"}, {"version": "1.1.0", "errors": 0.2}],
                "flags": ["feed"],
                "jobs": [
                    {"name": "report", "store": "db", "flag": "feed", "every": 120, "first": 30, "lasts": 60}
                    | {"memory_rate": 1.0}
                ],
            },
            {"name": "cache", "software": "redis", "routes": [{"name": "get", "work": 0.0005}]}
            | {"parameters": {"hit_ratio": 0.9}},
            {
                "name": "db",
                "software": "postgres",
                "spare": 1,
                "routes": [{"name": "rows", "work": 0.004, "writes": 0.5}],
                "parameters": {"disk": 50000, "disk_data": 9000, "disk_waste": 2000, "disk_rate": 0.1}
                | {"write_disk": 0.01},
            },
            {"name": "bus", "software": "kafka", "routes": [{"name": "orders", "work": 0.002}]},
            {"name": "worker", "software": "go-service", "instances": 2, "routes": [{"name": "ship", "work": 0.02}]},
            {"name": "dns", "software": "coredns", "routes": [{"name": "ask", "work": 0.0005}]},
        ],
        "calls": [
            {"source": "edge/buy", "target": "shop/buy", "deadline": 3, "attempts": 2, "pool": 400},
            {"source": "shop/buy", "target": "cache/get", "deadline": 0.5, "pool": 50, "optional": True},
            {"source": "shop/buy", "target": "db/rows", "deadline": 2, "pool": 20},
            {"source": "shop/buy", "target": "db/rows", "deadline": 2, "pool": 20, "on_miss": "cache"},
            {"source": "shop/buy", "target": "bus/orders", "deadline": 1, "pool": 20},
        ],
        "topics": [{"name": "orders", "route": "bus/orders", "partitions": 4}],
        "groups": [{"name": "shipping", "topic": "orders", "route": "worker/ship"}],
        "journeys": [{"name": "buy", "entry": "edge/buy", "demand": 40, "deadline": 3, "worth": 1}],
        "alerts": [{"name": "BuyingFails", "journeys": ["buy"], "above": 0.05, "lasts": 60}],
        "changes": [{"at": _STRUCK, "what": "errors", "target": "shop", "to": 0.4}],
        "seed": 3,
    }
)


def make_subject(kind: type[Run] = Run) -> Subject:
    """The small system with a kind of runs."""
    plan = (("fail_over", "db"), ("restart_service", "shop"), ("clear_cache", "cache"))
    return Subject("shop", SYSTEM, BEGINS, plan, kind=kind)


def tamper(with_: Callable[[Run], None]) -> type[Run]:
    """Runs in which something is done after each step that is no part of the system."""

    class Tampered(Run):
        def _pass_step(self) -> None:
            super()._pass_step()
            with_(self)

    return Tampered


def tamper_orders(with_: Callable[[Run, str, str], None]) -> type[Run]:
    """Runs in which something else is done when an operation is ordered."""

    class Disobedient(Run):
        def order(self, operation: str, target: str, system: int = 0, number: int | None = None) -> None:
            if system == 0 and number is None:
                with_(self, operation, target)

    return Disobedient


def _obey(run: Run, operation: str, target: str) -> None:
    Run.order(run, operation, target)


# Law 1.


def rewrite_record(run: Run) -> None:
    """What was counted a while ago is counted otherwise."""
    if len(run.record) > 30:
        run.record.ticks["good"][-20] = run.record.ticks["good"][-20] * 1.5


def tell_late(run: Run) -> None:
    """Something is said to have happened two minutes ago."""
    if run.time == BEGINS + 90.0:
        run.state.note_ahead(-120.0, 1, "restart")


# Law 2.


def swap_quantiles(run: Run) -> None:
    run.state.flows.latency = run.state.flows.latency[::-1].copy()


def hurry(run: Run) -> None:
    run.state.flows.latency = run.state.flows.latency * np.where(np.arange(len(run.layout.route_names)) == 0, 0.2, 1.0)


def dawdle(run: Run) -> None:
    run.state.flows.latency = run.state.flows.latency + np.array([[0.0], [0.0], [0.0], [0.0], [900.0]])


def bloat(run: Run) -> None:
    run.state.memory = run.state.memory + 40.0


def leak(run: Run) -> None:
    run.state.leaked = run.state.leaked + 1.0


def shrink_disks(run: Run) -> None:
    run.state.disks.data = run.state.disks.data - 1.0


def overfill(run: Run) -> None:
    run.state.flows.queue = run.layout.instance["queue"] + 1.0


def add_messages(run: Run) -> None:
    run.state.queues.waits = run.state.queues.waits + 1.0


def miscount(run: Run) -> None:
    if len(run.record):
        run.record.ticks["arrived"][-1] = run.record.ticks["arrived"][-1] * 1.001


def count_back(run: Run) -> None:
    if run.state.passed is not None:
        run.state.passed = replace(run.state.passed, sent=-run.state.passed.sent)


def lose_requests(run: Run) -> None:
    run.record.ledger = max(run.record.ledger, 0.5)


UNEXPLAINED = (
    *(swap_quantiles, hurry, dawdle, bloat, leak, shrink_disks, overfill, add_messages, miscount, count_back),
    lose_requests,
)

# Law 3.


def betray(run: Run) -> None:
    """The change log names the fault."""
    if run.time == BEGINS:
        run.state.note(1, "deploy", version="slow-path-fault")


def print_cause(run: Run) -> None:
    """One of two causes with one effect leaves an entry."""
    if run.time == 300.0 and any(change.to == 3.0 for change in run.layout.systems[0].changes):
        run.state.note(1, "restart")


# Law 4.


def ignore(run: Run, operation: str, target: str) -> None:
    """It is not its turn."""


def pretend(run: Run, operation: str, target: str) -> None:
    """The entry is left, and nothing is done."""
    if operation == "restart_service":
        run.state.note(run.layout.component_names.index(target), "restart")
    else:
        _obey(run, operation, target)


def rush(run: Run, operation: str, target: str) -> None:
    """It is done at once."""
    _obey(run, operation, target)
    run.state.tasks = [task._replace(due=run.time) for task in run.state.tasks]
    finish_tasks(run.layout, run.state)


# Law 5. What is lost in one step is there again after the next.


def _is_even(run: Run) -> bool:
    return run.time % 10.0 == 0.0


def start_at_once(run: Run) -> None:
    run.state.ready_at = np.where(run.state.phase == STARTING, run.time, run.state.ready_at)


def skip_starting(run: Run) -> None:
    run.state.phase = np.where(run.state.wanted, RUNNING, STOPPED).astype(np.int8)


def warm_at_once(run: Run) -> None:
    if _is_even(run):
        run.state.warmth = np.ones_like(run.state.warmth)


def reconnect_at_once(run: Run) -> None:
    if _is_even(run):
        run.state.usable = np.ones_like(run.state.usable)


def fill_at_once(run: Run) -> None:
    if _is_even(run):
        run.state.caches.finds = run.state.caches.best.copy()


def resolve_at_once(run: Run) -> None:
    if _is_even(run):
        run.state.addresses.held = run.state.addresses.moves[run.state.addresses.callee]


def roll_at_once(run: Run) -> None:
    for rollout in run.state.rollouts:
        rollout.current = None


SUDDEN = (start_at_once, skip_starting, warm_at_once, reconnect_at_once, fill_at_once, resolve_at_once, roll_at_once)

# Law 6.


def shorten(run: Run, operation: str, target: str) -> None:
    """It is done in half its time."""
    _obey(run, operation, target)
    halved = [Task(run.time + (task.due - run.time) / 2.0, task.operation, task.place) for task in run.state.tasks]
    run.state.tasks = halved


# Law 7 and what belongs to it.


class Crowded(Run):
    """Runs that go otherwise when others are played beside them."""

    def _pass_step(self) -> None:
        super()._pass_step()
        if len(self.layout.systems) > 1:
            self.state.flows.holding = self.state.flows.holding * 1.001


def never_heal(run: Run) -> None:
    """What was struck once stays struck."""
    if run.state.before:
        run.state.slots[:] = 0.0001


def follow_the_step(run: Run) -> None:
    """With smaller steps nothing fails."""
    if run.state.step < 5.0:
        run.state.errors[:] = 0.0
