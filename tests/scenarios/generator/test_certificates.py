"""Certificates: after them one explanation is left, and simulating any other shows something else."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from scenarios.generator.candidates import signs
from scenarios.generator.certificates import LARGEST, Detective
from scenarios.generator.dice import Dice
from scenarios.generator.draw import suffers
from scenarios.generator.incident import GeneratedIncident
from scenarios.generator.library import families
from scenarios.generator.place import place, places, setbacks_of, stages_of
from scenarios.incident import count_fewest_steps
from scenarios.progress import UNTOUCHED
from scenarios.vocabulary import TASKS, Dependencies, Logs
from tests.scenarios.generator.drawn import SAMPLE, drawn
from tests.slow import count_examples, mark_slow_after

if TYPE_CHECKING:
    from scenarios.generator.scene import Scene

sample = pytest.mark.parametrize(("seed", "difficulty"), SAMPLE)


@pytest.mark.slow
@sample
def test_exactly_one_explanation_is_left_and_no_item_is_idle(seed: int, difficulty: int) -> None:
    incident = drawn(seed, difficulty)
    detective = Detective(incident.scene)
    found = incident.certificates("root_cause_analysis")
    assert found
    for certificate in found:
        assert 2 <= len(certificate) <= LARGEST
        assert len({service for _, service in certificate}) >= 2
        assert detective.left(certificate) == detective.truth()
        for fewer in range(len(certificate)):
            for part in itertools.combinations(sorted(certificate), fewer):
                assert detective.left(part) != detective.truth()


@pytest.mark.slow
@sample
def test_certificates_are_affordable(seed: int, difficulty: int) -> None:
    incident = drawn(seed, difficulty)
    for task in ("root_cause_analysis", "remediation_planning"):
        assert count_fewest_steps(incident, TASKS[task]) <= TASKS[task].max_steps - 3


@sample
def test_what_a_certificate_rests_on_is_in_the_text(seed: int, difficulty: int) -> None:
    """The proof reasons over paths and signs; here they are read off the rendered evidence."""
    incident = drawn(seed, difficulty)
    detective = Detective(incident.scene)
    world = incident.scene.world
    for diagnostic, service in {item for one in incident.certificates("root_cause_analysis") for item in one}:
        shown = incident.evidence(diagnostic, service, UNTOUCHED)
        node = world.index[service]
        ill = {world.nodes[sight.callee].name for sight in detective.sights(node)}
        if isinstance(shown, Dependencies):
            assert {path.service for path in shown.calls if path.health not in {"healthy", "unknown"}} == ill
        if isinstance(shown, Logs):
            text = "\n".join(shown.lines)
            assert all(name in text for name in ill)
        if diagnostic in {"query_logs", "check_recent_deploys"}:
            for sign in detective.shown(diagnostic, node):
                pieces = [piece for piece in _plain_pieces(sign.partition(": ")[2] or sign) if len(piece) > 3]
                assert all(piece in shown.text for piece in pieces), sign


def _plain_pieces(template: str) -> list[str]:
    pieces, depth = [""], 0
    for character in template:
        if character == "{":
            depth += 1
            pieces.append("")
        elif character == "}":
            depth -= 1
        elif not depth:
            pieces[-1] += character
    return [piece.strip() for piece in pieces]


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "difficulty"), mark_slow_after(2, SAMPLE[: count_examples(8, least=5)]))
def test_simulating_another_cause_shows_something_else(seed: int, difficulty: int) -> None:
    """Every other candidate is simulated in the same world; no certificate looks then as it does now."""
    incident = drawn(seed, difficulty)
    scene = incident.scene
    certificates = incident.certificates("root_cause_analysis")[:4]
    truth = [_looks(incident, certificate) for certificate in certificates]
    simulated = 0
    for one in Detective(scene).every:
        if one.root == scene.fault.root and one.family is scene.fault.family:
            continue
        for other in _others(scene, one.root, one.family.family):
            simulated += 1
            alike = [
                certificate
                for certificate, look in zip(certificates, truth, strict=True)
                if _looks(other, certificate) == look
            ]
            assert not alike, (one.family.family, scene.world.nodes[one.root].name, alike)
    assert simulated > 20


def _others(scene: Scene, root: int, family: str) -> list[GeneratedIncident]:
    """The scene as it would be had another family struck another root, with everything beside it unchanged.

    Only where the alert would have fired as well.
    """
    family_alerts = families()[family].spread == "alert"
    found = []
    for severity in ("P1", "P2", "P3", "P4"):
        sites = [one for one in places(scene.world, families()[family], severity) if one[0] == root]
        for number, site in enumerate(sites[:2]):
            dice = Dice("other", root, family, severity, number)
            fault = place(scene.world, families()[family], site, severity, scene.fault.now, dice)
            stages = stages_of(scene.world, fault)
            setbacks = setbacks_of(scene.world, fault, stages)
            changed = replace(scene, fault=fault, stages=stages, setbacks=setbacks, _views={})
            if family_alerts or suffers(changed, changed.paged, changed.fault.now):
                found.append(_as_incident(changed))
    return found


def _as_incident(scene: Scene) -> GeneratedIncident:
    return GeneratedIncident(scene, incident_id="x", scenario_ids={}, digest="", severity="P1", alert={}, summary="")


def _looks(incident: GeneratedIncident, certificate: frozenset[tuple[str, str]]) -> list[object]:
    """What tells one cause from another in some evidence: unhealthy paths with their class, and signs."""
    detective = Detective(incident.scene)
    world = incident.scene.world
    looks: list[object] = []
    for diagnostic, service in sorted(certificate):
        node = world.index[service]
        readable = diagnostic in {"query_logs", "check_dependencies"}
        paths = sorted((sight.callee, sight.trouble) for sight in detective.sights(node)) if readable else []
        paged = node == incident.scene.paged and diagnostic == detective.wellness
        looks.append((paths, sorted(detective.shown(diagnostic, node)), paged and detective.well(node)))
    return looks


def test_signs_are_told_apart_by_diagnostic() -> None:
    incident = drawn(0, 1)
    family = incident.scene.fault.family
    kind = incident.scene.world.nodes[incident.scene.fault.root].kind
    assert signs(family, "root", "check_dependencies", kind) == frozenset()
    assert signs(family, "root", "query_logs", kind) == frozenset(family.root.logs)
