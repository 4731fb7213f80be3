"""Requests that the SDK would refuse without a word of what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import GetPromptResult, Request, RequestParams

from tests.doors import call_raw
from tests.mcp_server.playing import LEGACY, MODERN, read_text, start

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from mcp_server.binding import Callers

pytestmark = pytest.mark.anyio


class _PromptParams(RequestParams):
    name: Any
    arguments: Any = None


class _PromptRequest(Request[_PromptParams, Literal["prompts/get"]]):
    method: Literal["prompts/get"] = "prompts/get"
    params: _PromptParams
    name_param: ClassVar[str | None] = "name"


async def get_prompt(client: Client, name: Any, arguments: Any) -> GetPromptResult:
    request = _PromptRequest(params=_PromptParams(name=name, arguments=arguments))
    return await client.session.send_request(request, GetPromptResult)


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_arguments_may_be_json_text_and_what_is_none_is_a_refusal(server: Server[Callers], era: str) -> None:
    async with Client(server, mode=era) as client:
        handle = await start(client, "RP-001")
        text = f'{{"service": "postgres-db", "episode_id": "{handle}"}}'
        assert "postgres-db · logs" in read_text(await call_raw(client, "query_logs", text))
        assert not (await call_raw(client, "list_drills", None)).is_error
        assert not (await call_raw(client, "list_drills", "{}")).is_error
        for given in ([1], 7, "postgres-db", True):
            refused = await call_raw(client, "query_logs", given)
            assert refused.is_error
            assert 'Send {"service": "…"}' in read_text(refused)


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_malformed_parameters_are_named(server: Server[Callers], era: str) -> None:
    async with Client(server, mode=era) as client:
        prompts = (await client.list_prompts()).prompts
        with pytest.raises(MCPError, match=r"`params.arguments`: .*Nothing was changed") as refused:
            await get_prompt(client, prompts[0].name, [1])
        assert refused.value.code == -32602


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_arguments_of_a_prompt_may_be_null_or_no_text(server: Server[Callers], era: str) -> None:
    async with Client(server, mode=era) as client:
        await start(client, "RP-001")
        for prompt in (await client.list_prompts()).prompts:
            if any(argument.required for argument in prompt.arguments or ()):
                continue
            names = [argument.name for argument in prompt.arguments or ()]
            plain = await get_prompt(client, prompt.name, None)
            assert await get_prompt(client, prompt.name, dict.fromkeys(names)) == plain
            assert await get_prompt(client, prompt.name, "{}") == plain
