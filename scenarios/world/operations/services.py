"""Operations on a service as a whole: restart, roll back, scale, fail over, empty its cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.operations.operation import Operation
from scenarios.world.processes import start, stop
from scenarios.world.standing import RUNNING
from scenarios.world.state import Rollout

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State


def roll(layout: Layout, state: State, component: int, release: int | None) -> None:
    """Restart the instances of a component one by one; those that do not run come first."""
    state.rollouts = [rollout for rollout in state.rollouts if rollout.component != component]
    own = layout.instance_component == component
    instances = np.nonzero(own & state.wanted)[0].tolist()
    instances.sort(key=lambda instance: (state.phase[instance] == RUNNING, instance))
    if release is not None:
        state.release[own & ~state.wanted] = release
    state.rollouts.append(Rollout(component, instances, release))


def add_instances(layout: Layout, state: State, component: int, count: int) -> list[int]:
    """Start up to so many spares of a component, in zones that take new instances. Returns those."""
    paths = state.paths
    closed = state.cordoned[paths.component_system[component], paths.instance_zone]
    free = (layout.instance_component == component) & ~state.wanted & ~closed
    chosen: list[int] = np.nonzero(free)[0].tolist()[: max(0, count)]
    for instance in chosen:
        state.wanted[instance] = True
        start(layout, state, instance)
    return chosen


def remove_instance(layout: Layout, state: State, instance: int) -> None:
    """Stop an instance for good: it is a spare from now on, and no rollout starts it again."""
    stop(layout, state, instance)
    state.note(int(layout.instance_component[instance]), "removed", instance=instance)
    state.wanted[instance] = False
    for rollout in state.rollouts:
        if instance in rollout.left:
            rollout.left.remove(instance)
        if rollout.current == instance:
            rollout.current = None


def _restart_service(layout: Layout, state: State, component: int) -> None:
    if not np.any(state.wanted[layout.instance_component == component]):
        state.note(component, "restart_refused")
        return
    roll(layout, state, component, None)
    state.note(component, "restart")


def _rollback_deploy(layout: Layout, state: State, component: int) -> None:
    newest = int(np.max(state.release[layout.instance_component == component]))
    if newest == 0:
        state.note(component, "rollback_refused", version=layout.components[component].releases[0].version)
        return
    roll(layout, state, component, newest - 1)
    state.note(component, "rollback", version=layout.components[component].releases[newest - 1].version)


def _scale_service(layout: Layout, state: State, component: int) -> None:
    """Half as many instances again, at least one, as far as there is room."""
    before = int(np.count_nonzero(state.wanted[layout.instance_component == component]))
    added = add_instances(layout, state, component, (before + 1) // 2 if before else 1)
    what = "scale_service" if added else "scale_service_refused"
    state.note(component, what, before=before, after=before + len(added), most=layout.components[component].most)


def _set_instances(layout: Layout, state: State, component: int, wanted: int) -> None:
    """As many instances as are wanted, if there is room for them; the last ones are stopped first."""
    own = layout.instance_component == component
    there: list[int] = np.nonzero(own & state.wanted)[0].tolist()
    before = len(there)
    closed = state.cordoned[state.paths.component_system[component], state.paths.instance_zone]
    room = before + int(np.count_nonzero(own & ~state.wanted & ~closed))
    if wanted > room:
        state.note(component, "scale_service_refused", before=before, after=before, most=room)
        return
    for instance in there[wanted:]:
        remove_instance(layout, state, instance)
    add_instances(layout, state, component, wanted - before)
    what = "scale_service_unchanged" if wanted == before else "scale_service"
    state.note(component, what, before=before, after=wanted, most=room)


def _fail_over(layout: Layout, state: State, component: int) -> None:
    """A standby takes the place of an instance: of one that does not run, or else of the first."""
    own = np.nonzero((layout.instance_component == component) & state.wanted)[0].tolist()
    own.sort(key=lambda instance: (state.phase[instance] == RUNNING, instance))
    standbys = (
        [] if layout.components[component].kind.kernel == "server" else add_instances(layout, state, component, 1)
    )
    if not standbys:
        state.note(component, "fail_over_refused")
        return
    state.addresses.move(component)
    if own:
        remove_instance(layout, state, own[0])
    state.note(component, "fail_over", instance=standbys[0])


def _clear_cache(layout: Layout, state: State, component: int) -> None:
    runs = (layout.instance_component == component) & (state.phase == RUNNING)
    held = bool(np.any(state.caches.finds[runs] > 0.0))
    state.caches.clear(layout, component)
    state.note(component, "clear_cache" if held else "clear_cache_empty")


def _warm_cache(layout: Layout, state: State, component: int) -> None:
    warmed = state.caches.warm(layout, component, (state.phase == RUNNING) * 1.0)
    state.note(component, {True: "warm_cache", False: "warm_cache_unchanged", None: "warm_cache_refused"}[warmed])


OPERATIONS = (
    Operation(
        "restart_service",
        "service",
        _restart_service,
        "Restart one instance after the other.",
        rolls=True,
        disruptive=True,
    ),
    Operation("rollback_deploy", "service", _rollback_deploy, "Go back by one release.", rolls=True, disruptive=True),
    Operation(
        "scale_service",
        "service",
        _scale_service,
        "Set the number of instances.",
        seconds=20,
        set_to=_set_instances,
    ),
    Operation(
        "fail_over",
        "service",
        _fail_over,
        "Promote a standby in the place of an instance, of one that does not run if there is one.",
        seconds=20,
        disruptive=True,
    ),
    Operation(
        "warm_cache", "service", _warm_cache, "Fill a cache from a copy with what is asked for most.", seconds=90
    ),
    Operation("clear_cache", "service", _clear_cache, "Delete all entries.", seconds=5, disruptive=True),
)
