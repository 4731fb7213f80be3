"""Proofs by running: what is felt, what mends it, and what is rejected."""

from __future__ import annotations

import pytest

from scenarios.faults import Fault, strike
from scenarios.proofs import Proof, Rejection, prove
from scenarios.proofs.operating import list_deeds
from scenarios.proofs.repairs import LASTINGS, accept_repairs, order_stages, play_lanes, search_repairs
from scenarios.proofs.severity import list_worths, rate_severity
from scenarios.vocabulary import ROOT_CAUSE_ANALYSIS
from scenarios.world import Run, System, load_system

AT = 600


@pytest.fixture(scope="module")
def background() -> System:
    """The system of the export, without what befalls it."""
    system = load_system("analytics-export")
    idle = tuple(part.model_copy(update={"jobs": (), "flags": ()}) for part in system.components)
    return system.model_copy(update={"components": idle, "changes": ()})


def play_pair(background: System, fault: Fault, at: int) -> Run:
    pair = Run(strike(background, fault), background)
    pair.advance(at)
    return pair


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "component", "repair"),
    [
        ("migration-lock", "order-service", {("pause_job", "table-rewrite"), ("cancel_sessions", "postgres-db")}),
        (
            "stale-secret-push",
            "order-service",
            {("publish_secret", "order-service"), ("restart_service", "api-gateway")},
        ),
    ],
)
def test_what_an_engineer_would_do_is_found(
    background: System, family: str, component: str, repair: set[tuple[str, str]]
) -> None:
    fault = Fault(family=family, component=component, at=AT)
    pair = play_pair(background, fault, AT + 480)
    found = search_repairs(pair, list_deeds(pair.pick([0]), pair.pick([1])))
    lanes = found.judged[LASTINGS[0]]
    accepted = accept_repairs([lanes[deeds] for deeds in found.mending], lanes[()])
    assert not lanes[()].well
    assert repair in [set(lane.deeds) for lane in accepted]
    assert accepted[0].harm < lanes[()].harm
    stages = order_stages(accepted, found.mending)
    assert [deed for stage in stages for deed in stage] == sorted(
        accepted[0].deeds, key=[deed for stage in stages for deed in stage].index
    )
    again = play_lanes(pair, found.mending, LASTINGS[0])
    assert {deeds: round(lane.harm, 9) for deeds, lane in again.items()} == {
        deeds: round(lanes[deeds].harm, 9) for deeds in again
    }


@pytest.mark.parametrize("at", [601, 603])
def test_a_fault_that_nobody_feels_is_rejected_whenever_it_strikes(background: System, at: int) -> None:
    quiet = prove(background, Fault(family="bad-release", component="search-service", at=at), 1)
    assert isinstance(quiet, Rejection)
    assert quiet.reason == "not_felt"


@pytest.mark.slow
def test_a_draw_is_proved_or_rejected_for_a_reason(background: System, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Fault(family="bad-release", component="order-service", at=AT)
    proof = prove(background, fault, 1)
    assert isinstance(proof, Proof)
    fewest = len(proof.certificates[0]) + 1
    assert fewest <= proof.searcher
    # The same draw is too long as soon as the tasks have a step less than it needs.
    monkeypatch.setattr("scenarios.proofs.proving.SPARE_STEPS", ROOT_CAUSE_ANALYSIS.max_steps - fewest + 1)
    long = prove(background, fault, 1)
    assert isinstance(long, Rejection)
    assert long.reason == "too_long"
    assert long.figures == {"fewest": fewest, "limit": ROOT_CAUSE_ANALYSIS.max_steps}
    assert proof.severity == "P1"
    assert proof.repairs == ((("rollback_deploy", "order-service"),),)
    assert len(proof.model_dump_json()) < 20_000
    assert Proof.model_validate_json(proof.model_dump_json()) == proof
    quiet = prove(background, Fault(family="bad-release", component="search-service", at=AT), 1)
    assert isinstance(quiet, Rejection)
    assert quiet.reason == "not_felt"  # nobody watches the search


def test_severity_follows_from_what_fails_of_what_it_is_worth(background: System) -> None:
    assert list_worths(background.journeys) == "Core: sign-in, checkout; another main function: browse, search."
    fault = Fault(family="bad-release", component="search-service", strength=2, at=60)
    runs = Run(strike(background, fault)), Run(background)
    for run in runs:
        run.advance(600)
    assert [rate_severity(run, 240) for run in runs] == ["P2", "P4"]
