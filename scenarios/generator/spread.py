"""The spread: how the trouble went from the root to the services that the alert names, call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.generator.mechanisms import CALM
from scenarios.generator.render.paths import LATE, handed_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scenarios.generator.scene import Scene

Pair = tuple[int, int]
"""A node in trouble, and one that suffers from it."""


def spread(scene: Scene, targets: Iterable[int]) -> tuple[Pair, ...]:
    """The pairs on all ways from the root to some nodes when on-call looks, from the root outwards.

    A false alarm has none, and no way leads to a node that suffers from nothing.
    """
    if scene.fault.family.spread == "alert":
        return ()
    pairs = sorted({*_struck(scene), *_met(scene), *_piled_up(scene)})
    hurting = set(_reached(targets, [(to, one) for one, to in pairs]))
    hurt = _reached([scene.fault.root], pairs)
    return tuple((one, to) for one in hurt for start, to in pairs if start == one and to in hurting)


def _struck(scene: Scene) -> Iterator[Pair]:
    """From the root to what it overloads, or to those that hold what it handed out."""
    fault = scene.fault
    for index in fault.focal:
        if index != fault.root and scene.first.course.strain(index, fault.now) is not CALM:
            yield fault.root, index


def _met(scene: Scene) -> Iterator[Pair]:
    """From services to those whose calls to them are unhealthy.

    The root got its trouble from nobody, though it may call what it overloads. What a holder blames is well: its call
    fails because of what the holder has from the root. And who suffers otherwise hardly suffers from failing calls that
    have a fallback.
    """
    fault, world = scene.fault, scene.world
    struck = {index for _, index in _struck(scene)}
    for index, found in scene.first.simulation.minute(fault.now).items():
        if index == fault.root:
            continue
        ill = [callee for callee in found.flows if fault.blames.get(index) != callee]
        hard = {call.callee for call in world.requests_of[index] if call.hard}.intersection(ill)
        yield from ((callee, index) for callee in (hard if hard or index in struck else ill))


def _piled_up(scene: Scene) -> Iterator[Pair]:
    """From workers that are behind to the brokers that keep their messages."""
    fault, simulation = scene.fault, scene.first.simulation
    for broker in scene.world.of_kinds(("queue",)):
        if simulation.at(broker, fault.now) is None:  # a broker that is unwell itself holds its workers up
            late = (worker for worker in handed_to(scene, broker) if simulation.lag(worker, fault.now) >= LATE)
            yield from ((worker, broker) for worker in late)


def _reached(start: Iterable[int], pairs: list[Pair]) -> list[int]:
    """Some nodes and all that pairs lead to from them, the nearest first."""
    found = dict.fromkeys(start)
    waiting = list(found)
    for at in waiting:
        more = [to for one, to in pairs if one == at and to not in found]
        found |= dict.fromkeys(more)
        waiting += more
    return waiting
