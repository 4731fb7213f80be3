"""What tests send to the server and read from it, over REST and over WebSockets."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from websockets.sync.client import ClientConnection, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

QUERY = {"action_type": "query_logs", "parameters": {"service": "api-gateway"}}
ANSWER = {"action_type": "submit_severity", "parameters": {"severity": "P1"}}


def read_answer(answer: httpx2.Response, status: int = 200) -> Any:
    """The JSON of an answer, which has to have a status."""
    assert answer.status_code == status, answer.text
    return answer.json()


def open_for_agent(api: httpx2.Client, episode_id: str = "", **options: Any) -> str:
    """Open an episode over REST; the address of its endpoint for an agent."""
    given = {**options, "episode_id": episode_id} if episode_id else options
    url: str = read_answer(api.post("/reset", json=given))["info"]["agent_url"]
    return url


def build_rpc(method: str, **params: Any) -> dict[str, Any]:
    """A JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


class Talk:
    """One WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def hear(self) -> Any:
        return json.loads(self.socket.recv(timeout=10))

    def say(self, message: Any) -> Any:
        """The reply to a message; a string is sent as it is."""
        self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
        return self.hear()

    def reset(self, **options: Any) -> Any:
        return self.expect_observation({"type": "reset", "data": options})

    def step(self, action: dict[str, Any]) -> Any:
        return self.expect_observation({"type": "step", "data": action})

    def state(self) -> Any:
        reply = self.say({"type": "state"})
        assert reply["type"] == "state", reply
        return reply["data"]

    def expect_observation(self, message: Any) -> Any:
        reply = self.say(message)
        assert reply["type"] == "observation", reply
        return reply["data"]

    def expect_error(self, message: Any) -> Any:
        reply = self.say(message)
        assert reply["type"] == "error", reply
        return reply["data"]


@contextmanager
def open_talk(address: str, path: str = "/ws", **options: Any) -> Iterator[Talk]:
    with connect(address.replace("http", "ws") + path, proxy=None, **options) as socket:
        yield Talk(socket)
