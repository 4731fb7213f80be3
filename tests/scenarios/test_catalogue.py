"""The catalogue: splits that are never made whole, and generated incidents that are made once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from scenarios.catalogue import Catalogue, UnknownScenarioError
from scenarios.generator import draw
from scenarios.generator.salt import Salt
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.incident import Incident

SALT = Salt.of("a secret of some length")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the incidents that are made."""
    ids: list[str] = []
    really: Callable[..., Incident] = draw.generated

    def generated(seed: int, difficulty: int, *, incident_id: str, **more: Any) -> Incident:
        ids.append(incident_id)
        return really(seed, difficulty, incident_id=incident_id, **more)

    monkeypatch.setattr(draw, "generated", generated)
    return ids


def test_listing_and_naming_make_nothing(made: list[str]) -> None:
    catalogue = Catalogue(salt=SALT)
    assert {name: len(catalogue.split(name)) for name in catalogue.splits} == {
        "curated": 9,
        "train": 1_000_000,
        **dict.fromkeys(("validation", "test", "test-ood", "private"), 100_000),
    }
    train = catalogue.split("TRAIN", "root_cause_analysis", 4)
    assert (
        train[999_990:][-1]
        == train[999_999]
        == train[-1]
        == catalogue.entry_in("train", "root_cause_analysis", 999_999, 4)
    )
    assert (train[5].task, train[5].difficulty) == (TASKS["root_cause_analysis"], 4)
    assert catalogue.entry(train[5].id.lower()) == train[5]
    assert not catalogue.is_at_hand(train[5].id)
    assert catalogue.find_generated_entry("remediation_planning", 2**63 - 1).difficulty == 3
    assert made == []


@pytest.mark.parametrize("salt", [None, SALT])
def test_an_incident_is_made_once_for_all_its_tasks(made: list[str], salt: Salt | None) -> None:
    catalogue = Catalogue(salt=salt)
    scenarios = [catalogue.get_generated(task_id, 42, 2) for task_id in TASKS]
    assert len(made) == 1
    (incident,) = {id(scenario.incident) for scenario in scenarios}
    assert id(catalogue.get(scenarios[0].id.lower()).incident) == incident
    assert scenarios[0].incident.scenarios == {scenario.task.id: scenario.id for scenario in scenarios}
    assert scenarios[0].incident.id == made[0]
    assert catalogue.is_at_hand(scenarios[2].id)
    assert {scenario.difficulty for scenario in scenarios} == {2}


def test_threads_that_ask_at_once_get_the_same(made: list[str]) -> None:
    catalogue = Catalogue()
    catalogue.load()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(catalogue.get_generated, "root_cause_analysis", seed % 4) for seed in range(64)]
        incidents = {id(one.result().incident) for one in asked}
    assert len(incidents) == len(made) == 4


@pytest.mark.slow
def test_those_asked_for_long_ago_are_made_again(made: list[str]) -> None:
    catalogue = Catalogue()
    for seed in range(257):
        catalogue.get_generated("root_cause_analysis", seed, 1)
        catalogue.get_generated("remediation_planning", 0, 1)
    assert len(made) == 257
    digest = catalogue.get_generated("alert_classification", 1, 1).incident.digest
    assert len(made) == 258
    assert digest == Catalogue().get_generated("alert_classification", 1, 1).incident.digest


def test_with_a_salt_nothing_tells_seed_task_or_difficulty() -> None:
    salted, plain = Catalogue(salt=SALT), Catalogue()
    ids = {salted.find_generated_entry(task_id, 42).id for task_id in TASKS}
    assert len({one[4:12] for one in ids}) == 3
    for one in ids:
        assert one.startswith("GX1-")
        with pytest.raises(UnknownScenarioError, match="salt"):
            plain.get(one)
    with pytest.raises(UnknownScenarioError, match="Unknown scenario 'GEN1-RCA-D3-42'"):
        salted.get("GEN1-RCA-D3-42")
    assert salted.get_generated("root_cause_analysis", 42).incident.id.startswith("gx1-")


def test_the_private_split_is_there_with_a_salt_only_and_hangs_on_it() -> None:
    with pytest.raises(UnknownScenarioError, match="Splits: curated, train, validation, test, test-ood"):
        Catalogue().split("private")
    one, other = Catalogue(salt=SALT), Catalogue(salt=Salt.of("another secret of a length"))
    scenario = one.in_split("private", "root_cause_analysis", 0)
    assert one.get(scenario.id).incident.digest == scenario.incident.digest
    assert other.in_split("private", "root_cause_analysis", 0).incident.digest != scenario.incident.digest


@pytest.mark.parametrize("scenario_id", ["GEN3-RCA-D3-42", "gen0-ac-d1-1"])
def test_other_versions_are_refused_with_what_to_do(scenario_id: str) -> None:
    with pytest.raises(UnknownScenarioError, match=r"this release has 1 and 2.*cloud-incident generate"):
        Catalogue().get(scenario_id)
