"""The account of a drawn incident tells what its fault did, and apart from it what was wrong or changed beside it."""

from __future__ import annotations

import re

import pytest

from scenarios.catalogue import Catalogue
from scenarios.drawing import draw
from scenarios.running.incident import RunningIncident
from scenarios.running.listed import list_proofs
from scenarios.telemetry import look
from scenarios.world import Run
from tests.slow import mark_slow_after

THIRD = sorted(key for key in list_proofs() if key[1] == 3)
KEYS = THIRD[:: len(THIRD) // 8]
_ENTRY = re.compile(r"(\w+) (\S.*?) at (\d\d:\d\d)")
_CALL = re.compile(r"of what (\S+) asks (\S+) fails")


def find_incident(seed: int, difficulty: int) -> RunningIncident:
    incident = Catalogue().get(f"GEN2-RCA-D{difficulty}-{seed}").incident
    assert isinstance(incident, RunningIncident)
    return incident


def count_failing(run: Run, caller: str, callee: str, since: float, until: int) -> float:
    """The largest share of the calls between two components that fails in a tick."""
    layout, most = run.layout, 0.0
    sent, failed = (run.record.get(name, int(since / 15), int(until / 15)) for name in ("sent", "failed"))
    for place, call in enumerate(layout.systems[0].calls):
        if (call.source.partition("/")[0], call.target.partition("/")[0]) == (caller, callee):
            shares = failed[:, :, place].sum(axis=1) / sent[:, place].clip(1e-9)
            most = max(most, float(shares.max()))
    return most


@pytest.mark.parametrize(("seed", "difficulty"), mark_slow_after(2, KEYS))
def test_the_chain_holds_what_is_worse_than_without_the_fault(seed: int, difficulty: int) -> None:
    incident, drawn = find_incident(seed, difficulty), draw(seed, difficulty)
    until = incident.first_look
    without = Run(drawn.background)
    without.advance(until)
    with_fault = incident.runs.get((), until)
    chain = incident.account.chain
    assert len(chain) >= 3
    for caller, callee in _CALL.findall("\n".join(chain)):
        least = count_failing(with_fault, caller, callee, drawn.fault.at, until)
        assert least > count_failing(without, caller, callee, drawn.fault.at, until)


def test_the_troubles_of_others_stand_beside_the_chain() -> None:
    told = {key: find_incident(*key).account for key in KEYS[:2]}
    for key, account in told.items():
        drawn = draw(*key)
        assert {aside.service for aside in account.beside} <= {each.component for each in drawn.look_alikes}
        assert account.beside
        assert drawn.fault.component not in {aside.service for aside in (*account.beside, *account.changes)}
        assert all("Users did not feel it" in aside.text for aside in account.beside)


def test_what_was_changed_and_did_no_harm_is_what_the_change_logs_say() -> None:
    incident = find_incident(*KEYS[0])
    run = incident.runs.get((), incident.first_look)
    assert incident.account.changes
    for aside in incident.account.changes:
        log = look(run, "check_recent_deploys", aside.service, as_of=incident.first_look).text
        for kind, version, at in _ENTRY.findall(aside.text):
            assert re.search(rf"T{at}Z +{kind} +{re.escape(version)}", log)


def test_an_account_is_made_only_when_it_is_asked_for() -> None:
    incident = find_incident(*KEYS[1])
    assert incident.truth.service
    assert not incident.accounted
    assert incident.account.chain
    assert incident.accounted
