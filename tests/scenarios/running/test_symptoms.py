"""To name what a run truly shows costs nothing in an incident that runs; to name another cause still does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from graders.root_cause import match_failure_mode
from scenarios.catalogue import Catalogue

if TYPE_CHECKING:
    from scenarios.incident import Truth

_SEED = 1
_SAID = "each request takes a database connection and never gives it back, the pool runs empty after the new release"
_SYMPTOMS = "Others ran out of memory, were OOMKilled and restarted in a crash loop, and their CPU was saturated."
_OTHER = "A table lock blocked writers."


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Catalogue().get(f"GEN2-RCA-D4-{_SEED}").incident.truth


def test_what_is_shown_costs_nothing(truth: Truth) -> None:
    assert {"memory", "crash_loop", "cpu"} <= truth.symptoms - truth.families
    alone = match_failure_mode(_SAID, truth)[0]
    assert alone == 1
    assert match_failure_mode(f"{_SAID}. {_SYMPTOMS}", truth)[0] == 1
    blind = replace(truth, symptoms=frozenset())
    assert match_failure_mode(f"{_SAID}. {_SYMPTOMS}", blind)[0] < 1


def test_another_cause_costs_what_it_did(truth: Truth) -> None:
    assert "locks" not in truth.symptoms
    assert match_failure_mode(f"{_SAID}. {_OTHER}", truth)[0] < 1
    assert match_failure_mode(_SYMPTOMS, truth)[0] == 0


def test_written_incidents_have_none() -> None:
    catalogue = Catalogue()
    assert catalogue.get("RCA-001").incident.truth.symptoms == frozenset()
    live = catalogue.get("LIVE-RCA-001").incident.truth
    assert "memory" in live.symptoms
    assert "credentials" not in live.symptoms
