"""Many at once on one worker: nothing is mixed up, nothing is lost, and an end loses no step that was acknowledged."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import pytest
from websockets.asyncio.client import connect

from cloud_incident.evaluation.running import play_actions
from env_core.perfect import play_perfectly
from scenarios.vocabulary import POINT
from tests.load import step_until_closed, step_until_the_end
from tests.servers import full_server, started
from tests.slow import count_examples, mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from scenarios.catalogue import Catalogue, Scenario


PATIENCE = 120
"""Seconds after which a client gives up, on a machine that others use too."""
TRIES = 5
"""How often a client asks before it gives up."""


def list_rewards(scenario: Scenario) -> list[float]:
    actions = play_perfectly(scenario.incident, scenario.task)
    return [step.reward / POINT for step in play_actions(scenario, actions).steps]


async def play_over_websocket(address: str, scenario: Scenario, together: asyncio.Barrier) -> None:
    url = address.replace("http", "ws") + "/ws"
    async with connect(url, proxy=None, compression=None, open_timeout=PATIENCE) as socket:

        async def say(message: dict[str, Any]) -> Any:
            await socket.send(json.dumps(message))
            return json.loads(await socket.recv())["data"]

        handle = (await say({"type": "reset", "data": {"scenario_id": scenario.id}}))["observation"]["episode_id"]
        await together.wait()
        earned = []
        for number, action in enumerate(play_perfectly(scenario.incident, scenario.task), 1):
            reply = await say({"type": "step", "data": action.dump()})
            shown = reply["observation"]
            assert (shown["episode_id"], shown["scenario_id"], shown["step_count"]) == (handle, scenario.id, number)
            earned.append(reply["reward"])
        assert earned == list_rewards(scenario)
        assert reply["metadata"]["grade"]["score"] == 1.0


async def ask(api: httpx2.AsyncClient, method: str, path: str, **options: Any) -> Any:
    """The JSON of an answer. A client that is late finds its connection closed, and asks again on a new one."""
    for _ in range(TRIES - 1):
        with suppress(httpx2.ReadError, httpx2.RemoteProtocolError):
            return (await api.request(method, path, **options)).json()
    return (await api.request(method, path, **options)).json()


async def play_over_http(api: httpx2.AsyncClient, scenario: Scenario, together: asyncio.Barrier) -> None:
    first = (await ask(api, "POST", "/reset", json={"scenario_id": scenario.id}))["observation"]
    named = {"X-Episode-Id": first["episode_id"]}
    await together.wait()
    earned = []
    for number, action in enumerate(play_perfectly(scenario.incident, scenario.task), 1):
        sent = {"action": action.dump(), "request_id": str(number)}  # so that asking again takes no second step
        reply = await ask(api, "POST", "/step", json=sent, headers=named)
        shown = reply["observation"]
        assert (shown["scenario_id"], shown["step_count"]) == (scenario.id, number)
        earned.append(reply["reward"])
    assert earned == list_rewards(scenario)
    graded = await ask(api, "GET", "/grader", headers=named)
    assert (graded["episode_id"], graded["score"]) == (first["episode_id"], 1.0)


@contextmanager
def serve_in_a_process() -> Iterator[str]:
    with started("serve") as (address, _):
        yield address


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sessions", "server"), mark_slow_after(1, [(40, full_server), (count_examples(200, least=80), serve_in_a_process)])
)
def test_many_sessions_and_episodes_at_once(
    catalogue: Catalogue, sessions: int, server: Callable[[], AbstractContextManager[str]]
) -> None:
    """So many WebSockets, and as many episodes over HTTP."""
    scenarios = list(catalogue.scenarios.values())

    async def all_at_once(address: str) -> None:
        together = asyncio.Barrier(2 * sessions)
        limits = httpx2.Limits(max_connections=sessions)
        async with (
            httpx2.AsyncClient(base_url=address, limits=limits, timeout=PATIENCE) as api,
            asyncio.TaskGroup() as tasks,
        ):
            for index in range(sessions):
                tasks.create_task(play_over_websocket(address, scenarios[index % 9], together))
                tasks.create_task(play_over_http(api, scenarios[index % 9], together))

    with server() as address:
        asyncio.run(all_at_once(address))


def leave_in_mid_request(address: str) -> None:
    """Hang up before the end of a request, on each of several routes. Others are served all the while."""
    for path in ("/reset", "/step", "/mcp"):
        with socket.create_connection((urlsplit(address).hostname, urlsplit(address).port)) as client:
            client.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{{".encode())
            assert httpx2.get(f"{address}/health").status_code == 200
    assert httpx2.get(f"{address}/health").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("steps", mark_slow_after(1, [100, count_examples(1_000, least=400)]))
def test_sigterm_under_load_loses_no_acknowledged_step(steps: int) -> None:
    acknowledged = [0]
    codes: list[int] = []

    async def loaded(address: str, process: Any) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(8):
                tasks.create_task(step_until_the_end(address, acknowledged))
                tasks.create_task(step_until_closed(address, acknowledged, codes))
            async with asyncio.timeout(60):
                while acknowledged[0] < steps:  # noqa: ASYNC110 - the count is of what all of them have had
                    await asyncio.sleep(0.01)
            process.send_signal(signal.SIGTERM)

    with started("serve") as (address, process):
        leave_in_mid_request(address)
        asyncio.run(loaded(address, process))
        assert process.wait(10) == 0
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert "Traceback" not in said, "who leaves in the middle of a request is no fault"
    taken = re.search(r"Stopped after (\d+) steps", said)
    assert taken, said
    # A WebSocket may have had one more step taken whose answer no longer reached it; none answered was not taken.
    assert acknowledged[0] <= int(taken[1]) <= acknowledged[0] + 8
    assert codes == [1012] * 8


@pytest.mark.slow
@pytest.mark.anyio
async def test_health_is_answered_beside_sixteen_resets_of_fresh_seeds() -> None:
    """Incidents are made beside the event loop. Answers are counted, so that this says the same on every machine."""
    wide = 16
    with full_server("--store", "memory") as address:
        async with httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as api:
            await api.get("/health")
            asked = [{"seed": 900_000 + number, "task_id": "remediation_planning"} for number in range(wide)]
            resets = asyncio.gather(*(ask(api, "POST", "/reset", json=body) for body in asked))
            answered = 0
            while not resets.done():
                answered += (await api.get("/health")).status_code == 200
            handles = {answer["observation"]["episode_id"] for answer in await resets}
    assert len(handles) == wide
    assert answered >= wide
