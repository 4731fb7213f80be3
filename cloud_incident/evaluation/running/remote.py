"""Environments on a server, over OpenEnv's REST and WebSocket and over MCP."""

from __future__ import annotations

import json
import re
import uuid
from abc import abstractmethod
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, cast

from cloud_incident.evaluation.running.environments import Environment, EnvironmentReply, RefusedError
from scenarios.vocabulary import ACTIONS, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2
    from mcp import Client
    from mcp_types import CallToolResult
    from websockets.asyncio.client import ClientConnection

    from env_core.observation import Observation, StepInfo
    from env_core.review import CurvesReport
    from env_core.selection import Selection

_SECONDS = 60.0
"""How long a REST request may take."""
_MCP_SECONDS = 300.0
"""How long a request of MCP may take, which may be a stream of events."""
_UNPROCESSABLE, _NO_ACCESS = 422, {401, 403}
_TOKEN = re.compile(r"[!-~]+")
_START = "start_drill"
_PAGE = "cloud-incident/page"
"""The key in `_meta` of a result that says which page of evidence it shows."""


class ServerError(RuntimeError):
    """The server answered with something else than an episode. The message quotes it."""


class AccessError(RuntimeError):
    """The server asks for a token, or for another one. The message says how it is given."""


_HOW_GIVEN = "--token-file or CLOUD_INCIDENT_TOKEN gives a token of scope `operate`"


def read_token(text: str) -> str:
    """The bearer token that a text holds, such as that of a file with one line; "" if the text is blank.

    Raises:
        ValueError: if it holds something else. The message does not repeat it.
    """
    token = text.strip()
    if token and not _TOKEN.fullmatch(token):
        raise ValueError("A token is one word of ASCII characters, as `cloud-incident tokens add` prints it.")
    return token


def _authorize(token: str) -> dict[str, str]:
    """The headers that send a token, to the host that was named alone: no client here takes it along elsewhere."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def _dump_selection(selection: Selection) -> dict[str, Any]:
    return selection.model_dump(exclude_defaults=True)


def _dump_drill(selection: Selection) -> dict[str, Any]:
    """What a selection is to `start_drill`, which takes what trainers choose only where it is launched for them.

    A seed that is only noted beside a scenario is left out.

    Raises:
        RefusedError: if it names a scenario by its index in a task, for which the tool has no parameter.
    """
    if selection.scenario_index is not None:
        raise RefusedError("Over MCP a scenario is named by its id, not by scenario_index.")
    incident = selection.scenario_id
    if not incident and selection.seed is not None:
        incident = str(selection.seed)
    elif selection.random:
        incident = "random"
    same = {"task_id", "difficulty", "split", "index", "reward_mode", "observation", "episode_id"}
    arguments = selection.model_dump(include=same, exclude_defaults=True)
    return {**arguments, "incident": incident} if incident else arguments


def _build_reply(answer: Mapping[str, Any]) -> EnvironmentReply:
    return EnvironmentReply(answer["observation"], answer["reward"], answer["done"], answer["metadata"])


def _check_incarnation(opened: str, graded: str) -> None:
    """Check that what was graded is what was opened, since others on the server may have opened the handle anew.

    Raises:
        ServerError: if it is not.
    """
    if opened != graded:
        raise ServerError(f"what is graded is not what was opened: incarnation {graded} in place of {opened}")


class RemoteEnvironment(Environment):
    """An environment on the server at an address, which may ask for a bearer token."""

    def __init__(self, address: str, token: str = "") -> None:
        self._server = address
        self._headers = _authorize(token)

    @abstractmethod
    async def ask_version(self) -> str:
        """Ask the server for its version, and whether it lets episodes be played. None is started.

        Raises:
            ServerError: if what answers is not a server of incidents.
            AccessError: if the token does not let an episode be played.
        """


async def _ask_over_http(address: str, headers: Mapping[str, str]) -> str:
    """Ask a server for its version, which `/health` tells, or else `/metadata`, and whether the headers do.

    Raises:
        ServerError: if neither tells the version.
        AccessError: if the headers do not let an episode be graded.
    """
    from httpx2 import AsyncClient

    answers = []
    async with AsyncClient(base_url=address, timeout=_SECONDS, headers=headers) as client:
        for path in ("/health", "/metadata"):
            answer = await client.get(path)
            told = answer.json() if _holds_json(answer) else None
            version = told.get("version") if isinstance(told, dict) else None
            if answer.is_success and isinstance(version, str) and version:
                _check_access(await client.get("/grader", params={"episode_id": str(uuid.uuid4())}))
                return version
            answers.append(f"{path} answered {answer.status_code}")
    raise ServerError(f"{' and '.join(answers)}, without a version; that is no server of incidents")


def _check_access(answer: httpx2.Response) -> None:
    """Check that an answer is none that asks for a token, or for another one.

    Raises:
        AccessError: if it is.
    """
    if answer.status_code in _NO_ACCESS and "www-authenticate" in answer.headers:
        detail = answer.json().get("detail") if _holds_json(answer) else answer.text[:300]
        raise AccessError(f"{detail} {_HOW_GIVEN}")


def _find_curves(told: Mapping[str, Any]) -> CurvesReport | None:
    """Find the curves in what is told at the end of an episode."""
    review = (told.get("debrief") or {}).get("review") or {}
    curves: CurvesReport | None = review.get("curves")
    return curves


def _holds_json(answer: httpx2.Response) -> bool:
    return answer.headers.get("content-type", "").startswith("application/json")


class RestEnvironment(RemoteEnvironment):
    """Plays over REST. A header names the episode, and its grade is asked for by its incarnation."""

    def __init__(self, address: str, token: str = "") -> None:
        super().__init__(address, token)
        self._client: httpx2.AsyncClient | None = None
        self._handle = ""
        self._incarnation = ""
        self._curves: CurvesReport | None = None

    async def ask_version(self) -> str:
        return await _ask_over_http(self._server, self._headers)

    async def reset(self, selection: Selection) -> EnvironmentReply:
        await self._close_episode()
        self._curves = None
        answer = await self._ask("POST", "/reset", json=_dump_selection(selection))
        self._handle, self._incarnation = answer["observation"]["episode_id"], answer["info"]["incarnation"]
        return _build_reply(answer)

    async def step(self, action: Mapping[str, Any]) -> EnvironmentReply:
        answer = await self._ask("POST", "/step", params=self._named, json=dict(action))
        if answer["done"]:
            graded = await self._ask("GET", "/grader", params=self._named)
            _check_incarnation(self._incarnation, graded["incarnation"])
            answer["metadata"]["grade"] = {name: graded[name] for name in ("score", "breakdown")}
            self._curves = _find_curves(graded)
        return _build_reply(answer)

    async def tell_curves(self) -> CurvesReport | None:
        return self._curves

    async def close(self) -> None:
        await self._close_episode()
        if self._client is not None:
            await self._client.aclose()

    async def _close_episode(self) -> None:
        if self._handle:
            with suppress(ServerError):  # the server may have restarted or forgotten the episode
                await self._ask("POST", "/close", json=self._named)
            self._handle = ""

    @property
    def _named(self) -> dict[str, str]:
        return {"incarnation": self._incarnation}

    async def _ask(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        if self._client is None:
            from httpx2 import AsyncClient

            self._client = AsyncClient(base_url=self._server, timeout=_SECONDS, headers=self._headers)
        headers = {"X-Episode-Id": self._handle} if self._handle else {}
        answer = await self._client.request(method, path, headers=headers, **sent)
        if answer.status_code == _UNPROCESSABLE:
            raise RefusedError(answer.json()["detail"])
        if answer.is_error:
            raise ServerError(f"{path} answered {answer.status_code}: {answer.text[:300]}")
        body_of_answer: dict[str, Any] = answer.json()
        return body_of_answer


class WebSocketEnvironment(RemoteEnvironment):
    """Plays over a WebSocket. One connection is one session."""

    def __init__(self, address: str, token: str = "") -> None:
        super().__init__(address, token)
        self._address = address.replace("http", "ws", 1) + "/ws"
        self._socket: ClientConnection | None = None
        self._handle = ""
        self._incarnation = ""

    async def ask_version(self) -> str:
        return await _ask_over_http(self._server, self._headers)

    async def reset(self, selection: Selection) -> EnvironmentReply:
        answer = await self._exchange({"type": "reset", "data": _dump_selection(selection)})
        self._incarnation = answer["metadata"]["incarnation"]
        self._handle = answer["observation"]["episode_id"]
        return _build_reply(answer)

    async def step(self, action: Mapping[str, Any]) -> EnvironmentReply:
        answer = await self._exchange({"type": "step", "data": dict(action)})
        if answer["done"]:
            _check_incarnation(self._incarnation, (await self._exchange({"type": "state"}))["incarnation"])
        return _build_reply(answer)

    async def tell_curves(self) -> CurvesReport | None:
        from httpx2 import AsyncClient

        async with AsyncClient(base_url=self._server, timeout=_SECONDS, headers=self._headers) as client:
            named = {"episode_id": self._handle, "incarnation": self._incarnation}
            answer = await client.get("/grader", params=named)
        return _find_curves(answer.raise_for_status().json())

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._socket is None:
            from websockets.asyncio.client import connect

            self._socket = await connect(self._address, additional_headers=self._headers, proxy=None, compression=None)
        await self._socket.send(json.dumps(message))
        answer = json.loads(await self._socket.recv())
        data: dict[str, Any] = answer["data"]
        if answer["type"] in {"observation", "state"}:
            return data
        if data["code"] == "VALIDATION_ERROR":
            raise RefusedError(data["message"])
        raise ServerError(f"{message['type']} was answered with {data['code']}: {data['message']}")


class McpEnvironment(RemoteEnvironment):
    """Plays over MCP tools. The observation is put together from what they show.

    It plays as an operator does: at the endpoint of an agent, actions that are not of the task are refused, which
    elsewhere are steps, and that endpoint may be in a network of the agents alone.
    """

    def __init__(self, address: str, token: str = "") -> None:
        super().__init__(address, token)
        self._address = f"{address}/mcp"
        self._stack = AsyncExitStack()
        self._client: Client | None = None
        self._shown: Observation | None = None
        self._incarnation = ""

    async def ask_version(self) -> str:
        try:
            return await _ask_over_http(self._server, self._headers)
        except ServerError:  # a server may have MCP alone
            client = await self._connect()
        if all(tool.name != _START for tool in (await client.list_tools()).tools):
            raise AccessError(f"{_START} is not offered there. {_HOW_GIVEN}")
        if client.server_info is None:
            raise ServerError("the server does not say its version")
        return client.server_info.version

    async def reset(self, selection: Selection) -> EnvironmentReply:
        client = await self._connect()
        if self._shown is not None:
            await client.call_tool("close_drill", {"episode_id": self._shown["episode_id"]})
        started = await client.call_tool(_START, _dump_drill(selection))
        content = _get_structured(started)
        handle, self._incarnation = content["episode_id"], content["incarnation"]
        (alert,) = (await client.read_resource(f"incident://{handle}/alert")).contents
        self._shown = cast(
            "Observation",
            {
                **_pick_observation(content),
                "incident_summary": _join_text(started),
                "alert": json.loads(getattr(alert, "text", "{}")),
                "available_actions": content["available_actions"],
                "known_services": content["known_services"],
                "queried_data": {},
            },
        )
        return EnvironmentReply(self._shown, 0.0, content["done"], _build_info(content, submitted=False))

    async def step(self, action: Mapping[str, Any]) -> EnvironmentReply:
        name, parameters = str(action.get("action_type")), dict(action.get("parameters") or {})
        if name not in ACTIONS:
            raise RefusedError(f"Unknown action {name!r}. Valid actions: {', '.join(ACTIONS)}.")
        result, before = await self._call(name, parameters), self._shown
        content = result.structured_content
        if not isinstance(content, dict) or before is None:
            raise RefusedError(_join_text(result))
        spec = ACTIONS[name]
        shown = {**before, **_pick_observation(content)}
        if spec.kind is Kind.DIAGNOSTIC and content["last_action_error"] is None:
            service = str(parameters["service"]).strip().casefold()
            evidence = await self._collect_evidence(name, parameters, result)
            queried = {**before["queried_data"].get(name, {}), service: evidence}
            shown["queried_data"] = {**before["queried_data"], name: queried}
        self._shown = cast("Observation", shown)
        if content["done"]:
            content = {**content, "grade": await self._ask_grade(before["episode_id"])}
        # The submission of another task is an error and ends nothing.
        submitted = spec.kind is Kind.SUBMISSION and content["last_action_error"] is None
        return EnvironmentReply(
            self._shown, content["reward"], content["done"], _build_info(content, submitted=submitted)
        )

    async def tell_curves(self) -> CurvesReport | None:
        client, shown = await self._connect(), self._shown
        if shown is None:
            return None
        (frames,) = (await client.read_resource(f"incident://{shown['episode_id']}/frames")).contents
        return _find_curves(json.loads(getattr(frames, "text", "[{}]"))[-1])

    async def close(self) -> None:
        await self._stack.aclose()

    async def _connect(self) -> Client:
        if self._client is None:
            from httpx2 import AsyncClient
            from mcp import Client
            from mcp.client.streamable_http import streamable_http_client

            http = await self._stack.enter_async_context(AsyncClient(headers=self._headers, timeout=_MCP_SECONDS))
            transport = streamable_http_client(self._address, http_client=http)
            self._client = await self._stack.enter_async_context(Client(transport))
        return self._client

    async def _ask_grade(self, handle: str) -> dict[str, Any]:
        graded = _get_structured(await (await self._connect()).call_tool("grade_drill", {"episode_id": handle}))
        _check_incarnation(self._incarnation, graded["incarnation"])
        grade: dict[str, Any] = graded["grade"]
        return grade

    async def _collect_evidence(self, name: str, arguments: dict[str, Any], result: CallToolResult) -> str:
        """Collect all pages of the evidence, without the feedback on the step."""
        numbers = range(2, _read_mark(result)["of"] + 1)
        further = [await self._call(name, {**arguments, "page": number}) for number in numbers]
        return "\n".join(_read_page(page) for page in (result, *further))

    async def _call(self, name: str, arguments: dict[str, Any]) -> CallToolResult:
        client, shown = await self._connect(), self._shown
        if shown is None:
            raise RuntimeError("reset first")
        return await client.call_tool(name, {**arguments, "episode_id": shown["episode_id"]})


def _join_text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)


def _read_mark(result: CallToolResult) -> Mapping[str, int]:
    """Which page of evidence a result shows: its number, of how many, and how many characters of the text it takes."""
    mark: Mapping[str, int] = (result.meta or {})[_PAGE]
    return mark


def _read_page(result: CallToolResult) -> str:
    return _join_text(result)[: _read_mark(result)["characters"]]


def _get_structured(result: CallToolResult) -> dict[str, Any]:
    if not isinstance(result.structured_content, dict):
        raise ServerError(_join_text(result))
    return result.structured_content


_OBSERVATION_FIELDS = (
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


def _pick_observation(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: content[name] for name in _OBSERVATION_FIELDS}


def _build_info(content: Mapping[str, Any], *, submitted: bool) -> StepInfo:
    info: StepInfo = {
        "reward_events": {},
        "terminated": content["done"] and submitted,
        "truncated": content["done"] and not submitted,
        "seed": None,
    }
    if "grade" in content:
        info["grade"] = content["grade"]
    return info


SURFACES: dict[str, type[RemoteEnvironment]] = {
    "rest": RestEnvironment,
    "websocket": WebSocketEnvironment,
    "mcp": McpEnvironment,
}
"""The environments on a server, by the name of the surface."""
