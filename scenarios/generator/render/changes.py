"""Deploys: the change history of a node, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.generator.dice import mixed
from scenarios.generator.texts import filled
from scenarios.vocabulary import Change, Deploys

if TYPE_CHECKING:
    from scenarios.generator.scene import Scene, View
    from scenarios.generator.world import Node
    from scenarios.vocabulary import ChangeKind

_DAY = 24 * 60
_SHOWN = 14 * _DAY
_RELEASES = frozenset({"deploy"})


def deploys(scene: Scene, view: View, index: int, end: int) -> Deploys:
    node = scene.world.nodes[index]
    history: list[Change] = []
    for at, step in reversed(view.course.done):
        if at > end or (scene.world.index.get(step.target) != index and step.action != "disable_feature_flag"):
            continue
        if step.action == "rollback_deploy":
            note = f"back to the state before the last change, at {scene.clock(at)}"
            history.append(_entry(scene, at, "rollback", _before(scene, index), "on-call", note))
        elif step.action == "disable_feature_flag" and index == scene.fault.root:
            history.append(_entry(scene, at, "flag", f"{step.target} = off", "on-call", "turned off by on-call"))
    setback = view.course.setback
    if setback is not None and setback.target == index and setback.step.startswith("rollback_deploy"):
        note = "back to the state before the last change"
        history.append(_entry(scene, view.course.set_back_at, "rollback", _before(scene, index), "on-call", note))
    released = 0
    names = names_of(scene, index)
    for number, change in enumerate(scene.background.changes.get(index, ())):
        if not -_SHOWN < change.minute <= end:
            continue
        note = filled(change.note, names, mixed(scene.key, index, 700 + number))
        if change.kind in _RELEASES:
            shown = version(node, released)
            released += 1
        elif change.kind == "flag":
            shown = (
                f"{scene.fault.flag} = on" if index == scene.fault.root and not number and scene.fault.flag else "flags"
            )
        else:
            shown = f"rev {mixed(scene.key, index, 800) % 700 + 90 - number}"
        history.append(_entry(scene, change.minute, change.kind, shown, node.team, note))
    return Deploys.model_construct(service=node.name, as_of=scene.moment(end), history=tuple(history))


def running(scene: Scene, view: View, index: int, end: int) -> str:
    """The version that a node runs: rolling back a configuration leaves it as it is."""
    course, name = view.course, scene.world.nodes[index].name
    rolled = any(step.action == "rollback_deploy" and step.target == name for at, step in course.done if at <= end)
    setback = course.setback
    rolled |= setback is not None and setback.step == f"rollback_deploy {name}"
    return version(scene.world.nodes[index], int(rolled and _latest_is_release(scene, index)))


def _latest_is_release(scene: Scene, index: int) -> bool:
    latest = next(iter(scene.background.changes.get(index, [])), None)
    return latest is None or latest.kind in _RELEASES


def _before(scene: Scene, index: int) -> str:
    """What a rollback of a node goes back to."""
    if not _latest_is_release(scene, index):
        return f"rev {mixed(scene.key, index, 800) % 700 + 89}"
    return version(scene.world.nodes[index], 1)


def version(node: Node, back: int) -> str:
    """The version a node runs, or one that it ran some releases back."""
    major, minor, patch = node.version
    return f"v{major}.{minor + 8 - back}.{patch if back == 0 else (patch * 7 + back) % 10}"


def names_of(scene: Scene, index: int) -> dict[str, object]:
    """What the placeholders of a node's texts stand for."""
    world, fault = scene.world, scene.fault
    node = world.nodes[index]
    began = _began(scene, index)
    focal = fault.shared if index == fault.root and fault.shared is not None else index
    return {
        "root": node.name,
        "focal": world.nodes[focal].name if focal != index else _store_of(scene, index),
        "flag": fault.flag or "a feature flag",
        "version": version(node, 0),
        "previous": version(node, 1),
        "onset": scene.clock(began),
        "before": scene.clock(began - 37),
        "replicas": node.replicas,
        "service": node.name,
        "lasting": mixed(scene.key, index, 0x1A57),
    }


def _began(scene: Scene, index: int) -> int:
    """The minute since which a node shows what it shows: signs that hurt nobody are older than the fault."""
    shadow = scene.background.shadows.get(index)
    if shadow is None:
        return 0
    change = shadow.root.change
    own = (one.minute for one in scene.background.changes.get(index, ()) if change and one.note == change.note)
    return next(own, -20 - mixed(scene.key, index, 0x0DD) % 580)


def _store_of(scene: Scene, index: int) -> str:
    stores = [scene.world.nodes[call.callee].name for call in scene.world.calls[index] if not call.platform]
    return stores[-1] if stores else scene.world.nodes[index].name


def _entry(scene: Scene, minute: int, kind: ChangeKind, shown: str, by: str, note: str) -> Change:
    return Change.model_construct(at=scene.moment(minute), kind=kind, version=shown, by=by, note=note)
