"""An action that is declared is on every surface: nothing else names the actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from env_core.episode import begin
from env_core.observation import observe, read_open_state
from env_core.reference import Reference
from http_compat.jsontext import to_json
from http_compat.schemas import build_schemas
from scenarios.parsing import InvalidActionError, parse_action

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue

VALID: list[dict[str, Any]] = [
    {"action_type": "query_logs", "parameters": {"service": " API-Gateway\n"}},
    {"action_type": "scale_service", "parameters": {"service": "a", "replicas": 3}},
    {"action_type": "submit_severity", "parameters": {"severity": "P2"}},
    {"action_type": "submit_severity", "parameters": {"severity": "P2", "service": ""}},
    {"action_type": "submit_resolution", "parameters": {"summary": "One.\nTwo.\tThree."}},
]
INVALID: list[dict[str, Any]] = [
    {"action_type": "query_logs", "parameters": {"service": "   "}},
    {"action_type": "query_logs", "parameters": {"service": "a\x07b"}},
    {"action_type": "query_logs", "parameters": {"service": "a" * 65}},
    {"action_type": "query_logs", "parameters": {"service": "a", "since": 1}},
    {"action_type": "scale_service", "parameters": {"service": "a", "replicas": 0}},
    {"action_type": "submit_severity", "parameters": {"severity": "P9"}},
    {"action_type": "submit_resolution", "parameters": {"summary": " \x07 "}},
]


@pytest.mark.parametrize("action", [*VALID, *INVALID])
def test_schemas_say_exactly_what_is_refused(action: dict[str, Any]) -> None:
    schema = jsonschema.Draft202012Validator(build_schemas()["action"])
    try:
        parse_action(action["action_type"], action["parameters"])
    except InvalidActionError:
        assert action in INVALID
    else:
        assert action in VALID
    assert schema.is_valid(action) is (action in VALID)


@pytest.mark.slow
def test_observations_and_states_are_what_their_schemas_say(catalogue: Catalogue) -> None:
    schemas = build_schemas()
    for scenario in catalogue.scenarios.values():
        episode = begin("shape", Reference.to(scenario), scenario)
        jsonschema.validate({**observe(episode), "reward": 0.0}, schemas["observation"])
        jsonschema.validate({**observe(episode), "reward": 0.0}, schemas["reset_observation"])
        jsonschema.validate(read_open_state(episode), schemas["state"])


def test_schemas_are_short_enough_to_be_shown_to_a_model_at_each_turn() -> None:
    schemas = build_schemas()
    assert len(to_json(schemas["action"])) < 6_300
    assert len(to_json(schemas)) < 13_500
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
