"""Environments on a server: over OpenEnv's REST and WebSocket, and over MCP."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, cast

from cloud_incident.evaluation.environments import Environment, RefusedError, Reply
from scenarios.vocabulary import ACTIONS, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2
    from mcp import Client
    from mcp_types import CallToolResult
    from websockets.asyncio.client import ClientConnection

    from env_core.observation import Observation, StepInfo
    from env_core.selection import Selection

_SECONDS = 60.0
_UNPROCESSABLE = 422


class ServerError(RuntimeError):
    """A server that answered with something else than an episode."""


def _options(selection: Selection) -> dict[str, Any]:
    return selection.model_dump(exclude_defaults=True)


def _reply(answer: Mapping[str, Any]) -> Reply:
    return Reply(answer["observation"], answer["reward"], answer["done"], answer["metadata"])


class Rest(Environment):
    """Over REST, the episode named in a header."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: httpx2.AsyncClient | None = None
        self._handle = ""

    async def reset(self, selection: Selection) -> Reply:
        await self._closed()
        answer = await self._posted("/reset", _options(selection))
        self._handle = answer["observation"]["episode_id"]
        return _reply(answer)

    async def step(self, action: Mapping[str, Any]) -> Reply:
        return _reply(await self._posted("/step", dict(action)))

    async def close(self) -> None:
        await self._closed()
        if self._client is not None:
            await self._client.aclose()

    async def _closed(self) -> None:
        if self._handle:
            with suppress(ServerError):  # a server that restarted, or forgot it, has nothing left to close
                await self._posted("/close", {})
            self._handle = ""

    async def _posted(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if self._client is None:
            from httpx2 import AsyncClient

            self._client = AsyncClient(base_url=self._address, timeout=_SECONDS)
        headers = {"X-Episode-Id": self._handle} if self._handle else {}
        answer = await self._client.post(path, json=body, headers=headers)
        if answer.status_code == _UNPROCESSABLE:
            raise RefusedError(answer.json()["detail"])
        if answer.is_error:
            raise ServerError(f"{path} answered {answer.status_code}: {answer.text[:300]}")
        told: dict[str, Any] = answer.json()
        return told


class WebSocket(Environment):
    """Over a WebSocket, which is one session."""

    def __init__(self, address: str) -> None:
        self._address = address.replace("http", "ws", 1) + "/ws"
        self._socket: ClientConnection | None = None

    async def reset(self, selection: Selection) -> Reply:
        return _reply(await self._said({"type": "reset", "data": _options(selection)}))

    async def step(self, action: Mapping[str, Any]) -> Reply:
        return _reply(await self._said({"type": "step", "data": dict(action)}))

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def _said(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._socket is None:
            from websockets.asyncio.client import connect

            self._socket = await connect(self._address, proxy=None, compression=None)
        await self._socket.send(json.dumps(message))
        answer = json.loads(await self._socket.recv())
        told: dict[str, Any] = answer["data"]
        if answer["type"] == "observation":
            return told
        if told["code"] == "VALIDATION_ERROR":
            raise RefusedError(told["message"])
        raise ServerError(f"{message['type']} was answered with {told['code']}: {told['message']}")


class Mcp(Environment):
    """Over MCP tools; the observation is put together from what they show."""

    def __init__(self, address: str) -> None:
        self._address = f"{address}/mcp"
        self._stack = AsyncExitStack()
        self._client: Client | None = None
        self._shown: Observation | None = None

    async def reset(self, selection: Selection) -> Reply:
        client = await self._connected()
        if self._shown is not None:
            await client.call_tool("close_incident", {"episode_id": self._shown["episode_id"]})
        started = await client.call_tool("start_incident", _options(selection))
        numbers = _numbers(started)
        handle = numbers["episode_id"]
        (alert,) = (await client.read_resource(f"incident://{handle}/alert")).contents
        self._shown = cast(
            "Observation",
            {
                **_known(numbers),
                "incident_summary": _text(started),
                "alert": json.loads(getattr(alert, "text", "{}")),
                "available_actions": numbers["available_actions"],
                "known_services": numbers["known_services"],
                "queried_data": {},
            },
        )
        return Reply(self._shown, 0.0, numbers["done"], _info(numbers, submitted=False))

    async def step(self, action: Mapping[str, Any]) -> Reply:
        name, parameters = str(action.get("action_type")), dict(action.get("parameters") or {})
        if name not in ACTIONS:
            raise RefusedError(f"Unknown action {name!r}. Valid actions: {', '.join(ACTIONS)}.")
        result, before = await self._called(name, parameters), self._shown
        numbers = result.structured_content
        if not isinstance(numbers, dict) or before is None:
            raise RefusedError(_text(result))
        spec = ACTIONS[name]
        shown = {**before, **_known(numbers)}
        if spec.kind is Kind.DIAGNOSTIC and numbers["last_action_error"] is None:
            service = str(parameters["service"]).strip().casefold()
            evidence = await self._evidence(name, parameters, result)
            queried = {**before["queried_data"].get(name, {}), service: evidence}
            shown["queried_data"] = {**before["queried_data"], name: queried}
        self._shown = cast("Observation", shown)
        submitted = spec.kind is Kind.SUBMISSION and numbers["last_action_error"] is None  # not another task's
        return Reply(self._shown, numbers["reward"], numbers["done"], _info(numbers, submitted=submitted))

    async def close(self) -> None:
        await self._stack.aclose()

    async def _connected(self) -> Client:
        if self._client is None:
            from mcp import Client

            self._client = await self._stack.enter_async_context(Client(self._address))
        return self._client

    async def _evidence(self, name: str, arguments: dict[str, Any], result: CallToolResult) -> str:
        """The evidence, all of its pages, without what is said of the step."""
        first, count = _read_page(result)
        pages = [first]
        for number in range(2, count + 1):
            further, _ = _read_page(await self._called(name, {**arguments, "page": number}))
            pages.append(further)
        return "\n".join(pages)

    async def _called(self, name: str, arguments: dict[str, Any]) -> CallToolResult:
        client, shown = await self._connected(), self._shown
        if shown is None:
            raise RuntimeError("reset first")
        return await client.call_tool(name, {**arguments, "episode_id": shown["episode_id"]})


def _text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)


def _numbers(result: CallToolResult) -> dict[str, Any]:
    if not isinstance(result.structured_content, dict):
        raise ServerError(_text(result))
    return result.structured_content


def _read_page(result: CallToolResult) -> tuple[str, int]:
    """The page of evidence that a result shows, and how many pages there are."""
    from mcp_server.meta import PAGE

    mark = (result.meta or {}).get(PAGE)
    if mark is None:
        raise ServerError(_text(result))
    return _text(result)[: mark["characters"]], mark["of"]


_NUMBERS = (
    "episode_id",
    "task_id",
    "scenario_id",
    "step_count",
    "max_steps",
    "cumulative_reward",
    "done",
    "feedback",
    "last_action_error",
)


def _known(numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: numbers[name] for name in _NUMBERS}


def _info(numbers: Mapping[str, Any], *, submitted: bool) -> StepInfo:
    info: StepInfo = {
        "reward_events": {},
        "terminated": numbers["done"] and submitted,
        "truncated": numbers["done"] and not submitted,
        "seed": None,
    }
    if "grade" in numbers:
        info["grade"] = numbers["grade"]
    return info


SURFACES: dict[str, type[Rest | WebSocket | Mcp]] = {"rest": Rest, "websocket": WebSocket, "mcp": Mcp}
"""The ways to a server, by name."""
