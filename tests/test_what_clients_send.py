"""What clients send: null, numbers and booleans as texts, JSON text, nesting; and slips, which cost nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.doors import DOORS
from tests.servers import full_server
from tests.slow import mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.doors import Door

LOOK = {"service": "postgres-db"}
SCALE = {"service": "postgres-db", "replicas": 3}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server() as address:
        yield address


@pytest.fixture(scope="module", params=mark_slow_after(len(DOORS) - 1, DOORS))
def door(request: pytest.FixtureRequest, address: str) -> Iterator[Door]:
    with DOORS[request.param](address) as door:
        yield door


SENT: list[tuple[str, str, dict[str, Any], Any]] = [
    ("RP-001", "query_logs", LOOK, json.dumps(LOOK)),
    ("RP-001", "query_logs", LOOK, {"parameters": LOOK}),
    ("RP-001", "query_logs", LOOK, {"arguments": json.dumps(LOOK)}),
    ("RP-001", "query_logs", LOOK, {"service": " POSTGRES-DB\n"}),
    ("RP-001", "scale_service", SCALE, {**SCALE, "replicas": "3"}),
    ("RP-001", "scale_service", SCALE, {**SCALE, "replicas": 3.0}),
    ("RP-001", "scale_service", SCALE, json.dumps({**SCALE, "replicas": "3"})),
    ("AC-001", "submit_severity", {"severity": "P2"}, {"severity": "P2", "service": None}),
    ("AC-001", "submit_severity", {"severity": "P2"}, {"severity": "P2", "service": ""}),
]


@pytest.mark.parametrize(("scenario_id", "name", "plain", "sent"), SENT)
def test_what_is_meant_is_read(door: Door, scenario_id: str, name: str, plain: dict[str, Any], sent: Any) -> None:
    door.start(scenario_id)
    expected = door.act(name, plain)
    assert not expected.refused
    assert expected.steps == 1
    door.start(scenario_id)
    assert door.act(name, sent) == expected


REFUSED: list[tuple[str, str, Any, tuple[str, ...]]] = [
    ("RP-001", "scale_service", {**SCALE, "replicas": "3.5"}, ("`replicas` must be a whole number", "`service`")),
    ("RP-001", "scale_service", {**SCALE, "replicas": "-1"}, ("`replicas` must be 1 to 1000000; -1 was given",)),
    ("RP-001", "scale_service", {**SCALE, "replicas": ""}, ("`replicas` must be a whole number",)),
    ("RP-001", "scale_service", {**SCALE, "replicas": None}, ("`replicas` is required",)),
    ("RP-001", "scale_service", {**SCALE, "replicas": True}, ("`replicas` must be a whole number",)),
    ("RP-001", "query_logs", {"service": None}, ("`service` is required; no step was taken. Parameters: `service`",)),
    ("RP-001", "query_logs", [LOOK, LOOK], ("JSON object", '{"service": "…"}')),
    ("RP-001", "query_logs", "postgres-db", ("JSON object", '{"service": "…"}')),
    ("RP-001", "query_logs", '{"service": "postgres-db"', ("JSON object", '{"service": "…"}')),
    ("RP-001", "query_logs", {"servce": "postgres-db"}, ("`servce` is not a parameter", "Did you mean service?")),
    # Slips
    (
        "RCA-001",
        "submit_root_cause",
        {"service": "postgres", "failure_mode": "out of memory"},
        ("There is no service 'postgres'.", "Did you mean postgres-db?", "Nothing was changed."),
    ),
    ("AC-001", "submit_severity", {"severity": "P1", "service": "db"}, ("There is no service 'db'.", "Nothing was")),
    ("RP-001", "submit_severity", {"severity": "P1"}, ("submit_resolution", "othing was ")),
    ("RCA-001", "submit_resolution", {"summary": "Done."}, ("submit_root_cause", "othing was ")),
    (
        "RP-001",
        "execute_runbook_step",
        {"runbook_action": "verify_db_helth"},
        ("There is no runbook step 'verify_db_helth'. Did you mean verify_db_health", "Nothing was changed."),
    ),
    ("RCA-001", "execute_runbook_step", {"runbook_action": "nope"}, ("There is no runbook step 'nope'.",)),
]


@pytest.mark.parametrize(("scenario_id", "name", "sent", "said"), REFUSED)
def test_what_is_refused_costs_nothing_and_says_what_to_send(
    door: Door, scenario_id: str, name: str, sent: Any, said: tuple[str, ...]
) -> None:
    door.start(scenario_id)
    told = door.act(name, sent)
    assert told.refused
    assert told.steps == 0
    for part in said:
        assert part in told.text


CHARGED: list[tuple[str, dict[str, Any], str]] = [
    ("query_logs", {"service": "postgres"}, "Did you mean postgres-db?"),
    ("restart_service", {"service": "postgres"}, "Did you mean postgres-db?"),
    ("disable_feature_flag", {"flag": "nope"}, "There is no feature flag 'nope'."),
]


@pytest.mark.parametrize(("name", "sent", "said"), CHARGED)
def test_what_the_reward_table_charges_is_a_step(door: Door, name: str, sent: dict[str, Any], said: str) -> None:
    door.start("RP-001")
    told = door.act(name, sent)
    assert told.steps == 1
    assert said in told.text
