"""The alert: what paged on-call, and what on-call is told beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenarios.generator.dice import mixed, unit
from scenarios.generator.impact import hits
from scenarios.generator.render.metrics import normal_of, value_of
from scenarios.generator.render.paths import flows_of
from scenarios.generator.simulate import RED, SLOW

if TYPE_CHECKING:
    from scenarios.generator.dice import Dice
    from scenarios.generator.library import JourneyClass
    from scenarios.generator.scene import Scene

AFFECTED = {1: 2, 2: 2, 3: 2, 4: 3, 5: 3}
"""Services that an alert names at most, by difficulty, those of a second alert aside."""
_TOLD = 2
"""Up to this difficulty on-call is told what users notice."""
_TOLD_FROM = 2.0
"""From this share of failed requests on, in per cent, an alert speaks of it."""
_BESIDE = ("low-urgency alert open", "grouped into this page by time", "owner has been notified")
"""What an alert says of a service that it names for no measured reason."""
_LABELS = ("critical", "warning", "high", "page", "info")
_SPOKEN: dict[JourneyClass, str] = {
    "core": "core",
    "major": "main functions",
    "minor": "can wait",
    "internal": "for staff only",
}


def draw_alert(scene: Scene, ill: list[int], difficulty: int, dice: Dice) -> dict[str, Any]:
    """The alert as JSON. `ill` are the nodes besides the paging one that suffer, the most visible first."""
    world = scene.world
    paged = world.nodes[scene.paged]
    named = [scene.paged, *ill[: AFFECTED[difficulty] - 1]]
    symptoms = [line for index in named for line in _symptoms(scene, index)]
    second = dice.pick(sorted(scene.background.anomalies)) if scene.background.anomalies else None
    if second is not None and dice.chance(0.15 * difficulty):
        named.append(second)
        since = scene.clock(-dice.whole(90, 900))
        symptoms.append(f"{world.nodes[second].name}: warning since {since}, not acknowledged")
    if dice.chance(1.0 / len(world.nodes)) and scene.fault.root not in named:
        root = world.nodes[scene.fault.root].name
        named.append(scene.fault.root)
        symptoms += [f"{root}: {text}" for text in _BESIDE]
    title = "".join(part.capitalize() for part in paged.name.split("-"))
    what, summary = _headline(scene)
    return {
        "name": f"{title}{what}",
        "severity": dice.pick(_LABELS),
        "fired_at": scene.moment(scene.fired),
        "summary": summary,
        "description": f"{summary}. {_held(scene)}. {paged.about}.",
        "symptoms": symptoms,
        "affected_services": [world.nodes[index].name for index in dict.fromkeys(named)],
        "labels": {"service": paged.name, "team": paged.team},
    }


def _headline(scene: Scene) -> tuple[str, str]:
    index = scene.paged
    node = scene.world.nodes[index]
    if scene.fault.family.spread == "alert":
        return "CheckFailing", f"checks of {node.name} fail intermittently"
    now = scene.fired
    errors, slower = scene.first.simulation.failing(index, now)
    lag = scene.first.simulation.lag(index, now)
    if node.kind == "queue":
        return "ConsumerLagGrowing", f"consumer groups on {node.name} are behind and the lag keeps growing"
    if node.kind == "worker" and lag > 60:
        return "MessageAgeHigh", f"oldest message waiting for {node.name} is {lag:.0f} s old"
    if errors >= RED:
        shown = value_of(scene, scene.first, index, "errors", now)
        return "ErrorRatioHigh", f"{shown:.0f} % of the requests to {node.name} fail"
    if slower < SLOW and (flows := flows_of(scene.first, index, now)):
        worst = max(flows.values(), key=lambda flow: flow.fail)
        what = f"{100 * worst.fail:.0f} % of its requests fail" if worst.fail >= RED else f"p99 {worst.p99:.0f} ms"
        return "RouteDegraded", f"{node.name}: one route is outside its objective, {what}"
    return "LatencyHigh", f"{node.name} takes {slower:.1f} times as long as usual (p99 {node.p99 * slower:.0f} ms)"


def _held(scene: Scene) -> str:
    """For how long the condition of the alert had held when it fired."""
    if scene.fault.family.spread == "alert":
        return "Condition met at least twice within the last hour"
    return "Condition held through the evaluation window"


def _symptoms(scene: Scene, index: int) -> list[str]:
    node, now = scene.world.nodes[index], scene.fired
    if scene.fault.family.spread == "alert":
        times = 2 + int(unit(scene.key, 41, index) * 5)
        return [f"{node.name}: alert changed state {times} times in the last hour"]
    errors, slower = scene.first.simulation.failing(index, now)
    found = []
    shown = value_of(scene, scene.first, index, "errors", now)
    if errors >= 0.02 and shown >= _TOLD_FROM:
        usual = normal_of(node, "errors")
        found.append(f"{node.name}: {shown:.0f} % errors, usually {usual:.1f} %")
    if slower >= 1.8:
        found.append(f"{node.name}: p99 {node.p99 * slower:.0f} ms, usually {node.p99:.0f} ms")
    lag = scene.first.simulation.lag(index, now)
    if node.kind == "worker" and lag > 60:
        found.append(f"{node.name}: oldest message {lag:.0f} s, usually 4 s")
    if node.kind == "queue":
        found.append(f"{node.name}: consumer lag grows")
    return found[: 1 + mixed(scene.key, 43, index) % 2] or [f"{node.name}: objective at risk"]


def summary_of(scene: Scene, difficulty: int) -> str:
    """What on-call is told. What users notice of the worst journey is told only where the difficulty is low."""
    world = scene.world
    classes: dict[str, list[str]] = {}
    for journey in world.journeys:
        classes.setdefault(_SPOKEN[journey.kind], []).append(journey.name)
    ranks = "; ".join(f"{said}: {', '.join(names)}" for said, names in classes.items())
    worst = max(hits(scene, scene.fault.now), key=lambda one: (one.failing, one.slower))
    noticed = (
        f"Reports say that {worst.journey.trouble}."
        if difficulty <= _TOLD and scene.fault.family.spread != "alert"
        else f"What {world.users} notice of it has not been established."
    )
    paged = world.nodes[scene.paged]
    return (
        f"You are on call for {world.business}. {paged.name} paged at {scene.clock(scene.fired)} UTC. {noticed} "
        f"Journeys here, by what they mean to the business: {ranks}."
    )
