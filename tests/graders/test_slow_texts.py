"""Texts made to be slow to grade: none takes more than a bounded number of calls, and all earn what they earned."""

from __future__ import annotations

import cProfile
import json
from typing import TYPE_CHECKING

import pytest

from benchmarks.slow_texts import play
from graders import read_lists
from graders.root_cause import match_failure_mode
from scenarios.catalogue import Catalogue
from tests.graders.telling import EARNED, play_episodes, record_earned, tell

if TYPE_CHECKING:
    from env_core.episode import Episode

MOST_CALLS = 150_000
"""40,000 calls take some 5 ms. Such texts took 1,000,000 when places were found anew for each verb."""

SERVICES = "users-service, payment-service, order-service, config-service"

HOSTILE = {
    "a verb": "revert " * 570,
    "a verb and a target": "revert config-service " * 180,
    "verbs before a target": ("revert " * 58 + "config-service. ") * 9,
    "targets before a verb": f"{SERVICES} was reverted ok fine " * 40,
    "sentences": "a. " * 1333,
    "a list": "a," * 1990 + " and b",
    "compatibility forms": "\U0001f101" * 4000,
    "near parts of terms": "pod get " * 500,
    "denied terms": "retries enable no " * 220,
    "denials": "no missing without not unable to fails to " * 95,
    "denials of steps": "warm_caches cordon_unhealthy_nodes not ruled out " * 80,
    "runbook steps": "rebalance_consumer_groups. á. " * 2 + "warm_caches cordon_unhealthy_nodes " * 100,
    "joined words": ";hold connectionwithout-invalid" * 60 + "ran out. missing. !. " * 60,
    "pronouns": "it was them both was it reverted " * 120,
    "quotation marks": "\"a b\" 'c d' `e f` " * 220,
    "underscores": "a_b " * 1000,
    "own ideas denied": "credential rotation no expired password not valid without " * 68,
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["RP-003", "GEN1-RP-D5-7", "GEN1-RCA-D5-7"])
def test_no_text_takes_many_calls_to_grade(catalogue: Catalogue, name: str) -> None:
    """The calls are counted, and not the time, so that this says the same on every machine."""
    read_lists()
    episode = play(catalogue.get(name))
    match_failure_mode("Nothing failed.", episode.incident.truth)
    counted = {what: _count_calls(episode, text) for what, text in HOSTILE.items()}
    assert {what: calls for what, calls in counted.items() if calls > MOST_CALLS} == {}


def _count_calls(episode: Episode, text: str) -> int:
    profile = cProfile.Profile()
    profile.runcall(tell, episode, text)
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.slow
def test_what_texts_earn_stays(catalogue: Catalogue) -> None:
    """`scripts/golden` writes the file anew after a deliberate change of what texts earn."""
    earned = json.loads(EARNED.read_text("utf-8"))
    found = {episode.reference.scenario_id: record_earned(episode) for episode in play_episodes(catalogue)}
    assert found == earned
