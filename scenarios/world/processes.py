"""Processes: they start, get warm, are restarted one by one, run out of memory, and are started again by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenarios.world.chance import draw_uniform, mix
from scenarios.world.standing import RUNNING, STARTING, STOPPED, find_standing
from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from scenarios.world.flows import Passed
    from scenarios.world.layout import Floats, Layout
    from scenarios.world.standing import Standing
    from scenarios.world.state import Rollout, State

STEADY_SECONDS = 600.0
"""How long a process has to run until it is started again by itself as often as at first. To start it by hand is no
remedy for what killed it, and does not count as one."""
_SWELL_SECONDS = 60.0
"""The time constant with which memory follows load."""
_JITTER = 0.3
"""By how much longer than it should a start takes at most, as a share."""
_COLD = 0.25
"""How fast a process is that has just started."""
_TIGHT = 0.85
"""The share of its memory from which on a process collects garbage all the time."""
_COLLECTING = 0.9
"""The most of its speed that this takes."""
_GIVE_UP_SECONDS = 300.0
"""How long a rollout waits for one instance before it goes on with the next."""

_ALL = np.array(1.0)


def step_processes(layout: Layout, state: State) -> None:
    """Bring processes one step further: those that start get ready, those that run get warm, rollouts go on."""
    standing = find_standing(layout, state.phase, state.release)
    if standing.starting:
        ready = (state.phase == STARTING) & (state.ready_at <= state.time)
        for instance in ready.nonzero()[0].tolist():
            become_ready(layout, state, instance)
        standing = find_standing(layout, state.phase, state.release)
    _warm_up(layout, state, standing)
    if state.starts_left.tobytes() != layout.instance["automatic_starts"].tobytes():
        steady = standing.running & (state.time - state.ready_at >= STEADY_SECONDS)
        state.starts_left = np.where(steady, layout.instance["automatic_starts"], state.starts_left)
    _leak(layout, state, standing)
    for rollout in list(state.rollouts):
        _roll_on(layout, state, rollout)


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What instances can do: `rates` are slots and, in a second row, processors; `places` are requests that may wait.

    All are 0 of one that does not run, and `rates` are less while it is cold.
    """

    rates: Floats
    places: Floats


def find_limits(layout: Layout, state: State, standing: Standing) -> Limits:
    """What instances can do now."""
    breath = _find_breath(layout, state)
    seen = standing, state.warmth.tobytes(), state.slots.tobytes(), state.cores.tobytes()
    if breath is None:
        return layout.memory.get(seen, _find_free_limits, layout, state, standing)
    return layout.memory.get((*seen, breath.tobytes()), _find_limits, layout, state, standing, breath)


def _find_free_limits(layout: Layout, state: State, standing: Standing) -> Limits:
    return _find_limits(layout, state, standing, np.array(1.0))


def _find_limits(layout: Layout, state: State, standing: Standing, breath: Floats) -> Limits:
    slots = layout.memory.get((standing, state.slots.tobytes()), _find_slots, layout, state, standing)
    speed = standing.open_ * (_COLD + (1.0 - _COLD) * state.warmth) * slots * breath
    processors = layout.instance["cores"] * speed * state.cores[layout.instance_component]
    return Limits(
        rates=np.array((layout.instance["slots"] * speed, processors)),
        places=layout.instance["queue"] * standing.open_,
    )


def _find_slots(layout: Layout, state: State, standing: Standing) -> Floats:
    """How many times as many slots each instance has as it was laid out with."""
    return np.asarray(state.slots[layout.instance_component] * layout.release_slots[standing.release])


def _find_breath(layout: Layout, state: State) -> Floats | None:
    """What collecting garbage leaves of the speed of an instance whose memory leaks: little, when it is nearly full.

    None if all of it is left to all of them.
    """
    limit = layout.memory.get((state.memory_limit.tobytes(),), _find_limit, layout, state)
    near = state.leaked > limit.room
    if not np.count_nonzero(near):
        return None
    places = near.nonzero()[0]
    full = (layout.instance["base_memory"][places] + state.leaked[places]) / np.maximum(limit.most[places], 1e-9)
    if not np.count_nonzero(full > _TIGHT):
        return None
    tight = np.minimum(1.0, np.maximum(0.0, (full - _TIGHT) / (1.0 - _TIGHT)))
    breath = np.ones(len(state.leaked))
    breath[places] = 1.0 - _COLLECTING * tight * layout.instance["collects"][places]
    return breath


def find_collecting(layout: Layout, state: State) -> Floats:
    """The processors of each component that collect garbage: what that takes of the speed of its instances."""
    components = len(layout.components)
    breath = _find_breath(layout, state)
    if breath is None:
        return np.zeros(components)
    own = layout.instance_component
    lost = (1.0 - breath) * (state.phase == RUNNING)
    return add_up(own, layout.instance["cores"] * state.cores[own] * lost, components)


def kill_for_memory(
    layout: Layout, state: State, standing: Standing, passed: Passed, held: Floats, connections: Floats
) -> Floats:
    """Find what memory each instance uses, and kill those that use more than they may.

    By component are the memory `held` for jobs and the `connections` before; those that are left are returned.
    """
    own = layout.instance_component
    rates = add_up(layout.route_component, passed.done * state.flows.holding, len(layout.components)) / state.step
    of_connections = connections * layout.component["connection_memory"]
    each = (rates * layout.component["request_memory"] + of_connections + held) / standing.some
    used = layout.instance["base_memory"] + state.leaked + each[own]
    limit = layout.memory.get((state.memory_limit.tobytes(),), _find_limit, layout, state).most
    state.memory = np.minimum(used + state.swell, limit) * standing.open_
    over = used > limit
    if not np.count_nonzero(over):
        return connections
    dying = (standing.running & over).nonzero()[0].tolist()
    if not dying:
        return connections
    for instance in dying:
        died = _find_statement(state, int(own[instance]))
        state.note(int(own[instance]), "oom", instance=instance, memory=round(float(limit[instance])), **died)
        die(layout, state, instance)
    return count_connections(layout, state)


class _Limit(NamedTuple):
    """MB that each instance may use at most, and `room` for what leaks until it may be tight."""

    most: Floats
    room: Floats


def _find_limit(layout: Layout, state: State) -> _Limit:
    most = layout.instance["memory"] * state.memory_limit[layout.instance_component]
    # A little less than the room there is: who is beyond is looked at exactly.
    return _Limit(most, np.maximum(0.0, (_TIGHT - 0.01) * most - layout.instance["base_memory"]))


def _find_statement(state: State, component: int) -> dict[str, str]:
    """What the session runs for which a store holds memory, as a detail of its death."""
    for job in state.jobs:
        if job.store == component and job.since is not None and job.held > 0.0 and job.job.statement:
            return {"statement": job.job.statement}
    return {}


def swell(layout: Layout, state: State, standing: Standing, passed: Passed, noise: Floats) -> None:
    """Let the memory of each instance go up and down with its load, and with a `noise` of its own that is about a half.

    Nobody is killed for that: it is what is given back when memory is short.
    """
    room = layout.memory.get((), _find_swing, layout)
    target = room * (noise + passed.load[layout.instance_component]) * standing.open_
    rate = np.array(state.step / _SWELL_SECONDS)
    state.swell = state.swell + (target - state.swell) * rate / (_ALL + rate)


def _find_swing(layout: Layout) -> Floats:
    """MB by which the memory of each instance goes up and down."""
    return np.asarray(layout.instance["base_memory"] * layout.instance["memory_swing"])


def count_connections(layout: Layout, state: State) -> Floats:
    """The connections that each component has open to callers."""
    standing = find_standing(layout, state.phase, state.release)
    return layout.memory.get((standing, state.usable.tobytes()), _count_connections, layout, state, standing)


def _count_connections(layout: Layout, state: State, standing: Standing) -> Floats:
    alive = layout.link_pool * state.usable * standing.open_links
    return add_up(layout.link_target, alive * layout.link_counts_connections, len(layout.components))


def stop(layout: Layout, state: State, instance: int) -> None:
    """Stop a process that was told to end."""
    if state.phase[instance] != STOPPED:
        state.note(int(layout.instance_component[instance]), "stop", instance=instance)
        state.unclean[instance] = state.phase[instance] == STARTING and state.unclean[instance]
    _end(layout, state, instance)


def start(layout: Layout, state: State, instance: int, *, crashed: bool = False, after: float = 0.0) -> None:
    """Start a process. After a crash that takes longer. One that was started by itself has one such start fewer."""
    component = int(layout.instance_component[instance])
    spec = layout.components[component]
    recovery = spec.kind.parameters["recovery_seconds"] if state.unclean[instance] else 0.0
    takes = (spec.get("start_seconds") + recovery) * (
        1.0 + (_JITTER * _draw(layout, state, instance, 0) if crashed else 0.0)
    )
    state.phase[instance] = STARTING
    state.ready_at[instance] = state.time + after + takes
    version = spec.releases[int(state.release[instance])].version
    state.note_ahead(after, component, "start", instance=instance, version=version, again=int(crashed))
    state.starts_left[instance] -= crashed
    if recovery:
        state.note_ahead(after, component, "recovery", instance=instance)


def become_ready(layout: Layout, state: State, instance: int) -> None:
    """A process takes requests: it is cold, and opens the connections of its pools as far as somebody accepts them."""
    component = int(layout.instance_component[instance])
    state.phase[instance] = RUNNING
    state.unclean[instance] = False
    state.warmth[instance] = 0.0
    state.leaked[instance] = state.kept[instance] = 0.0
    state.note(component, "ready", instance=instance)
    accepting = find_accepting(layout, state)
    for link in np.nonzero(layout.link_instance == instance)[0].tolist():
        call = int(layout.link_call[link])
        target = int(layout.route_component[layout.call_target[call]])
        accepted = bool(accepting[target]) and state.denied[call] < 1.0
        if layout.call_counts_connections[call]:
            state.usable[link] = 1.0 if accepted else 0.0
            state.unopened[link] = not accepted
            if not accepted:
                state.note(component, "pool_failed", instance=instance, target=layout.component_names[target])
    for job in state.jobs:
        if job.component == component:
            job.planned = state.flags[component, job.job.flag]
            job.since, job.next_at, job.held = None, state.time + (job.job.after_start or job.job.every), 0.0


def find_accepting(layout: Layout, state: State) -> Floats:
    """The instances of each component that take requests."""
    return find_standing(layout, state.phase, state.release).count


def _warm_up(layout: Layout, state: State, standing: Standing) -> None:
    seen = standing, state.warmth.tobytes(), state.step
    if layout.memory.is_at_rest("warmth", seen):
        return
    rate = state.step / layout.instance["warm_seconds"]
    state.warmth = np.where(standing.running, state.warmth + (1.0 - state.warmth) * rate / (1.0 + rate), state.warmth)
    if state.warmth.tobytes() == seen[1]:
        layout.memory.note_rest("warmth", seen)


def _leak(layout: Layout, state: State, standing: Standing) -> None:
    leaks = layout.memory.get((standing, state.leak.tobytes()), _find_leaks, layout, state, standing)
    if leaks is None:
        return
    breath = _find_breath(layout, state)
    # What is slow serves fewer requests, and loses less with them.
    lost = leaks if breath is None else leaks * breath
    state.leaked = state.leaked + lost * state.step


def _find_leaks(layout: Layout, state: State, standing: Standing) -> Floats | None:
    """MB that each running instance loses in a second when it is fast, None if none does."""
    leaks = (layout.release_leak[standing.release] + state.leak[layout.instance_component]) * standing.open_
    return leaks if np.any(leaks) else None


def die(layout: Layout, state: State, instance: int) -> None:
    """A process ends by itself, and is started again as long as its supervisor does that."""
    _end(layout, state, instance)
    state.unclean[instance] = True
    if state.starts_left[instance] > 0:
        start(layout, state, instance, crashed=True, after=_find_pause(layout, state, instance))
    else:
        state.note(int(layout.instance_component[instance]), "gave_up", instance=instance)


def _find_pause(layout: Layout, state: State, instance: int) -> float:
    """Seconds until a process that died is started again by itself: longer each time, if its supervisor does that."""
    spec = layout.components[int(layout.instance_component[instance])]
    pause, most = spec.get("restart_seconds"), spec.get("restart_most")
    for _ in range(int(spec.get("automatic_starts") - state.starts_left[instance])):
        pause = min(most, pause * spec.get("restart_factor"))
    # One that waits longer each time looks at it now and then; one that does not has a timer.
    late = _JITTER * _draw(layout, state, instance, 1) if spec.get("restart_factor") > 1.0 else 0.0
    return float(int(pause * (1.0 + late)))


def _draw(layout: Layout, state: State, instance: int, purpose: int) -> float:
    """A number in [0, 1) for an instance at this time."""
    at = mix(np.array([2 * int(state.time) + purpose], dtype=np.uint64))
    return float(draw_uniform(layout.instance_noise[instance : instance + 1] ^ at)[0])


def _end(layout: Layout, state: State, instance: int) -> None:
    """A process is gone: so are its memory, its pools, and the connections that others had to it."""
    component = layout.instance_component[instance]
    running = state.phase[layout.instance_component == component] == RUNNING
    # One that does not run has no connections that could be lost.
    share = (state.phase[instance] == RUNNING) / max(1, int(np.count_nonzero(running)))
    state.phase[instance] = STOPPED
    state.leaked[instance] = state.memory[instance] = 0.0
    hit = (layout.link_target == component) & layout.link_counts_connections
    state.usable = np.where(hit, state.usable * (1.0 - share), state.usable)


def _roll_on(layout: Layout, state: State, rollout: Rollout) -> None:
    current = rollout.current
    if current is not None and state.phase[current] != RUNNING and state.time - rollout.began < _GIVE_UP_SECONDS:
        return
    if not rollout.left:
        state.rollouts.remove(rollout)
        return
    instance = rollout.left.pop(0)
    rollout.current, rollout.began = instance, state.time
    stop(layout, state, instance)
    if rollout.release is not None:
        state.release[instance] = rollout.release
    start(layout, state, instance)
