"""The schemas that clients are shown, on every surface: no number that they round; what is left out means nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client

from env_core.selection import MOST_TYPED_SEED, Selection
from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import ACTIONS, TASKS
from tests.doors import DOORS
from tests.http_compat.talking import open_for_agent, open_talk, read_answer
from tests.mcp_server.playing import LEGACY, MODERN
from tests.servers import full_server, stdio
from tests.slow import count_examples, mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.doors import Door

LARGEST = 2**31
"""No number in a schema is this large: some clients round it, and some providers of models refuse it."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server() as address:
        yield address


@pytest.fixture(scope="module", params=mark_slow_after(len(DOORS) - 1, DOORS))
def door(request: pytest.FixtureRequest, address: str) -> Iterator[Door]:
    with DOORS[request.param](address) as door:
        yield door


def collect_numbers(shown: Any) -> Iterator[float]:
    """Every number that stands anywhere in what was shown."""
    if isinstance(shown, dict | list):
        for part in shown.values() if isinstance(shown, dict) else shown:
            yield from collect_numbers(part)
    elif isinstance(shown, int | float) and not isinstance(shown, bool):
        yield shown


async def list_tools(server: Any, era: str) -> list[dict[str, Any]]:
    async with Client(server, mode=era) as client:
        return [tool.model_dump(by_alias=True, mode="json") for tool in (await client.list_tools()).tools]


@pytest.mark.slow
def test_no_schema_holds_a_number_that_clients_round(address: str) -> None:
    with httpx2.Client(base_url=address) as api, open_talk(address) as talk:
        agent_url = open_for_agent(api, scenario_id="RP-001")
        listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        shown = {
            **{path: read_answer(api.get(path)) for path in ("/schema", "/openapi.json", "/tasks")},
            "JSON-RPC": read_answer(api.post("/mcp", json=listing)),
            "a step's list of tools": read_answer(api.post("/step", json={"type": "list_tools"})),
            "a WebSocket's list of tools": talk.step({"type": "list_tools"}),
        }
    for era in (MODERN, LEGACY):
        shown[f"operator, {era}"] = anyio.run(list_tools, f"{address}/mcp", era)
        shown[f"agent, {era}"] = anyio.run(list_tools, agent_url, era)
    shown["stdio"] = anyio.run(list_tools, stdio(), MODERN)
    for surface, schemas in shown.items():
        numbers = list(collect_numbers(schemas))
        assert numbers, surface
        assert max(map(abs, numbers)) < LARGEST, surface


def test_the_bound_of_a_seed_is_said_in_words() -> None:
    seed = build_arguments_schema(Selection)["properties"]["seed"]
    assert f"0 to {MOST_TYPED_SEED}, which every JSON client keeps exactly" in seed["description"]
    assert float(MOST_TYPED_SEED) == MOST_TYPED_SEED


NEUTRAL: dict[str, dict[str, Any]] = {
    "query_logs": {"service": "postgres-db"},
    "check_metrics": {"service": "postgres-db"},
    "submit_severity": {"severity": "P2"},
}
"""What is sent with each optional parameter left out. The other actions have none of their own."""


def list_optional(schema: dict[str, Any]) -> dict[str, list[Any]]:
    """The ways to leave each optional parameter out: null, and its default where it has one."""
    required = schema.get("required", [])
    return {
        name: [None, *([field["default"]] if "default" in field else [])]
        for name, field in schema["properties"].items()
        if name not in required
    }


def draw_left_out(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Optional parameters, each left out, null or its default."""
    optional = {name: st.sampled_from(values) for name, values in list_optional(schema).items()}
    return st.fixed_dictionaries({}, optional=optional)


def test_optional_parameters_of_actions_are_left_out_in_three_ways(door: Door) -> None:
    optional = {name for name, action in ACTIONS.items() if list_optional(build_arguments_schema(action.parameters))}
    assert optional == {"submit_severity", "execute_runbook_step"}
    for incident, name, parameters, left_out in (
        ("AC-001", "submit_severity", {"severity": "P2"}, "service"),
        ("RP-001", "execute_runbook_step", {"runbook_action": "verify_db_health"}, "target"),
    ):
        door.start(incident)
        expected = door.act(name, parameters)
        for value in (None, ""):
            door.start(incident)
            assert door.act(name, {**parameters, left_out: value}) == expected


@settings(max_examples=count_examples(60))
@given(left_out=draw_left_out(build_arguments_schema(Selection)), task_id=st.sampled_from([None, *TASKS]))
def test_a_selection_means_the_same_however_it_is_left_out(
    address: str, left_out: dict[str, Any], task_id: str | None
) -> None:
    chosen = {} if task_id is None else {"task_id": task_id}
    sent = {**left_out, **chosen}
    with httpx2.Client(base_url=address) as api, open_talk(address) as talk:
        answers = [read_answer(api.post("/reset", json=body)) for body in (chosen, sent)]
        answers += [talk.reset(**body) for body in (chosen, sent)]
    for answer in answers:
        answer.pop("info", None)
        for name in ("incarnation", "agent_url"):
            del answer["metadata"][name]
        del answer["observation"]["episode_id"]
    assert len({json.dumps(answer, sort_keys=True) for answer in answers}) == 1
