"""To name what a run truly shows costs nothing in an incident that runs; to name another cause still does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from graders.root_cause import match_failure_mode
from scenarios.catalogue import Catalogue
from scenarios.generator.library import families
from scenarios.running import play_drawn
from scenarios.running.symptoms import list_symptoms
from scenarios.vocabulary import TASKS
from scenarios.world import Change, Run
from tests.scenarios.world.small import build

if TYPE_CHECKING:
    from scenarios.incident import Truth

_SAID = "each request takes a database connection and never gives it back, the pool runs empty after the new release"
_SYMPTOMS = "Others ran out of memory, were OOMKilled and restarted in a crash loop."
_OTHER = "A table lock blocked writers."


def _show(*changes: Change, **parameters: float) -> frozenset[str]:
    parts: list[dict[str, object]] = [
        {"name": "shop", "software": "go-service", "routes": [{"name": "order", "work": 0.02, "cpu": 0.01}]},
        {"name": "shop-db", "software": "postgres", "routes": [{"name": "orders", "work": 0.004}]},
        {"name": "bank", "software": "third-party", "routes": [{"name": "pay", "work": 0.05}]},
    ]
    parts[0]["parameters"] = parameters
    calls = [
        {"source": "shop/order", "target": end, "deadline": 1, "pool": 20} for end in ("shop-db/orders", "bank/pay")
    ]
    journeys = ({"name": "order", "entry": "shop/order", "demand": 30, "deadline": 5, "worth": 1.0},)
    run = Run(build(parts, calls, journeys=journeys, changes=changes))
    run.advance(1200)
    return list_symptoms(run, 1200)


@pytest.mark.parametrize(
    ("what", "target", "to", "shown"),
    [
        ("leak", "shop", 60.0, {"memory", "crash_loop"}),
        ("leak", "shop", 0.0, set()),
        ("shed", "bank", 0.5, {"rate_limit"}),
        ("shed", "shop-db", 0.5, {"connection_pool"}),
        ("shed", "shop", 0.5, set()),
        ("work", "shop-db", 400.0, {"connection_pool", "threads"}),
        ("denied", "shop/order bank/pay", 0.5, set()),
    ],
)
def test_symptoms_are_what_components_show(what: str, target: str, to: float, shown: set[str]) -> None:
    change = Change.model_validate({"at": 300, "what": what, "target": target, "to": to})
    found = _show(change, memory=1200.0, base_memory=400.0)
    assert shown <= found
    assert shown or not found


@pytest.fixture(scope="module")
def truth() -> Truth:
    """A pool that runs empty, in an incident that runs and that shows more than that."""
    words = families()["connection-pool-exhaustion"].words
    live = Catalogue().get("LIVE-RCA-001").incident.truth
    return replace(
        live,
        concepts=tuple(tuple(group) for group in words.concepts),
        families=frozenset(words.families),
        symptoms=frozenset({"memory", "crash_loop"}),
    )


def test_what_is_shown_costs_nothing(truth: Truth) -> None:
    assert match_failure_mode(_SAID, truth)[0] == 1
    assert match_failure_mode(f"{_SAID}. {_SYMPTOMS}", truth)[0] == 1
    blind = replace(truth, symptoms=frozenset())
    assert match_failure_mode(f"{_SAID}. {_SYMPTOMS}", blind)[0] < 1


def test_another_cause_costs_what_it_did(truth: Truth) -> None:
    assert match_failure_mode(f"{_SAID}. {_OTHER}", truth)[0] < 1
    assert match_failure_mode(_SYMPTOMS, truth)[0] == 0


@pytest.mark.slow
def test_written_incidents_have_none_and_those_that_run_have_theirs() -> None:
    catalogue = Catalogue()
    assert catalogue.get("RCA-001").incident.truth.symptoms == frozenset()
    assert "memory" in catalogue.get("LIVE-RCA-001").incident.truth.symptoms
    drawn = play_drawn(2, 1, "any", {task: f"any-{task}" for task in TASKS})
    until = drawn.first_look + 600
    assert drawn.truth.symptoms == list_symptoms(drawn.runs.get((), until), until)
