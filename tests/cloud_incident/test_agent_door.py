"""The agents' own door: what an agent gets there that tries everything, and where everybody is told that it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import pytest
from mcp import Client
from websockets.exceptions import InvalidHandshake
from websockets.sync.client import connect

from cloud_incident.settings.mcp import McpSettings
from cloud_incident.settings.serve import ServeSettings
from cloud_incident.settings.sources import InvalidSettingsError
from http_compat.surface import Mode
from mcp_server.meta import AGENT_URL
from tests.cloud_incident.tokens.holding import Tokens, bearer
from tests.http_compat.talking import ANSWER, QUERY, open_for_agent, open_talk, read_answer
from tests.mcp_server.playing import LEGACY, MODERN, read_numbers, read_text
from tests.mcp_server.test_sessions import ask, open_session
from tests.servers import full_server, server_for_agents, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HANDLE = "the-harness-own-handle"
ACCEPTS = {"Accept": "application/json, text/event-stream"}
SUBMIT: tuple[str, dict[str, Any]] = ("submit_severity", {"severity": "P3"})


@dataclass(frozen=True)
class Doors:
    """A server on which agents have a port of their own: clients of both."""

    harness: httpx2.Client
    agent: httpx2.Client

    def reset(self, **options: Any) -> Any:
        return read_answer(self.harness.post("/reset", json=options))


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    with (
        server_for_agents() as (address, agents),
        httpx2.Client(base_url=address, headers=ACCEPTS) as harness,
        httpx2.Client(base_url=agents, headers=ACCEPTS) as agent,
    ):
        yield Doors(harness, agent)


def read_paths(harness: httpx2.Client) -> set[str]:
    """Every path of the main port, with names that fit where it takes some."""
    paths = harness.get("/openapi.json").json()["paths"]
    filled = {re.sub(r"{(\w+)}", lambda name: "cloud-incident" if name[1] == "env_name" else "any", p) for p in paths}
    return filled | {"/", "/mcp", "/sse", "/messages", "/messages/?session_id=" + "0" * 32, "/docs", "/web", "/static"}


def test_on_the_agents_port_there_is_nothing_but_their_endpoints(doors: Doors) -> None:
    started = doors.reset(episode_id=HANDLE, replace=True)
    paths = read_paths(doors.harness)
    assert {"/reset", "/step", "/grader", "/close", "/fork", "/console/agents", "/mcp"} <= paths
    traversals = {"/agent/../reset", "/agent/%2e%2e/reset", "/agent/any/../../grader", "/reset/", "/agent"}
    for path in paths | traversals | {f"/agent/{HANDLE}/mcp", "/agent//mcp"}:
        for method in ("GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS"):
            content = json.dumps({"episode_id": HANDLE}) if method in {"POST", "PUT"} else None
            answer = doors.agent.request(method, path, content=content)
            assert answer.status_code == 404, (method, path, answer.status_code, answer.text)
    for path in ("/ws", "/mcp", f"/agent/{HANDLE}/mcp"):
        with pytest.raises(InvalidHandshake):
            connect(f"ws://{doors.agent.base_url.netloc.decode()}{path}", proxy=None)
    for name in ("Host", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix"):
        told = {name: doors.harness.base_url.netloc.decode(), "X-Episode-Id": HANDLE}
        assert doors.agent.get("/state", headers=told).status_code == 404
    state = read_answer(doors.harness.get("/state", params={"episode_id": HANDLE}))
    assert (state["step_count"], state["incarnation"]) == (0, started["info"]["incarnation"]), "nothing was done"


def test_on_the_main_port_there_is_no_agents_endpoint_then(doors: Doors) -> None:
    path = urlsplit(open_for_agent(doors.harness)).path
    initialize = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert doors.harness.post(path, json=initialize).status_code == 404
    assert doors.agent.post(path, json={**initialize, "method": "initialize"}).status_code != 404


@pytest.mark.parametrize("spoil", [str.upper, str.lower, lambda key: key[:-1], lambda key: key + "A", lambda _: HANDLE])
def test_a_key_that_is_not_exactly_one_that_was_given_opens_nothing(doors: Doors, spoil: Any) -> None:
    url = open_for_agent(doors.harness, HANDLE, replace=True)
    key = urlsplit(url).path.split("/")[2]
    assert HANDLE not in url
    answer = doors.agent.post(f"/agent/{spoil(key)}/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert "agent_url" in read_answer(answer, 404)["detail"]


@pytest.mark.anyio
@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_what_an_agent_is_told_never_names_its_episode(doors: Doors, era: str) -> None:
    url = open_for_agent(doors.harness, HANDLE, scenario_id="AC-001", replace=True, debrief="harness")
    heard: list[str] = []
    async with Client(url, mode=era) as agent:
        heard.append(str(agent.instructions))
        heard.append(str(await agent.list_tools()))
        for name, arguments in (
            ("query_logs", {"service": "payment-service"}),
            ("query_logs", {"service": "nowhere"}),
            ("query_logs", {"service": "payment-service", "page": 9, "episode_id": "other"}),
            ("grade_drill", {"episode_id": "other"}),
            ("close_incident", {}),
            ("start_drill", {}),
            ("fork_drill", {}),
            SUBMIT,
            SUBMIT,
        ):
            heard.append(str(await agent.call_tool(name, arguments)))
        listed = (await agent.list_resources()).resources
        assert {resource.uri for resource in listed} >= {"incident://current/timeline"}
        heard += [str(await agent.read_resource(resource.uri)) for resource in listed]
        heard += [str(await agent.get_prompt(name, {})) for name in ("take_the_pager", "find_root_cause")]
    told = "\n".join(heard)
    assert "The incident is over." in told
    graded = read_answer(doors.harness.get("/grader", params={"episode_id": HANDLE}))
    assert graded["done"]
    assert graded["breakdown"]
    for word in (
        HANDLE,
        graded["incarnation"],
        "score 0",
        "Score 0",
        "Score 1",
        "breakdown",
        "causal",
        "What happened",
    ):
        assert word not in told, word


@pytest.mark.anyio
@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_the_harness_keeps_the_debrief_from_the_agent(doors: Doors, era: str) -> None:
    url = open_for_agent(doors.harness, HANDLE, scenario_id="AC-001", replace=True, debrief="harness")
    async with Client(url, mode=era) as agent:
        before = read_numbers(await agent.call_tool("query_logs", {"service": "api-gateway"}))
        last = await agent.call_tool(*SUBMIT)
        over = await agent.call_tool(*SUBMIT)
    numbers = read_numbers(last)
    assert read_text(last) == "Submitted. AC-001 · The incident is over."
    assert "grade" not in numbers
    assert (numbers["done"], numbers["reward"], numbers["feedback"]) == (True, 0.0, "Submitted.")
    assert numbers["cumulative_reward"] == before["cumulative_reward"]
    assert read_text(over) == "This incident is over: AC-001. Nothing was done. There is nothing more to do."
    graded = read_answer(doors.harness.get("/grader", params={"episode_id": HANDLE}))
    assert (graded["score"], graded["debrief"]["severity"]) == (0.25, "P1")
    frames = read_answer(doors.harness.get("/frames", params={"episode_id": HANDLE}))["frames"]
    assert frames[-1]["grade"]["score"] == 0.25


@pytest.mark.anyio
async def test_an_agent_that_runs_out_of_steps_is_told_no_more(doors: Doors) -> None:
    url = open_for_agent(doors.harness, HANDLE, scenario_id="AC-001", replace=True, debrief="harness")
    async with Client(url) as agent:
        for service in ("api-gateway", "payment-service", "api-gateway"):
            last = await agent.call_tool("query_logs", {"service": service})
    assert read_text(last).endswith("AC-001 · The incident is over.")
    assert "grade" not in read_numbers(last)
    assert read_answer(doors.harness.get("/grader", params={"episode_id": HANDLE}))["score"] == 0.0


def test_without_that_the_agent_is_told_score_and_debrief(doors: Doors) -> None:
    path = urlsplit(open_for_agent(doors.harness, scenario_id="AC-001")).path
    session = open_session(doors.agent, path)
    name, arguments = SUBMIT
    result = ask(doors.agent, path, session, "tools/call", name=name, arguments=arguments).json()["result"]
    assert result["structuredContent"]["grade"]["score"] == 0.25
    assert "What happened (P1" in result["content"][0]["text"]


def test_the_address_of_a_handle_that_is_opened_anew_is_another_one(doors: Doors) -> None:
    first = doors.reset(episode_id=HANDLE, replace=True)["info"]
    second = doors.reset(episode_id=HANDLE, replace=True, incarnation=first["incarnation"])["info"]
    assert first["incarnation"] != second["incarnation"]
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert doors.agent.post(urlsplit(first["agent_url"]).path, json=message).status_code == 404
    assert doors.agent.post(urlsplit(second["agent_url"]).path, json=message).status_code != 404
    refused = doors.harness.post(
        "/reset", json={"episode_id": HANDLE, "replace": True, "incarnation": first["incarnation"]}
    )
    assert "not there any more" in read_answer(refused, 409)["detail"]


def test_sessions_are_served_at_the_address_where_they_were_opened(doors: Doors) -> None:
    own, other = (urlsplit(open_for_agent(doors.harness)).path for _ in range(2))
    session, operator = open_session(doors.agent, own), open_session(doors.harness, "/mcp")
    assert ask(doors.agent, own, session).status_code == 200
    for path, foreign in ((other, session), (own, operator)):
        for answer in (
            ask(doors.agent, path, foreign),
            ask(doors.agent, path, foreign, "tools/list"),
            doors.agent.get(path, headers={"Mcp-Session-Id": foreign}),
            doors.agent.delete(path, headers={"Mcp-Session-Id": foreign}),
        ):
            assert "opened at another address" in read_answer(answer, 404)["detail"]
    assert ask(doors.harness, "/mcp", session).status_code == 404
    assert ask(doors.agent, own, session).status_code == 200
    assert ask(doors.harness, "/mcp", operator).status_code == 200


def test_whoever_knows_the_handle_of_a_finished_episode_cannot_have_it_worked_anew(doors: Doors) -> None:
    opened = doors.reset(episode_id=HANDLE, scenario_id="AC-001", replace=True)["info"]
    read_answer(doors.harness.post("/step", json={**ANSWER, "parameters": {"severity": "P2"}, "episode_id": HANDLE}))
    with httpx2.Client(base_url=doors.harness.base_url) as stranger:
        refused = read_answer(stranger.post("/reset", json={"episode_id": HANDLE, "scenario_id": "AC-001"}), 409)
        assert "replace true" in refused["detail"]
    with open_talk(str(doors.harness.base_url)) as talk:
        assert "replace true" in talk.expect_error({"type": "reset", "data": {"episode_id": HANDLE}})["message"]
    graded = read_answer(doors.harness.get("/grader", params={"episode_id": HANDLE, **pick(opened)}))
    assert (graded["score"], graded["incarnation"]) == (0.5, opened["incarnation"])


def pick(opened: dict[str, Any]) -> dict[str, str]:
    return {"incarnation": opened["incarnation"]}


def test_whoever_asks_for_an_incarnation_gets_no_other(doors: Doors) -> None:
    first = pick(doors.reset(episode_id=HANDLE, replace=True)["info"])
    named = {"episode_id": HANDLE, **first}
    assert read_answer(doors.harness.get("/state", params=named))["incarnation"] == first["incarnation"]
    again = doors.reset(episode_id=HANDLE, replace=True)["info"]
    for answer in (
        doors.harness.get("/grader", params=named),
        doors.harness.get("/state", params=named),
        doors.harness.get("/evidence", params=named),
        doors.harness.get("/frames", params=named),
        doors.harness.post("/step", params=named, json=QUERY),
        doors.harness.post("/fork", json=named),
        doors.harness.post("/close", json=named),
    ):
        assert "not there any more" in read_answer(answer, 409)["detail"]
    state = read_answer(doors.harness.get("/state", params={"episode_id": HANDLE, **pick(again)}))
    assert state["step_count"] == 0


@pytest.mark.anyio
async def test_mcp_operators_are_told_incarnations_and_addresses(doors: Doors) -> None:
    async with Client(str(doors.harness.base_url.join("/mcp")), mode=LEGACY) as operator:
        begun = await operator.call_tool("start_drill", {"incident": "AC-001"})
        handle, incarnation = (read_numbers(begun)[name] for name in ("episode_id", "incarnation"))
        url = (begun.meta or {})[AGENT_URL]
        assert url.startswith(str(doors.agent.base_url).rstrip("/"))
        async with Client(url) as agent:
            await agent.call_tool(*SUBMIT)
        for tool in ("show_drill", "grade_drill", "close_drill"):
            told = await operator.call_tool(tool, {"episode_id": handle})
            assert read_numbers(told)["incarnation"] == incarnation


def test_in_production_the_session_tells_the_address_and_the_incarnation() -> None:
    with server_for_agents("--mode", "production") as (address, agents), httpx2.Client(base_url=address) as api:
        options = {"scenario_id": "AC-001", "debrief": "harness"}
        create = {"jsonrpc": "2.0", "id": 1, "method": "openenv/session/create", "params": options}
        created = read_answer(api.post("/mcp", json=create))["result"]
        assert created["agent_url"].startswith(f"{agents}/agent/")
        assert created["episode_id"] not in created["agent_url"]
        assert created["incarnation"]
        with httpx2.Client(headers=ACCEPTS) as agent:
            session = open_session(agent, created["agent_url"])
            over = ask(agent, created["agent_url"], session, "tools/call", name=SUBMIT[0], arguments=SUBMIT[1]).json()
            assert over["result"]["content"][0]["text"].endswith("The incident is over.")
        assert ServeSettings(mode=Mode.PRODUCTION).mode is Mode.PRODUCTION


@pytest.mark.parametrize(
    ("arguments", "headers", "expected"),
    [
        ((), {"Host": "localhost:7860"}, r"http://localhost:7860/agent/[\w-]+/mcp"),
        (
            (),
            {"X-Forwarded-Host": "env.example", "X-Forwarded-Proto": "https"},
            r"https://env\.example/agent/[\w-]+/mcp",
        ),
        (("--root-path", "/x"), {"Host": "127.0.0.1"}, r"http://127\.0\.0\.1/x/agent/[\w-]+/mcp"),
        (("--agent-url", "https://a.example/in/"), {}, r"https://a\.example/in/agent/[\w-]+/mcp"),
        ((), {"X-Forwarded-Host": 'evil"><script>'}, r"http://127\.0\.0\.1:\d+/agent/[\w-]+/mcp"),
    ],
)
def test_the_address_is_the_one_by_which_the_server_is_reached(
    arguments: tuple[str, ...], headers: dict[str, str], expected: str
) -> None:
    with full_server(*arguments) as address:
        answer = httpx2.post(f"{address}/reset", json={}, headers=headers)
        assert re.fullmatch(expected, read_answer(answer)["info"]["agent_url"])
        with open_talk(address, additional_headers={k: v for k, v in headers.items() if k != "Host"}) as talk:
            assert re.fullmatch(r"https?://.+/agent/[\w-]+/mcp", talk.reset()["metadata"]["agent_url"])


@pytest.mark.slow
def test_the_printed_address_is_the_real_one() -> None:
    arguments = ("--transport", "streamable-http", "--task", "alert_classification", "--agent-port", "0")
    with started("mcp", *arguments) as (_, process):
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        url = line.split(": ", 1)[1].strip()
        assert line.startswith("Agent endpoint of AC-001: http://127.0.0.1:")
        assert read_answer(httpx2.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "ping"}, headers=ACCEPTS), 400)


def test_an_agents_key_is_enough_where_callers_need_tokens(tmp_path: Path) -> None:
    tokens = Tokens.write(tmp_path / "tokens")
    shown = bearer(tokens.alice["operate"])
    with (
        server_for_agents("--tokens", str(tokens.file)) as (address, agents),
        httpx2.Client(base_url=address, headers=shown) as harness,
        httpx2.Client(base_url=agents, headers=ACCEPTS) as agent,
    ):
        path = urlsplit(open_for_agent(harness, scenario_id="AC-001")).path
        session = open_session(agent, path)
        result = ask(agent, path, session, "tools/call", name=SUBMIT[0], arguments=SUBMIT[1]).json()["result"]
        assert result["structuredContent"]["done"]
        assert httpx2.post(f"{address}/reset", json={}).status_code == 401
        opened = read_answer(harness.post("/reset", json={}))["observation"]
        again = {"episode_id": opened["episode_id"], "replace": True}
        assert read_answer(harness.post("/reset", json=again))["observation"]["episode_id"] == opened["episode_id"]
        others = {"episode_id": opened["episode_id"], "replace": True, "scenario_id": "AC-002"}
        refused = httpx2.post(f"{address}/reset", json=others, headers=bearer(tokens.bob["operate"]))
        assert refused.status_code == 403, "a handle of somebody else is neither found nor taken"
        assert agent.post("/reset", json={}, headers=shown).status_code == 404


@pytest.mark.slow
def test_agents_have_a_port_of_their_own_on_several_processes(tmp_path: Path) -> None:
    arguments = ("--workers", "2", "--store", str(tmp_path / "episodes.db"), "--agent-port", "0")
    with started("serve", *arguments) as (address, process), httpx2.Client(base_url=address, timeout=60) as api:
        url = open_for_agent(api)
        assert process.stderr is not None
        process.stderr.readline()
        told = process.stderr.readline().decode()
        base, _, path = url.partition("/agent/")
        assert f"Whoever reaches {address} may start, step, grade and close every episode." in told
        assert f"Agents' endpoints alone are at {base}. Keep agents from {address}." in told
        listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        for _ in range(8):
            headers = {**ACCEPTS, "Connection": "close"}
            answer = httpx2.post(url, json=listing, headers={**headers, "Mcp-Session-Id": "lost"}, timeout=60)
            assert read_answer(answer)["result"]["tools"]
            assert httpx2.post(f"{base}/reset", json={}, headers=headers, timeout=60).status_code == 404
            assert httpx2.post(f"{address}/agent/{path}", json=listing, headers=headers, timeout=60).status_code == 404


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"agent_host": "127.0.0.1"}, "give that as well"),
        ({"port": (7001,), "agent_port": 7001}, "choose another one"),
        ({"agent_url": "agents.example"}, "the URL of a server is expected"),
    ],
)
def test_settings_that_give_agents_no_port_of_their_own_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidSettingsError, match=told):
        ServeSettings.load(**settings)
    with pytest.raises(InvalidSettingsError, match="leave --agent-port out"):
        McpSettings.load(profile="agent", transport="streamable-http", agent_port=7002)
