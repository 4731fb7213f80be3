"""The spread: every pair is borne out by what the evidence shows, and all of it leads from the root to the alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scenarios.generator.draw import suffers
from scenarios.progress import UNTOUCHED
from scenarios.vocabulary import Dependencies
from tests.scenarios.generator.drawn import SAMPLE, drawn

if TYPE_CHECKING:
    from scenarios.generator.incident import GeneratedIncident
    from scenarios.incident import Incident


@pytest.fixture(scope="module")
def suffering() -> list[GeneratedIncident]:
    """The incidents of the sample in which something suffers."""
    return [incident for incident in (drawn(*case) for case in SAMPLE) if incident.truth.spread]


def unwell(incident: Incident, service: str) -> set[str]:
    """The services that one shows unhealthy calls to."""
    shown = incident.evidence("check_dependencies", service, UNTOUCHED)
    assert isinstance(shown, Dependencies)
    return {path.service for path in shown.calls if path.health != "healthy"}


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "difficulty"), SAMPLE)
def test_only_false_alarms_have_none(seed: int, difficulty: int) -> None:
    incident = drawn(seed, difficulty)
    assert bool(incident.truth.spread) == (incident.scene.fault.family.spread != "alert")


def test_it_leads_from_the_root_to_all_that_suffer_of_the_alert(suffering: list[GeneratedIncident]) -> None:
    for incident in suffering:
        scene, spread = incident.scene, incident.truth.spread
        reached = {incident.truth.service}
        for service, victim in spread:
            assert service in reached, "it is told from the root outwards"
            assert victim != incident.truth.service
            reached.add(victim)
        assert len(set(spread)) == len(spread)
        named = {scene.world.index[service] for service in incident.alert["affected_services"]}
        ill = {scene.world.nodes[index].name for index in named if suffers(scene, index, scene.fault.now)}
        assert scene.world.nodes[scene.paged].name in ill
        assert ill <= reached
        assert {service for service, _ in spread} | set(incident.alert["affected_services"]) >= reached


def test_each_pair_is_to_be_seen(suffering: list[GeneratedIncident]) -> None:
    """Who suffers is struck by the root, or shows unhealthy paths to whom it suffers from."""
    for incident in suffering:
        world, fault = incident.scene.world, incident.scene.fault
        struck = {world.nodes[index].name for index in fault.focal}
        for service, victim in incident.truth.spread:
            of_root = service == incident.truth.service and victim in struck
            assert of_root or service in unwell(incident, victim), (service, victim)


def test_nobody_suffers_from_what_it_only_blames(suffering: list[GeneratedIncident]) -> None:
    for incident in suffering:
        nodes = incident.scene.world.nodes
        blamed = {(nodes[callee].name, nodes[holder].name) for holder, callee in incident.scene.fault.blames.items()}
        assert not blamed & set(incident.truth.spread)
