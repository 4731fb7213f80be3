"""Incidents of generator 2: played by name, the same every time, and unproved unless they are listed."""

from __future__ import annotations

import pytest

from env_core.episode import Reference, begin
from env_core.perfect import play_perfectly
from env_core.transition import step
from scenarios.catalogue import Catalogue, UnknownScenarioError
from scenarios.generator.salt import Salt

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
    assert transition.info()["proved"] is False


def test_a_drawn_incident_is_the_same_wherever_it_is_made(catalogue: Catalogue) -> None:
    one, other = (each.get(f"GEN2-RCA-D1-{SEED}").incident for each in (catalogue, Catalogue()))
    assert one is not other
    assert one.digest == other.digest
    assert one.alert == other.alert
    root = one.truth.service
    assert one.begin().look("query_logs", root)[0].text == other.begin().look("query_logs", root)[0].text


def test_its_name_is_one_of_its_own(catalogue: Catalogue) -> None:
    assert catalogue.find_generated_entry("root_cause_analysis", SEED, 1, "2").id == f"GEN2-RCA-D1-{SEED}"
    assert catalogue.find_split(f"GEN2-RCA-D1-{SEED}") == "running"
    salted = Catalogue(salt=Salt.of("a secret of some length"))
    entry = salted.find_generated_entry("root_cause_analysis", SEED, 1, "2")
    assert entry.id.startswith("GX2-")
    assert salted.entry(entry.id) == entry


def test_what_is_not_proved_has_no_remediation(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownScenarioError, match="has no proof"):
        catalogue.get(f"GEN2-RP-D1-{SEED}")
