"""Reading requests that the SDK would refuse without a word of what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from scenarios.errors import INVALID_PARAMS
from scenarios.given import read_object
from scenarios.parsing import WRAPPING

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

_MOST_PROBLEMS = 5


async def read_request(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Hand a request on, with arguments in a form that the SDK accepts.

    It refuses arguments of a tool that are no object, such as the JSON text of one. They are wrapped into an object
    here, and taken out again where arguments are parsed. It refuses arguments of a prompt that are not all texts.

    Raises:
        MCPError: if parameters of the request are malformed; the message says which.
    """
    arguments = ctx.params.get("arguments") if ctx.params is not None else None
    if arguments is not None and ctx.method == "tools/call" and not isinstance(arguments, dict):
        ctx = replace(ctx, params={**(ctx.params or {}), "arguments": {WRAPPING: arguments}})
    elif arguments is not None and ctx.method == "prompts/get":
        ctx = replace(ctx, params={**(ctx.params or {}), "arguments": _write_texts(read_object(arguments))})
    try:
        return await call_next(ctx)
    except ValidationError as error:
        problems = [_explain(item["loc"], item["msg"]) for item in error.errors(include_url=False)[:_MOST_PROBLEMS]]
        raise MCPError(INVALID_PARAMS, f"{ctx.method}: {'; '.join(problems)}. Nothing was changed.") from error


def _write_texts(arguments: object) -> object:
    """The arguments of a prompt as texts; null is left out."""
    if not isinstance(arguments, dict):
        return arguments
    return {
        name: value if isinstance(value, str | dict | list) else json.dumps(value)
        for name, value in arguments.items()
        if value is not None
    }


def _explain(where: tuple[int | str, ...], what: str) -> str:
    return f"`{'.'.join(map(str, where))[:80]}`: {what}"
