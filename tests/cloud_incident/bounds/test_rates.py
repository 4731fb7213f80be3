"""How many requests and messages a second one caller may send."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_incident.bounds.rates import Buckets, RateLimit, name_caller
from cloud_incident.settings.serve import ServeSettings
from tests.cloud_incident.bounds.raw import MCP
from tests.http_compat.talking import open_talk, read_answer
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@dataclass(frozen=True)
class Named:
    """As much of a caller as is looked at."""

    name: str


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server("--rate-limit", "4") as address:
        yield address


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.sampled_from([0.5, 1, 4, 1000]))
def test_no_more_is_served_than_the_rate_and_what_was_saved(pauses: list[float], rate: float) -> None:
    now = 0.0
    buckets = Buckets(rate, lambda: now)
    served = 0
    for pause in pauses:
        now += pause
        served += buckets.take("a") == 0
    assert served <= max(rate, 1) + now * rate + 1e-6
    now += buckets.take("a")
    assert buckets.take("a") == 0 or buckets.take("a") <= 1 / rate + 1e-6


def test_callers_have_buckets_of_their_own_and_the_oldest_are_forgotten() -> None:
    buckets = Buckets(1, lambda: 0.0, most=100)
    for number in range(1000):
        assert buckets.take(f"caller {number}") == 0
    assert buckets.take("caller 999") > 0
    assert len(buckets) == 100


def test_what_is_borrowed_is_paid_back() -> None:
    buckets = Buckets(2, lambda: 0.0)
    assert [buckets.borrow("a") for _ in range(5)] == pytest.approx([0, 0, 0.5, 1.0, 1.5])


@pytest.mark.parametrize("path", ["/reset", "/mcp", "/agent/none/mcp", "/tasks"])
def test_requests_beyond_the_rate_are_refused(path: str) -> None:
    headers = dict(line.split(": ") for line in MCP.splitlines())
    with full_server("--rate-limit", "4") as address, httpx2.Client(base_url=address, headers=headers) as api:
        answers = [api.get(path) if path == "/tasks" else api.post(path, json=CALL) for _ in range(12)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert 6 <= len(refused) <= 8 or len(answers) - len(refused) >= 4
        assert refused
        for answer in refused:
            assert "4 requests a second" in answer.json()["detail"]
            assert int(answer.headers["Retry-After"]) == 1


def test_messages_over_a_websocket_are_taken_later_and_none_is_lost(address: str) -> None:
    with open_talk(address) as talk:
        for _ in range(8):
            talk.socket.send(json.dumps({"type": "state"}))
        assert [talk.hear()["type"] for _ in range(8)] == ["state"] * 8


def test_load_balancers_are_always_answered(address: str) -> None:
    with httpx2.Client(base_url=address) as api:
        assert {api.get("/health").status_code for _ in range(30)} == {200}


def test_a_websocket_beyond_the_rate_is_refused_with_the_same_status() -> None:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    with full_server("--rate-limit", "1") as address:
        httpx2.get(f"{address}/tasks")
        refused = httpx2.get(f"{address}/ws", headers={**headers, "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="})
        assert "try again" in read_answer(refused, 429)["detail"]


async def ask(app: RateLimit, **scope: Any) -> int:
    """The status of an answer to a request of some scope."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    await app({"type": "http", "path": "/step", "headers": [], **scope}, receive, send)
    return int(sent[0]["status"]) if sent else 200


@pytest.mark.anyio
async def test_callers_are_told_apart_by_name_and_others_by_address() -> None:
    async def serve(*_: object) -> None:
        """Answers nothing."""

    app = RateLimit(serve, 1)
    ann, bob = ({"cloud_incident.caller": Named(name), "client": ("10.0.0.1", 1)} for name in ("ann", "bob"))
    assert [await ask(app, **ann), await ask(app, **ann), await ask(app, **bob)] == [200, 429, 200]
    nobody = {"cloud_incident.caller": Named("")}
    assert [await ask(app, **nobody, client=("10.0.0.1", port)) for port in (1, 2)] == [200, 429]
    assert await ask(app, **nobody, client=("10.0.0.2", 1)) == 200


def test_addresses_of_one_ipv6_network_are_one_caller() -> None:
    names = {name_caller({"client": (f"2001:db8:1:2:{part}::1", 1)}) for part in ("a", "b", "c")}
    assert names == {"2001:db8:1:2::"}
    assert name_caller({"client": ("fe80::1%eth0", 1)}) == "fe80::"
    assert name_caller({}) == ""


def test_the_rate_is_limited_where_others_than_this_machine_call() -> None:
    assert ServeSettings().requests_a_second == 0
    assert ServeSettings(host="0.0.0.0").requests_a_second == 1_000  # noqa: S104 - nothing listens there
    assert ServeSettings(host="0.0.0.0", rate_limit=0).requests_a_second == 0  # noqa: S104


@pytest.mark.anyio
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_who_is_on_this_machine_is_not_limited_where_nobody_chose_a_limit(address: str) -> None:
    async def serve(*_: Any) -> None: ...

    near = RateLimit(serve, 1.0, far_only=True)
    assert [await ask(near, client=(address, 1)) for _ in range(5)] == [200] * 5
    assert [await ask(near, client=("192.0.2.1", 1)) for _ in range(3)] == [200, 429, 429]
    named = {"cloud_incident.caller": Named("alice")}
    assert [await ask(near, client=(address, 1), **named) for _ in range(3)] == [200, 429, 429]
