"""An OpenAI-compatible model server that plays perfectly, with whatever trouble the model's name asks for.

`perfect` calls tools, or writes JSON where it is offered none; `fenced` writes it between fences, `prose` in a
sentence. Any name of `TROUBLES` does that instead, `500*2` only in the first two requests that a key makes for it.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from env_core.perfect import play_perfectly
from scenarios.catalogue import Catalogue
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from starlette.requests import Request

Body = dict[str, Any]

_BRIEFED = re.compile(r"^(\S+) · .+ · \d+ steps$", re.MULTILINE)
_STANDING = re.compile(r"Step (\d+) of \d+;")
_CATALOGUE = Catalogue()
TOKENS = (100, 10)
"""What every answer takes: tokens in and out."""

SLOW_SECONDS = 30
"""How long the model called slow does not answer."""


class ScriptedModel:
    """The server's application, and what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Body] = []
        self._asked: Counter[tuple[str, str]] = Counter()
        self.app = Starlette(routes=[Route("/v1/chat/completions", self._answer, methods=["POST"])])
        self.address = ""

    def of(self, model: str) -> list[Body]:
        """What was asked of one model, oldest first."""
        return [body for body in self.requests if body["model"] == model]

    async def _answer(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        _check(body["messages"])
        trouble, _, times = body["model"].partition("*")
        key = (request.headers["authorization"], body["model"])
        self._asked[key] += 1
        spared = times and self._asked[key] > int(times.partition(":")[0])
        answer = TROUBLES.get(trouble.partition(":")[0])
        return _perfect(body) if spared or answer is None else await answer(body)


def _check(messages: list[Body]) -> None:
    """Strict servers insist on this much."""
    for message, following in pairwise([*messages, {"role": "end"}]):
        for call in message.get("tool_calls", ()):
            assert re.fullmatch(r"[A-Za-z0-9_-]+", call["function"]["name"])
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
            assert following["tool_call_id"] == call["id"]
        assert isinstance(message["content"], str)


def move(body: Body) -> tuple[str, Body]:
    """The next action of perfect play, as far as the conversation has come."""
    said = "\n".join(str(message["content"]) for message in body["messages"])
    (scenario_id,) = set(_BRIEFED.findall(said))
    scenario = _CATALOGUE.get(scenario_id)
    standing = _STANDING.findall(said)
    action = play_perfectly(scenario.incident, scenario.task)[int(standing[-1]) if standing else 0].dump()
    return action["action_type"], action["parameters"]


def _completion(message: Body) -> Response:
    usage = {"prompt_tokens": TOKENS[0], "completion_tokens": TOKENS[1], "total_tokens": sum(TOKENS)}
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return JSONResponse({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage})


def _calling(name: str, arguments: str) -> Response:
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return _completion({"content": None, "tool_calls": [call, call]})


def _written(body: Body) -> str:
    name, parameters = move(body)
    return json.dumps({"action_type": name, "parameters": parameters})


def _perfect(body: Body) -> Response:
    if "tools" not in body:
        return _completion({"content": _written(body)})
    name, parameters = move(body)
    assert name in [tool["function"]["name"] for tool in body["tools"]]
    return _calling(name, json.dumps(parameters))


def _error(status: int, message: str, headers: dict[str, str] | None = None, code: str = "") -> Response:
    return JSONResponse({"error": {"message": message, "code": code}}, status, headers)


async def _fenced(body: Body) -> Response:
    return _completion({"content": f"```json\n{_written(body)}\n```"})


async def _prose(body: Body) -> Response:
    said = f"<think>{{maybe}} I {{could}} wait.</think>The set {{a, b}} is down, so I do {_written(body)} now. {{}}"
    return _completion({"content": said})


async def _no_tools(body: Body) -> Response:
    return _error(400, "tools are not supported by this model") if "tools" in body else _perfect(body)


async def _no_temperature(body: Body) -> Response:
    if "temperature" in body:
        return _error(400, "Unsupported value: 'temperature' does not support 0.0 with this model.")
    return _error(422, "Use max_completion_tokens, not max_tokens.") if "max_tokens" in body else _perfect(body)


async def _silent(body: Body) -> Response:
    return _completion({"content": "I would look at the logs first."}) if "tools" in body else _perfect(body)


async def _mumbling(_: Body) -> Response:
    return _completion({"content": "Hm. {not json} {"})


async def _unknown_tool(_: Body) -> Response:
    return _calling("reboot the world!", '{"service": "x"}')


async def _missing_argument(_: Body) -> Response:
    return _calling("query_logs", "{}")


async def _broken_arguments(_: Body) -> Response:
    return _calling("query_logs", '{"service": "api-gate')


async def _half_characters(_: Body) -> Response:
    return Response(
        b'{"choices": [{"message": {"content": "\\ud800", "tool_calls": [{"id": "\\ud800", "function": '
        b'{"name": "query_logs", "arguments": "{\\"service\\": \\"\\\\ud800\\"}"}}]}}]}',
        media_type="application/json",
    )


async def _no_choices(_: Body) -> Response:
    return JSONResponse({"choices": [], "usage": None})


async def _not_json(_: Body) -> Response:
    return Response(b'{"choices": [', media_type="application/json")


async def _page(_: Body) -> Response:
    return PlainTextResponse("<html>Welcome to the captive portal</html>")


async def _dropped(_: Body) -> Response:
    return Response(b"{", headers={"Content-Length": "1000"}, media_type="application/json")


async def _slow(_: Body) -> Response:
    await anyio.sleep(SLOW_SECONDS)
    raise AssertionError


async def _dripping(_: Body) -> Response:
    async def drops() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await anyio.sleep(0.02)

    return StreamingResponse(drops(), media_type="application/json")


def _status(
    status: int, message: str, headers: dict[str, str] | None = None, code: str = ""
) -> Callable[[Body], Awaitable[Response]]:
    async def answer(_: Body) -> Response:
        return _error(status, message, headers, code)

    return answer


TROUBLES: dict[str, Callable[[Body], Awaitable[Response]]] = {
    "fenced": _fenced,
    "prose": _prose,
    "no-tools": _no_tools,
    "no-temperature": _no_temperature,
    "silent": _silent,
    "mumbling": _mumbling,
    "unknown-tool": _unknown_tool,
    "missing-argument": _missing_argument,
    "broken-arguments": _broken_arguments,
    "half-characters": _half_characters,
    "no-choices": _no_choices,
    "not-json": _not_json,
    "page": _page,
    "dropped": _dropped,
    "slow": _slow,
    "dripping": _dripping,
    "400": _status(400, "context length exceeded"),
    "401": _status(401, "Incorrect API key provided: secret-key-of-mine"),
    "403": _status(403, "\x1b[31mForbidden\n"),
    "404": _status(404, "The model does not exist"),
    "429": _status(429, "Slow down", {"Retry-After": "0.3"}),
    "429-hour": _status(429, "Slow down", {"Retry-After": "3600"}),
    "429-quota": _status(429, "You exceeded your quota", code="insufficient_quota"),
    "500": _status(500, "Internal error"),
}


@contextmanager
def serving() -> Iterator[ScriptedModel]:
    """The server on a thread of its own."""
    model, port = ScriptedModel(), free_port()
    model.address = f"http://127.0.0.1:{port}/v1"
    config = uvicorn.Config(
        model.app, port=port, log_level="critical", ws="none", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        _await(server)
        yield model
    finally:
        server.should_exit = True
        thread.join(10)


def _await(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > deadline:
            raise RuntimeError("the scripted model did not start in time")
        time.sleep(0.01)
