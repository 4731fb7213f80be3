"""Admission: the proofs that a draw must pass before it is served."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from scenarios.generator.dice import unit
from scenarios.generator.library import kinds
from scenarios.generator.naive import deviation
from scenarios.generator.render.metrics import normal_of, value_of
from scenarios.generator.render.paths import handed_to
from scenarios.generator.simulate import RED, SLOW
from scenarios.incident import count_fewest_steps
from scenarios.progress import UNTOUCHED
from scenarios.vocabulary import ROOT_CAUSE_ANALYSIS, TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scenarios.generator.incident import GeneratedIncident

SPARE_STEPS = 3
GUESSED = "guessed by"
"""How a finding begins that the cause shows without any work."""
_SHOWN = 0.5
_NAMELESS = ("query_logs", "check_recent_deploys", "check_service_status")


def findings(incident: GeneratedIncident) -> list[str]:
    """Why an incident is not fit to serve; empty if it is. Stops at the first."""
    for check in (_untold, _visible, _unguessable, _identifiable, _secret):
        found = list(check(incident))
        if found:
            return found
    return []


def _visible(incident: GeneratedIncident) -> Iterator[str]:
    """The fault moves something, and its signs are there when on-call looks."""
    scene = incident.scene
    fault = scene.fault
    level = scene.first.course.level(fault.root, fault.now)
    if level < _SHOWN:
        yield f"the signs are at {level:.2f} of their strength"
    if fault.root in scene.background.silent:
        yield "the logs of the root are lost"
    if fault.family.spread != "alert" and not any(
        found.flows or found.errors >= RED or found.slower >= SLOW or found.lost >= RED
        for index, found in scene.first.simulation.minute(fault.now).items()
        if index != fault.root or fault.family.trouble == "late"
    ):
        yield "nobody suffers"


def _identifiable(incident: GeneratedIncident) -> Iterator[str]:
    """There are certificates, and the tasks can be done with steps to spare."""
    if not incident.certificates(ROOT_CAUSE_ANALYSIS.id):
        yield "no certificate"
        return
    for task in (task for task in TASKS.values() if task.asks_evidence):
        fewest = count_fewest_steps(incident, task)
        if fewest > task.max_steps - SPARE_STEPS:
            yield f"{task.id} needs {fewest} steps"


def _secret(incident: GeneratedIncident) -> Iterator[str]:
    """No victim names a root that it does not call, and neither do alert and summary."""
    scene = incident.scene
    world, fault = scene.world, scene.fault
    root = world.nodes[fault.root].name
    named = re.compile(rf"(?<![\w-]){re.escape(root)}(?![\w-])")
    if named.search(incident.summary):
        yield "the summary names the root"

    for index in scene.first.simulation.minute(fault.now):
        if index == fault.root or any(call.callee == fault.root for call in world.calls[index]):
            continue
        for diagnostic in _NAMELESS:
            if named.search(incident.evidence(diagnostic, world.nodes[index].name, UNTOUCHED).text):
                yield f"{diagnostic} of {world.nodes[index].name} names the root"


def _untold(incident: GeneratedIncident) -> Iterator[str]:
    """Alert and summary do not say what failed."""
    told = f"{incident.summary} {incident.alert['summary']} {incident.alert['description']}"
    concepts = incident.scene.fault.family.words.concepts
    if sum(_said(told, group) for group in concepts) > len(concepts) / 3:
        yield f"{GUESSED} reading the alert"


def _said(text: str, concept: tuple[str, ...]) -> bool:
    """Whether any term of a concept stands in a text, denied or not."""
    plain = text.replace("-", " ").replace("_", " ").casefold()
    return any(all(_term(part).search(plain) for part in term.split(" + ")) for term in concept)


@lru_cache(maxsize=8192)
def _term(term: str) -> re.Pattern[str]:
    words = (re.escape(word).replace(r"\*", r"\w*") for word in term.split())
    return re.compile(rf"\b{r'[ ]+'.join(words)}\b")


def _unguessable(incident: GeneratedIncident) -> Iterator[str]:
    """What a naive rule finds is drawn again, save for so many that the rule is right as often as chance.

    Always drawing again would be a tell of its own: never the loudest.
    """
    scene = incident.scene
    chance = 1 / len(scene.world.nodes)
    for number, (name, finds_root, kept) in enumerate(_TELLS):
        if unit(scene.key, 0x7E11, number) >= kept * chance and finds_root(incident):
            yield f"{GUESSED} {name}"
            return


def _most_deviant(incident: GeneratedIncident) -> bool:
    """Whether `largest_deviation` names the root, from the nodes at which anything deviates."""
    scene = incident.scene
    nodes, root, end = scene.world.nodes, scene.fault.root, scene.fault.now

    def rank(index: int) -> tuple[float, str]:
        node = nodes[index]
        moved = max(
            deviation(value_of(scene, scene.first, index, dim, end), normal_of(node, dim))
            for dim in kinds()[node.kind].metrics
        )
        return -moved, node.name

    own = rank(root)
    return all(own <= rank(index) for index in {*scene.touched, *scene.background.shadows, *scene.background.anomalies})


def _most_named(incident: GeneratedIncident) -> bool:
    """Whether `most_named` names the root, but for what is said in passing: from call paths and the logs of those who
    suffer.

    The logs of its callers are counted first. Mostly another node is in more call paths than that, and no other logs
    need be rendered.
    """
    scene = incident.scene
    world, root = scene.world, scene.fault.root
    suffering = scene.first.simulation.minute(scene.fault.now)
    counts = [len(world.calls[node.index]) + len(world.callers[node.index]) for node in world.nodes]

    def said(caller: int, callee: int) -> int:
        return incident.evidence("query_logs", world.nodes[caller].name, UNTOUCHED).text.count(world.nodes[callee].name)

    def most() -> bool:
        return min(world.nodes, key=lambda node: (-counts[node.index], node.name)).index == root

    counts[root] += sum(said(call.caller, root) for call in world.callers[root] if call.caller in suffering)
    if not most():
        return False
    for index in suffering:
        for call in world.calls[index]:
            if call.callee != root:
                counts[call.callee] += said(index, call.callee)
    return most()


def _furthest_leaf(incident: GeneratedIncident) -> bool:
    """Whether `furthest_leaf` names the root: of the nodes without calls the one most calls below the paging one."""
    scene = incident.scene
    world, root = scene.world, scene.fault.root
    away = {scene.paged: 0}
    waiting = [scene.paged]
    for index in waiting:
        for callee in [*(call.callee for call in world.calls[index]), *handed_to(scene, index)]:
            if callee not in away:
                away[callee] = away[index] + 1
                waiting.append(callee)
    leaves = [index for index in away if not world.calls[index]]
    return min(leaves or away, key=lambda index: (-away[index], world.nodes[index].name)) == root


_TELLS: tuple[tuple[str, Callable[[GeneratedIncident], bool], float], ...] = (
    ("the furthest leaf", _furthest_leaf, 20.0),
    ("the largest deviation", _most_deviant, 3.0),
    ("the name that is said most", _most_named, 2.0),
)
"""Rules that would find the root too often, and how many times chance, of the draws they solve, is kept.

The factors are measured: with them each rule's share of hits comes out near one in as many services as there are.
"""
