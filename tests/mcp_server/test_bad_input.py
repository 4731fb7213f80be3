"""Bad input, over every tool and every parameter: never a crash, never a step, always a clear error."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client

from env_core.selection import Selection
from env_core.service import EpisodeService
from env_core.stores import Claim
from mcp_server import build_server
from mcp_server.binding import BoundEpisode
from scenarios.parsing import InvalidActionError, parse_action
from scenarios.vocabulary import ACTIONS
from tests.mcp_server.playing import read_text
from tests.servers import stdio
from tests.slow import count_examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcp_types import CallToolResult

    from scenarios.catalogue import Catalogue

control = "\x00\x07\x1b\x7f\x85\n\t"
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=40)
    | st.text(alphabet=control, min_size=1, max_size=5)
    | st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=3), st.integers(1000, 20_000))
    | st.sampled_from(["\ud800", "postgres-db\x00", "../../etc/passwd", "{{7*7}}", "' OR 1=1 --", "postgres-db "])
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def nest(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value] if depth % 2 else {"x": value}
    return value


def list_parameters(tool: str) -> list[str]:
    if tool in ACTIONS:
        return [*ACTIONS[tool].parameters.model_fields, "page", "episode_id", "unknown"]
    return [*Selection.model_fields, "unknown"]


TOOLS = [*ACTIONS, "start_drill", "show_drill", "list_drills", "grade_drill", "close_drill"]
arguments_of = st.sampled_from(TOOLS).flatmap(
    lambda tool: st.tuples(
        st.just(tool), st.dictionaries(st.sampled_from(list_parameters(tool)), values | st.just(nest(200)), max_size=4)
    )
)


@dataclass
class Bench:
    """A service and clients of both profiles on one event loop, for many calls."""

    service: EpisodeService
    agent: Client
    operator: Client
    bound: list[str]


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def bench(catalogue: Catalogue, portal: BlockingPortal) -> Iterator[Bench]:
    service = EpisodeService(catalogue)
    bound: list[str] = [""]
    agent = Client(
        build_server(service, version="test", bound=lambda _: BoundEpisode(Claim(bound[0], ""))), mode="2026-07-28"
    )
    operator = Client(build_server(service, version="test"), mode="2026-07-28")
    with portal.wrap_async_context_manager(agent), portal.wrap_async_context_manager(operator):
        yield Bench(service, agent, operator, bound)


@pytest.mark.slow
@settings(max_examples=count_examples(800))
@given(arguments_of)
def test_every_tool_survives_any_arguments(
    bench: Bench, portal: BlockingPortal, call: tuple[str, dict[str, Any]]
) -> None:
    tool, arguments = call
    named = {name: value for name, value in arguments.items() if name != "episode_id"}

    async def run() -> tuple[CallToolResult, int]:
        bench.bound[0] = (await bench.service.create(Selection(scenario_id="RP-001"))).id
        result = await bench.agent.call_tool(tool, named)
        return result, (await bench.service.get(bench.bound[0])).step_count

    result, taken = portal.call(run)
    if tool not in ACTIONS or not _is_action(tool, named):
        assert result.is_error
        assert taken == 0
        assert 10 < len(read_text(result)) < 2000
    else:
        assert taken == 1


@pytest.mark.slow
@settings(max_examples=count_examples(400))
@given(arguments_of)
def test_control_tools_survive_any_arguments(
    bench: Bench, portal: BlockingPortal, call: tuple[str, dict[str, Any]]
) -> None:
    tool, arguments = call
    result = portal.call(bench.operator.call_tool, tool, arguments)
    if result.is_error:
        assert 10 < len(read_text(result)) < 5000
    elif tool == "start_drill":
        assert "episode_id" in read_text(result)


def _is_action(tool: str, arguments: dict[str, Any]) -> bool:
    """Whether arguments are a valid action after all, with no page asked for."""
    try:
        parse_action(tool, {name: value for name, value in arguments.items() if name != "page"})
    except InvalidActionError:
        return False
    page = arguments.get("page", 1)
    return "page" not in arguments or (page == 1 and type(page) is int and tool in _PAGED)


_PAGED = {"query_logs", "check_metrics", "check_dependencies", "check_recent_deploys", "check_service_status"}


@pytest.mark.slow
@pytest.mark.anyio
async def test_messages_that_are_not_requests_do_not_end_the_server() -> None:
    """Raw lines over stdio: not JSON, not JSON-RPC, wrong parameters; then a real call still works."""
    parameters = stdio()
    lines = [
        "not json",
        "[]",
        "{}",
        '{"jsonrpc":"2.0","id":1,"method":"tools/call"}',
        '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":7,"arguments":"x"}}',
        '{"jsonrpc":"2.0","id":3,"method":"no/such"}',
        json.dumps({"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": "query_logs"}}),
    ]
    initialize = {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    call = {
        "jsonrpc": "2.0",
        "id": 99,
        "method": "tools/call",
        "params": {"name": "start_drill", "arguments": {"incident": "AC-001"}},
    }
    initialized = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    script = [json.dumps(initialize), json.dumps(initialized), *lines, json.dumps(call)]
    process = await anyio.open_process([parameters.command, *parameters.args], stderr=None)
    assert process.stdin is not None
    assert process.stdout is not None
    answers = b""
    with anyio.fail_after(30):
        await process.stdin.send(("\n".join(script) + "\n").encode())
        while b'"id":99' not in answers:
            answers += await process.stdout.receive()
    await process.stdin.aclose()
    with anyio.fail_after(10):
        await process.wait()
    last = [json.loads(line) for line in answers.splitlines() if b'"id":99' in line]
    assert last[0]["result"]["structuredContent"]["scenario_id"] == "AC-001"
