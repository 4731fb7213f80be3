"""Dependencies: what a node calls and how that goes, and what calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.generator.library import troubles
from scenarios.generator.texts import filled
from scenarios.vocabulary import CallPath, Dependencies

if TYPE_CHECKING:
    from scenarios.generator.scene import Scene, View
    from scenarios.generator.simulate import Flow
    from scenarios.generator.world import Call
    from scenarios.vocabulary import Health

_DOWN = 0.9
_FAILING = 0.4


def dependencies(scene: Scene, view: View, index: int, end: int) -> Dependencies:
    world = scene.world
    paths = []
    seen = flows_of(view, index, end)
    for call in world.calls[index]:
        callee = world.nodes[call.callee]
        flow = seen.get(call.callee)
        if index in scene.background.dark and not call.platform:
            paths.append(_path(callee.name, "unknown", "calls are not traced"))
        elif flow is None:
            found = view.simulation.at(call.callee, end)
            usual = f"{_rate(scene, view, call, end)}, p99 {_figure(found.p99 if found else callee.p99)} ms"
            paths.append(_path(callee.name, "healthy", "" if call.platform else usual))
        else:
            lag = f"{view.simulation.lag(index, end):.0f}"
            paths.append(_path(callee.name, health(flow), _detail(flow, lag, scene.key ^ index)))
    for worker in handed_to(scene, index):
        age = view.simulation.lag(worker, end)
        late = age > LATE
        detail = f"consumer group, oldest message {age:.0f} s" if late else "consumer group, keeping up"
        paths.append(_path(world.nodes[worker].name, "degraded" if late else "healthy", detail))
    callers = [
        _path(world.nodes[call.caller].name, "unknown", _rate(scene, view, call, end))
        for call in world.callers[index]
        if world.nodes[call.caller].kind != "worker" or world.nodes[index].kind != "queue"
    ]
    return Dependencies.model_construct(
        service=world.nodes[index].name,
        as_of=scene.moment(end),
        calls=tuple(sorted(paths, key=lambda path: path.service)),
        called_by=tuple(sorted(callers, key=lambda path: path.service)),
    )


LATE = 120.0
"""From this many seconds on, a consumer group is behind."""


def handed_to(scene: Scene, index: int) -> list[int]:
    """The workers that a broker hands messages to."""
    world = scene.world
    if world.nodes[index].kind != "queue":
        return []
    return [call.caller for call in world.callers[index] if world.nodes[call.caller].kind == "worker"]


def flows_of(view: View, index: int, end: int) -> dict[int, Flow]:
    """The unhealthy call paths of a node."""
    found = view.simulation.at(index, end)
    return found.flows if found is not None else {}


def health(flow: Flow) -> Health:
    """A call path in one word."""
    if flow.fail >= _DOWN:
        return "down"
    return "failing" if flow.fail >= _FAILING else "degraded"


def _detail(flow: Flow, lag: str, key: int) -> str:
    names = {"share": f"{100 * flow.fail:.0f}", "p99": f"{flow.p99:.0f}", "lag": lag}
    return filled(troubles()[flow.trouble].path, names, key)


def _rate(scene: Scene, view: View, call: Call, end: int) -> str:
    if call.platform:
        return ""
    rate = call.weight * scene.world.nodes[call.caller].rate * view.simulation.arriving(call, end)
    return f"{_figure(rate)} req/s"


def _figure(value: float) -> str:
    """Three figures, and every one of a large number."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _path(service: str, word: Health, detail: str) -> CallPath:
    return CallPath.model_construct(service=service, health=word, detail=detail)
