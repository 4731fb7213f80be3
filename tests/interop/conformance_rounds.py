"""The tools and the prompt of the MCP conformance suite that answer in rounds (2026-07-28).

In place of an answer they say what they need of the client, and the client calls again with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp_types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    GetPromptResult,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    Prompt,
    PromptMessage,
    SamplingMessage,
    TextContent,
)

from tests.interop.conformance_content import text
from tests.interop.conformance_tools import fixture, said

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp_types import CallToolRequestParams, CallToolResult, GetPromptRequestParams, InputRequest

    Context = ServerRequestContext[Any, Any]
    Answer = CallToolResult | InputRequiredResult
    Params = CallToolRequestParams | GetPromptRequestParams


def _form(message: str, **properties: Any) -> ElicitRequest:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def _ask_model(words: str) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=text(words))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=100))


def _asking(state: str | None = None, /, **requests: InputRequest) -> InputRequiredResult:
    return InputRequiredResult(input_requests=requests, request_state=state)


_NAME = _form("What is your name?", name={"type": "string"})
_CONFIRM = _form("Please confirm", ok={"type": "boolean"})


def _filled(params: Params, key: str, field: str) -> str | None:
    """What the user put in a field of a form, if the form came back."""
    answer = (params.input_responses or {}).get(key)
    if not isinstance(answer, ElicitResult) or answer.content is None or field not in answer.content:
        return None
    return str(answer.content[field])


async def _elicitation(_: Context, params: CallToolRequestParams) -> Answer:
    """Asks for a name."""
    name = _filled(params, "user_name", "name")
    return _asking(user_name=_NAME) if name is None else said(f"Hello, {name}!")


async def _sampling(_: Context, params: CallToolRequestParams) -> Answer:
    """Asks the client's model."""
    answer = (params.input_responses or {}).get("capital_question")
    if not isinstance(answer, CreateMessageResult) or not isinstance(answer.content, TextContent):
        return _asking(capital_question=_ask_model("What is the capital of France?"))
    return said(answer.content.text)


async def _roots(_: Context, params: CallToolRequestParams) -> Answer:
    """Asks for the client's roots."""
    answer = (params.input_responses or {}).get("client_roots")
    if not isinstance(answer, ListRootsResult):
        return _asking(client_roots=ListRootsRequest())
    return said(", ".join(str(root.uri) for root in answer.roots))


async def _state(_: Context, params: CallToolRequestParams) -> Answer:
    """Gives the client a state to bring back."""
    if params.request_state != "asked" or _filled(params, "confirm", "ok") is None:
        return _asking("asked", confirm=_CONFIRM)
    return said("state-ok")


async def _several(_: Context, params: CallToolRequestParams) -> Answer:
    """Asks for three things at once."""
    requests: dict[str, InputRequest] = {
        "user_name": _NAME,
        "greeting": _ask_model("Generate a greeting"),
        "client_roots": ListRootsRequest(),
    }
    if params.request_state is None or requests.keys() - (params.input_responses or {}).keys():
        return _asking("asked", **requests)
    return said("All inputs received.")


async def _two_rounds(_: Context, params: CallToolRequestParams) -> Answer:
    """Asks for one thing after the other."""
    step, _separator, name = (params.request_state or "").partition(":")
    given, color = _filled(params, "step1", "name"), _filled(params, "step2", "color")
    if step == "1" and given is not None:
        return _asking(f"2:{given}", step2=_form("Step 2: What is your favorite color?", color={"type": "string"}))
    if step == "2" and color is not None:
        return said(f"{name} likes {color}.")
    return _asking("1", step1=_form("Step 1: What is your name?", name={"type": "string"}))


async def _what_the_client_can(ctx: Context, _: CallToolRequestParams) -> Answer:
    """Asks only for what the client has said it can do."""
    can = ctx.session.client_capabilities
    requests: dict[str, InputRequest] = {}
    if can is not None and can.sampling is not None:
        requests["sample"] = _ask_model("Say hello")
    if can is not None and can.elicitation is not None:
        requests["ask"] = _NAME
    return _asking("asked", **requests)


async def _streaming(ctx: Context, params: CallToolRequestParams) -> Answer:
    """Reports progress, then asks for a name."""
    await ctx.session.report_progress(1, 2)
    return await _elicitation(ctx, params)


async def _prompt(_: Context, params: GetPromptRequestParams) -> GetPromptResult | InputRequiredResult:
    context = _filled(params, "user_context", "context")
    if context is None:
        return _asking(user_context=_form("What context should the prompt use?", context={"type": "string"}))
    return GetPromptResult(messages=[PromptMessage(role="user", content=text(f"Use this context: {context}"))])


TOOLS = [
    fixture("test_input_required_result_elicitation", _elicitation),
    fixture("test_input_required_result_sampling", _sampling),
    fixture("test_input_required_result_list_roots", _roots),
    fixture("test_input_required_result_request_state", _state),
    fixture("test_input_required_result_tampered_state", _state),
    fixture("test_input_required_result_multiple_inputs", _several),
    fixture("test_input_required_result_multi_round", _two_rounds),
    fixture("test_input_required_result_capabilities", _what_the_client_can),
    fixture("test_streaming_elicitation", _streaming),
]
PROMPTS = [(Prompt(name="test_input_required_result_prompt", description="Asks for the context."), _prompt)]
