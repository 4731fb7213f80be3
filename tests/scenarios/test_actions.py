"""Parsing: what is normalised, what is refused, and what a refusal says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scenarios.parsing import InvalidActionError, parse_action
from scenarios.vocabulary import ACTIONS, FAILURE_MODE_LIMIT, NAME_LIMIT, SUMMARY_LIMIT, Kind


def test_fourteen_actions_of_three_kinds() -> None:
    kinds = [spec.kind for spec in ACTIONS.values()]
    assert (kinds.count(Kind.DIAGNOSTIC), kinds.count(Kind.REMEDIATION), kinds.count(Kind.SUBMISSION)) == (5, 6, 3)


@pytest.mark.parametrize(
    ("action_type", "parameters", "normalised"),
    [
        ("query_logs", {"service": "  API-Gateway\n"}, {"service": "api-gateway"}),
        ("disable_feature_flag", {"flag": " Full_History "}, {"flag": "full_history"}),
        ("execute_runbook_step", {"runbook_action": "VERIFY_DB_HEALTH"}, {"runbook_action": "verify_db_health"}),
        ("submit_severity", {"severity": " p2 "}, {"severity": "P2"}),
        ("submit_severity", {"severity": "P2", "service": "A"}, {"severity": "P2", "service": "a"}),
        ("scale_service", {"service": "a", "replicas": 3}, {"service": "a", "replicas": 3}),
        ("scale_service", {"service": "a", "replicas": 3.0}, {"service": "a", "replicas": 3}),
        ("scale_service", {"service": "a", "replicas": "3"}, {"service": "a", "replicas": 3}),
        ("scale_service", '{"service": "a", "replicas": "3"}', {"service": "a", "replicas": 3}),
        ("scale_service", {"parameters": {"service": "a", "replicas": 3}}, {"service": "a", "replicas": 3}),
        ("submit_severity", {"severity": "P2", "service": None}, {"severity": "P2"}),
        ("submit_resolution", {"summary": " One.\nTwo. "}, {"summary": "One.\nTwo."}),
    ],
)
def test_names_are_normalised_once(action_type: str, parameters: Any, normalised: dict[str, Any]) -> None:
    assert parse_action(action_type, parameters).dump() == {"action_type": action_type, "parameters": normalised}


@pytest.mark.parametrize(
    ("action_type", "parameters", "said"),
    [
        ("reboot", {}, "Valid actions: query_logs"),
        (None, {}, "Unknown action_type None"),
        (
            "query_logs",
            None,
            'must be a JSON object, and null was given; no step was taken. Send {"service": "…"}. Parameters',
        ),
        ("query_logs", {}, "`service` is required"),
        ("query_logs", {"service": "   "}, "`service` must not be empty"),
        ("query_logs", {"service": "a" * (NAME_LIMIT + 1)}, "at most 64 characters"),
        ("query_logs", {"service": "a\x00b"}, "control characters"),
        ("query_logs", {"service": "a\nb"}, "control characters"),
        ("query_logs", {"service": 7}, "`service` must be text"),
        ("query_logs", {"service": "\ud800"}, "`service` must be text in Unicode"),
        ("query_logs", {"service": "a", "verbose": True}, "`verbose` is not a parameter of query_logs"),
        ("scale_service", {"service": "a"}, "`replicas` is required"),
        ("scale_service", {"service": "a", "replicas": 0}, "`replicas` must be 1 to 1000000; 0 was given"),
        ("scale_service", {"service": "a", "replicas": True}, "`replicas` must be a whole number; True was given"),
        ("scale_service", {"service": "a", "replicas": 2.5}, "`replicas` must be a whole number; 2.5 was given"),
        ("scale_service", {"service": "a", "replicas": "2.5"}, "`replicas` must be a whole number"),
        ("scale_service", {"service": "a", "replicas": "9" * 5000}, "`replicas` must be a whole number"),
        ("scale_service", {"service": "a", "replicas": "٣"}, "`replicas` must be a whole number"),
        ("scale_service", '{"service": ' * 100_000, "must be a JSON object, and text was given"),
        ("query_log", {}, "Did you mean query_logs?"),
        ("query_logs", {"servce": "a"}, "Did you mean service?"),
        ("submit_severity", {"severity": "P5"}, "'P1', 'P2', 'P3' or 'P4'"),
        ("submit_root_cause", {"service": "a", "failure_mode": " "}, "`failure_mode` must not be empty"),
        ("submit_root_cause", {"service": "a", "failure_mode": "x" * (FAILURE_MODE_LIMIT + 1)}, "at most 500"),
        ("submit_resolution", {"summary": "x" * (SUMMARY_LIMIT + 1)}, "at most 4000"),
        ("submit_resolution", {"summary": "bell \x07"}, "U+0007"),
    ],
)
def test_what_is_refused_says_what_is_wrong_and_what_is_valid(action_type: Any, parameters: Any, said: str) -> None:
    with pytest.raises(InvalidActionError) as refused:
        parse_action(action_type, parameters)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 1000


@given(st.sampled_from(list(ACTIONS)), st.recursive(st.none() | st.booleans() | st.text() | st.floats(), st.lists))
def test_anything_else_is_refused_the_same_way(action_type: str, parameters: object) -> None:
    with pytest.raises(InvalidActionError):
        parse_action(action_type, parameters)


@given(st.text(min_size=1, max_size=NAME_LIMIT))
def test_parsing_a_parsed_action_changes_nothing(name: str) -> None:
    try:
        action = parse_action("query_logs", {"service": name})
    except InvalidActionError:
        return
    again = parse_action(*action.dump().values())
    assert again == action or len(action.target) > NAME_LIMIT


def test_of_very_many_unknown_parameters_the_first_are_looked_at() -> None:
    """Each is a problem of its own, and half a second of 80,000 keeps everybody else waiting."""
    unknown = {f"k{number}": 1 for number in range(80_000)}
    with pytest.raises(InvalidActionError) as many:
        parse_action("query_logs", {**unknown, "service": "api-gateway"})
    with pytest.raises(InvalidActionError) as few:
        parse_action("query_logs", {"k0": 1, "k1": 1, "k2": 1, "k3": 1, "k4": 1, "service": "api-gateway"})
    assert str(many.value) == str(few.value)
    cause = many.value.__cause__
    assert isinstance(cause, ValidationError)
    assert cause.error_count() < 100
