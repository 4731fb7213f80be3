"""Status: a node as its orchestrator and its owner describe it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from scenarios.generator.dice import mixed, unit
from scenarios.generator.library import families, kinds
from scenarios.generator.place import LAST_CHECKS
from scenarios.generator.render.changes import names_of, running
from scenarios.generator.texts import filled
from scenarios.vocabulary import Status

if TYPE_CHECKING:
    from scenarios.generator.family import Kind
    from scenarios.generator.scene import Scene, View


def status(scene: Scene, view: View, index: int, end: int) -> Status:
    world, fault, course = scene.world, scene.fault, view.course
    node = world.nodes[index]
    family = fault.family
    strained = course.level(index, end) > 0.02 and course.strength(index, end) > 0.02
    ill = index == fault.root and strained
    names = names_of(scene, index)
    key = mixed(scene.key, index, 31)
    shadow = scene.background.shadows.get(index)
    shown = family.root if ill else shadow.root if shadow else None
    names["mild"] = not ill
    crashing = strained and family.trouble == "crash" and index in fault.strained
    missing = max(1, round(node.replicas * 0.4)) if crashing else family.root.missing if ill else 0
    restarted = _restarted(scene, view, index, end)
    restarts, times = "0 in 24 h", _deaths(scene, index, key)
    if times and end > 0:
        restarts = f"{times} in 24 h"
        if crashing or ill:
            restarted = max(restarted or 0, end - 2 - int(unit(key, 7) * 9))
    notes = [filled(note, names, mixed(key, number)) for number, note in enumerate(shown.notes)] if shown else []
    notes += [f"serves: {journey.name}" for journey in world.journeys if journey.entry == index]
    notes += [
        f"runbook {step.target} completed at {scene.clock(at)}"
        for at, step in course.done
        if at <= end and step.action == "execute_runbook_step" and index == fault.root
    ]
    flags = dict(scene.background.flags.get(index, ()))
    for at, step in course.done:
        if step.action == "disable_feature_flag" and step.target in flags and at <= end:
            flags[step.target] = "off"
    added = _added(scene, view, index, end)
    idle = _scaled_in_vain(view, index, end)
    replicas = node.replicas + added + idle
    missing += idle if crashing else 0
    return Status.model_construct(
        service=node.name,
        as_of=scene.moment(end),
        team=node.team,
        about=node.about,
        state=filled(shown.state, names, key) if shown and shown.state and ill else "running",
        replicas=f"{replicas - missing}/{replicas}",
        version=running(scene, view, index, end),
        uptime=_span(end - restarted if restarted is not None else node.uptime_hours * 60 + end),
        restarts=restarts,
        flags=tuple(flags.items()),
        runbooks=runbooks_of(node.kind),
        notes=tuple(notes),
    )


def _deaths(scene: Scene, index: int, key: int) -> int:
    """How often the instances of a node have died of the fault by now."""
    fault = scene.fault
    if fault.family.trouble == "crash" and index in fault.strained:
        return 3 + int(unit(key, 5) * 9)
    if index == fault.root and fault.family.root.restarts is not None:
        low, high = fault.family.root.restarts
        return int(low + unit(key, 6) * (high - low))
    return 0


def _restarted(scene: Scene, view: View, index: int, end: int) -> int | None:
    """The minute of the last restart of a node that somebody made, or its change of version."""
    name = scene.world.nodes[index].name
    times = [
        at
        for at, step in view.course.done
        if step.target == name and step.action in {"restart_service", "rollback_deploy"} and at <= end
    ]
    setback = view.course.setback
    if setback is not None and setback.target == index and setback.step.startswith(("restart", "rollback")):
        times.append(view.course.set_back_at)
    changes = scene.background.changes.get(index, ())
    deploys = [one.minute for one in changes if (one.kind == "deploy" or one.restarts) and one.minute <= end]
    times += [minute for minute in deploys if minute > -node_minutes(scene, index)]
    return max(times, default=None)


def node_minutes(scene: Scene, index: int) -> int:
    """How many minutes before the onset a node had been started."""
    return scene.world.nodes[index].uptime_hours * 60


def _added(scene: Scene, view: View, index: int, end: int) -> int:
    name = scene.world.nodes[index].name
    return sum(
        (step.replicas[0] - scene.world.nodes[index].replicas if step.replicas else 0)
        for at, step in view.course.done
        if step.action == "scale_service" and step.target == name and at <= end
    )


def _scaled_in_vain(view: View, index: int, end: int) -> int:
    """The instances that a tempting move has added to a node."""
    course = view.course
    setback = course.setback
    if setback is None or setback.target != index or not setback.step.startswith("scale") or course.set_back_at > end:
        return 0
    return max(1, course.world.nodes[index].replicas // 2)


def _span(minutes: int) -> str:
    if minutes < 60:
        return f"{max(minutes, 0)} min"
    return f"{minutes // 60} h" if minutes < 72 * 60 else f"{minutes // 1440} d"


@cache
def runbooks_of(kind: Kind) -> tuple[str, ...]:
    """The catalogue steps that the owner of a kind of node lists: those that mend anything that strikes there."""
    found = {*kinds()[kind].checks, *LAST_CHECKS}
    for family in families().values():
        if kind in (*family.strikes.kinds, *family.strikes.through):
            for stage in family.plan:
                for step in stage.do:
                    action, target = step.split()[:2]
                    if action == "execute_runbook_step":
                        found.add(target)
    return tuple(sorted(found))
