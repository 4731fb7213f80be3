"""Incidents of generator 2: played by name, the same every time, and unproved unless they are listed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from env_core.episode import begin
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from env_core.transition import step
from graders.root_cause import match_failure_mode
from scenarios.catalogue import Catalogue, UnknownScenarioError
from scenarios.faults import FAMILIES
from scenarios.generator.library import families
from scenarios.generator.salt import Salt
from scenarios.telemetry import look
from scenarios.world import Change, Run, load_system

SEED = 2


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.mark.parametrize("code", ["AC", "RCA"])
def test_perfect_play_of_a_drawn_incident_scores_everything(catalogue: Catalogue, code: str) -> None:
    scenario = catalogue.get(f"GEN2-{code}-D1-{SEED}")
    episode = begin("e", Reference.to(scenario), scenario)
    for action in play_perfectly(scenario.incident, scenario.task):
        transition = step(episode, action)
        episode = transition.episode
    assert transition.info()["grade"]["score"] == 1.0
    assert transition.info()["proved"] is transition.info()["grade"]["proved"] is False


def test_a_drawn_incident_is_the_same_wherever_it_is_made(catalogue: Catalogue) -> None:
    one, other = (each.get(f"GEN2-RCA-D1-{SEED}").incident for each in (catalogue, Catalogue()))
    assert one is not other
    assert one.digest == other.digest
    assert one.alert == other.alert
    root = one.truth.service
    assert one.begin().look("query_logs", root)[0].text == other.begin().look("query_logs", root)[0].text


def test_a_change_is_in_the_log_of_the_component_that_has_the_name_of_a_journey() -> None:
    system = load_system("analytics-export")
    journey = system.journeys[0].model_copy(update={"name": "payment-service"})
    change = Change(at=60, what="shed", target="payment-service", to=0.0, by="payments", note="Thresholds tuned.")
    run = Run(
        system.model_copy(update={"journeys": (journey, *system.journeys[1:]), "changes": (change,), "alerts": ()})
    )
    run.advance(600)
    assert "Thresholds tuned." in look(run, "check_recent_deploys", "payment-service").text
    assert "Thresholds tuned." not in look(run, "check_recent_deploys", "api-gateway").text


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.answer])
def test_what_is_said_of_a_family_is_an_answer(catalogue: Catalogue, family: str) -> None:
    words = families()[family].words
    truth = replace(
        catalogue.get(f"GEN2-RCA-D1-{SEED}").incident.truth,
        concepts=tuple(tuple(group) for group in words.concepts),
        families=frozenset(words.families),
        alike=(),
        fault=family,
    )
    assert match_failure_mode(FAMILIES[family].answer, truth)[0] == 1


def test_its_name_is_one_of_its_own(catalogue: Catalogue) -> None:
    assert catalogue.find_generated_entry("root_cause_analysis", SEED, 1, "2").id == f"GEN2-RCA-D1-{SEED}"
    assert catalogue.find_split(f"GEN2-RCA-D1-{SEED}") == "running"
    salted = Catalogue(salt=Salt.of("a secret of some length"))
    entry = salted.find_generated_entry("root_cause_analysis", SEED, 1, "2")
    assert entry.id.startswith("GX2-")
    assert salted.entry(entry.id) == entry


def test_the_summary_stands_first_and_names_no_verification_of_another_shop(catalogue: Catalogue) -> None:
    incident = catalogue.get(f"GEN2-RCA-D1-{SEED}").incident
    said, steps = incident.summary.split("\n\n")
    assert said.startswith("A page has come in. Core: ")
    assert "none: watch;" in steps
    assert "raise_memory" in steps
    assert len(steps) < 700
    assert "verify_" not in incident.summary
    assert not any(step.verify for step in incident.begin().runbook.values())


def test_what_is_not_proved_has_no_remediation(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownScenarioError, match="has no proof"):
        catalogue.get(f"GEN2-RP-D1-{SEED}")
