"""Every way in which an action reaches an episode, with arguments as a client sends them, valid or not."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import httpx2
from anyio.from_thread import start_blocking_portal
from mcp import Client
from mcp.client.sse import sse_client
from mcp_types import CallToolResult, Request, RequestParams

from tests.http_compat.talking import Talk, open_talk, read_answer
from tests.mcp_server.playing import LEGACY, MODERN, read_numbers, read_text, start
from tests.servers import stdio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from anyio.from_thread import BlockingPortal


@dataclass(frozen=True)
class Told:
    """What a client was told of an action, and how many steps the episode has now.

    `refused`: it was told of an error; an error of a tool may be of a step that was taken. The text is without the
    handle, which is another one for each episode.
    """

    refused: bool
    text: str
    steps: int


class Door(Protocol):
    """Reaches one episode at a time."""

    def start(self, scenario_id: str) -> None: ...

    def act(self, name: str, arguments: Any) -> Told: ...


class RawParams(RequestParams):
    """Parameters of a call that need not be valid."""

    name: Any
    arguments: Any = None


class RawCall(Request[RawParams, Literal["tools/call"]]):
    """A call of a tool as it is sent, valid or not."""

    method: Literal["tools/call"] = "tools/call"
    params: RawParams
    name_param: ClassVar[str | None] = "name"


async def call_raw(client: Client, name: Any, arguments: Any) -> CallToolResult:
    """The result of a tool called with arguments of any kind."""
    request = RawCall(params=RawParams(name=name, arguments=arguments))
    return await client.session.send_request(request, CallToolResult)


@dataclass
class RestDoor:
    """POST /step; with `enveloped` in OpenEnv's form, with `tools` as a call of a tool."""

    api: httpx2.Client
    enveloped: bool = False
    tools: bool = False
    handle: str = field(default="", init=False)

    def start(self, scenario_id: str) -> None:
        self.handle = start_over_rest(self.api, scenario_id)

    def act(self, name: str, arguments: Any) -> Told:
        action = write_action(name, arguments, tools=self.tools)
        message = {"action": action, "episode_id": self.handle} if self.enveloped else action
        answer = self.api.post("/step", params={"episode_id": self.handle}, json=message)
        steps = count_steps(self.api, self.handle)
        if answer.status_code != 200:
            assert answer.status_code == 422, answer.text
            return Told(True, answer.json()["detail"], steps)
        return _read_observation(answer.json(), steps)


@dataclass
class SocketDoor:
    """A step over the WebSocket `/ws`."""

    talk: Talk
    tools: bool = False

    def start(self, scenario_id: str) -> None:
        self.talk.reset(scenario_id=scenario_id)

    def act(self, name: str, arguments: Any) -> Told:
        action = write_action(name, arguments, tools=self.tools)
        reply = self.talk.say({"type": "step", "data": action})
        steps = self.talk.state()["step_count"]
        if reply["type"] == "error":
            assert reply["data"]["code"] == "VALIDATION_ERROR"
            return Told(True, reply["data"]["message"], steps)
        return _read_observation(reply["data"], steps)


@dataclass
class RpcDoor:
    """OpenEnv's plain JSON-RPC."""

    api: httpx2.Client
    session: dict[str, str] = field(default_factory=dict)
    handle: str = ""

    def start(self, scenario_id: str) -> None:
        self.handle = f"rpc-{scenario_id}-{id(self)}"
        with_handle = {"scenario_id": scenario_id, "episode_id": self.handle}
        if self.session:
            self.ask("openenv/session/close", self.session)
        self.session = self.ask("openenv/session/create", with_handle)

    def act(self, name: str, arguments: Any) -> Told:
        result = self.ask("tools/call", {"name": name, "arguments": arguments, **self.session})
        return Told(
            result["isError"],
            result["content"][0]["text"],
            count_steps(self.api, self.handle),
        )

    def ask(self, method: str, params: Any) -> Any:
        return read_answer(self.api.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))[
            "result"
        ]


@dataclass
class AgentDoor:
    """The agent profile over streamable HTTP, in one of the eras."""

    api: httpx2.Client
    portal: BlockingPortal
    era: str
    handle: str = field(default="", init=False)
    url: str = field(default="", init=False)

    def start(self, scenario_id: str) -> None:
        answer = read_answer(self.api.post("/reset", json={"scenario_id": scenario_id}))
        self.handle, self.url = answer["observation"]["episode_id"], answer["info"]["agent_url"]

    def act(self, name: str, arguments: Any) -> Told:
        async def call() -> CallToolResult:
            async with Client(self.url, mode=self.era) as client:
                return await call_raw(client, name, arguments)

        return _read_result(self.portal.call(call), self.handle, count_steps(self.api, self.handle))


@dataclass
class OperatorDoor:
    """The operator profile on a connection of its own: SSE or stdio."""

    client: Client
    portal: BlockingPortal
    handle: str = field(default="", init=False)

    def start(self, scenario_id: str) -> None:
        if self.handle:
            self.portal.call(self.client.call_tool, "close_drill", {"episode_id": self.handle})
        self.handle = self.portal.call(start, self.client, scenario_id)

    def act(self, name: str, arguments: Any) -> Told:
        result = self.portal.call(call_raw, self.client, name, arguments)
        looked = self.portal.call(self.client.call_tool, "show_drill", {"episode_id": self.handle})
        return _read_result(result, self.handle, read_numbers(looked)["step_count"])


@contextmanager
def _open_operator(make: Callable[[], Any]) -> Iterator[OperatorDoor]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(Client(make(), mode=LEGACY)) as client:
        yield OperatorDoor(client, portal)


@contextmanager
def _open_agent(address: str, era: str) -> Iterator[AgentDoor]:
    with start_blocking_portal() as portal, httpx2.Client(base_url=address) as api:
        yield AgentDoor(api, portal, era)


@contextmanager
def _open_rest(address: str, **form: bool) -> Iterator[RestDoor]:
    with httpx2.Client(base_url=address) as api:
        yield RestDoor(api, **form)


@contextmanager
def _open_socket(address: str, **form: bool) -> Iterator[SocketDoor]:
    with open_talk(address) as talk:
        yield SocketDoor(talk, **form)


@contextmanager
def _open_rpc(address: str) -> Iterator[RpcDoor]:
    with httpx2.Client(base_url=address) as api:
        yield RpcDoor(api)


DOORS: dict[str, Callable[[str], AbstractContextManager[Door]]] = {
    "rest": _open_rest,
    "rest in OpenEnv's form": lambda address: _open_rest(address, enveloped=True),
    "rest by tools": lambda address: _open_rest(address, tools=True),
    "websocket": _open_socket,
    "websocket by tools": lambda address: _open_socket(address, tools=True),
    "plain JSON-RPC": _open_rpc,
    "streamable HTTP, 2026-07-28": lambda address: _open_agent(address, MODERN),
    "streamable HTTP, 2025-11-25": lambda address: _open_agent(address, LEGACY),
    "SSE": lambda address: _open_operator(lambda: sse_client(f"{address}/sse")),
    "stdio": lambda _: _open_operator(stdio),
}
"""How each door is opened on the server of an address; the last, stdio, has a process of its own."""


def start_over_rest(api: httpx2.Client, scenario_id: str) -> str:
    """Start a scenario over REST; its handle."""
    handle: str = read_answer(api.post("/reset", json={"scenario_id": scenario_id}))["observation"]["episode_id"]
    return handle


def count_steps(api: httpx2.Client, handle: str) -> int:
    """How many steps an episode has, over REST."""
    steps: int = read_answer(api.get("/state", params={"episode_id": handle}))["step_count"]
    return steps


def write_action(name: str, arguments: Any, *, tools: bool = False) -> dict[str, Any]:
    """An action in its bare form, or as OpenEnv calls a tool."""
    if tools:
        return {"type": "call_tool", "tool_name": name, "arguments": arguments}
    return {"action_type": name, "parameters": arguments}


def _read_observation(reply: dict[str, Any], steps: int) -> Told:
    seen = reply["observation"]
    if "tool_name" in seen:
        if seen["error"] is not None:
            return Told(True, seen["error"]["message"], steps)
        return Told(False, seen["result"]["content"][0]["text"], steps)
    return Told(False, json.dumps([seen["feedback"], seen["queried_data"], seen["last_action_error"]]), steps)


def _read_result(result: CallToolResult, handle: str, steps: int) -> Told:
    return Told(bool(result.is_error), read_text(result).replace(handle, "…"), steps)
