"""An action that is declared is on every surface: nothing else names the actions."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from env_core.episode import Reference, begin
from env_core.observation import observation, state
from http_compat import shapes
from scenarios.parsing import InvalidActionError, parse_action
from scenarios.vocabulary import ACTIONS

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue

FIFTEENTH = """
import json
from pydantic import Field

class Drain(OnService):
    node: str = Field(description="Node to drain.")

ACTIONS["drain_node"] = ActionDeclaration("drain_node", "Drain node", Kind.REMEDIATION, Drain, "Move all work off a node.")

import httpx2
from cloud_incident.serving import served
from cloud_incident.settings import Settings
import anyio

async def main():
    transport = httpx2.ASGITransport(served(Settings()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as api:
        drain = {"action_type": "drain_node", "parameters": {"service": "api-gateway", "node": "n1"}}
        await api.post("/reset", json={"scenario_id": "RP-001"})
        seen = {
            "step": (await api.post("/step", json=drain)).json()["reward"],
            "tools": (await api.post("/step", json={"type": "list_tools"})).json()["observation"]["tools"][-1],
            "tasks": (await api.get("/tasks")).json()["tasks"][2]["actions"],
            "schema": (await api.get("/schema")).json()["action"],
            "openapi": (await api.get("/openapi.json")).json()["components"]["schemas"],
            "available": (await api.get("/state")).json()["available_actions"],
        }
    print(json.dumps(seen))

anyio.run(main)
"""


def test_a_fifteenth_action_appears_everywhere() -> None:
    run = subprocess.run([sys.executable, "-c", FIFTEENTH], capture_output=True, text=True, check=True)
    seen: dict[str, Any] = json.loads(run.stdout)
    assert seen.pop("step") == -0.15
    for surface, shown in seen.items():
        assert "drain_node" in json.dumps(shown), surface


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
    schema = jsonschema.Draft202012Validator(shapes.schemas()["action"])
    try:
        parse_action(action["action_type"], action["parameters"])
    except InvalidActionError:
        assert action in INVALID
    else:
        assert action in VALID
    assert schema.is_valid(action) is (action in VALID)


def test_observations_and_states_are_what_their_schemas_say(catalogue: Catalogue) -> None:
    schemas = shapes.schemas()
    for scenario in catalogue.scenarios.values():
        episode = begin("shape", Reference.to(scenario), scenario)
        jsonschema.validate({**observation(episode), "reward": 0.0}, schemas["observation"])
        jsonschema.validate({**observation(episode), "reward": 0.0}, schemas["reset_observation"])
        jsonschema.validate(state(episode), schemas["state"])
    assert len(schemas["action"]["$defs"]) > len(ACTIONS)
