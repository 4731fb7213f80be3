"""The MCP server: one profile of tools, resources, prompts and completion over the episode service."""

from __future__ import annotations

from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
)

from mcp_server.binding import AgentBinding, Callers, OneCaller, OperatorBinding
from mcp_server.completion import Completions
from mcp_server.control import ControlTools
from mcp_server.prompts import Prompts
from mcp_server.resources import Resources
from mcp_server.results import PAGE_CHARACTERS, refusal
from mcp_server.tools import ActionTools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from env_core.service import EpisodeService
    from mcp.server.context import ServerRequestContext

    Context = ServerRequestContext[Callers, Any]

SERVER_NAME = "cloud-incident"
_HOUR_MS = 3_600_000


class Profile(StrEnum):
    """Who is at the other end: a person who runs the simulation, or an agent under test inside one episode."""

    OPERATOR = "operator"
    AGENT = "agent"


_WORKFLOW = """\
1. Query evidence with query_logs, check_metrics, check_dependencies, check_recent_deploys, check_service_status. Follow what
   failing services depend on; compare onset times with changes. Each call is a step, steps are limited, repeats cost points.
2. alert_classification: submit_severity (P1-P4) by real effect on users and revenue, not by the alert's label.
3. root_cause_analysis: see evidence on two services or more that establishes the cause, then submit_root_cause.
4. remediation_planning: establish the cause, repair it, then what it broke, in order; look at a diagnostic to see the recovery,
   run the verification steps of the runbook, then submit_resolution with three sentences or more.
Wrong or premature remediations cost points and can do harm. Service names must be exact. The submission ends the incident and
returns its score, 0.0 to 1.0. Long evidence comes in pages: the same call with page=2 is not a step."""

_OPERATOR = f"""\
Cloud incident response, simulated exactly. Begin with start_incident: it returns a briefing and an episode_id, which later calls
need only when several incidents are open. Then:
{_WORKFLOW}
The resource oncall://guide has the severity matrix, the runbook catalogue and the rules of scoring."""

_AGENT = "You are on call for one cloud incident; its alert is in the resource incident://current/briefing."
_INSTRUCTIONS_LIMIT = 2000
"""Clients cut instructions at 2,048 characters."""


def agent_instructions(briefing: str) -> str:
    """Instructions of the agent profile: the briefing if it fits beside the workflow, else where it is found."""
    full = f"You are on call for this incident.\n\n{briefing}\n\n{_WORKFLOW}"
    return full if len(full) < _INSTRUCTIONS_LIMIT else f"{_AGENT}\n{_WORKFLOW}"


def build_server(
    service: EpisodeService,
    profile: Profile = Profile.OPERATOR,
    *,
    version: str,
    callers: Callable[[], Callers] = OneCaller,
    bound: Callable[[Context], str] | None = None,
    briefing: str = "",
    page_size: int = PAGE_CHARACTERS,
) -> Server[Callers]:
    """An MCP server for one profile.

    `callers` tells connections apart (`OneCaller` where the lifespan is one connection, `CallersBySession` over
    streamable HTTP). The agent profile needs `bound`, which finds the episode of a request; `briefing` goes into its
    instructions where there is one episode for all.
    """
    named = profile is Profile.OPERATOR
    operator = OperatorBinding(service)
    if bound is None and not named:
        raise ValueError("the agent profile needs the episode it is bound to")
    binding = AgentBinding(service, bound) if bound is not None else operator
    control = ControlTools(service, operator).served() if named else []
    tools = {
        tool.definition.name: tool
        for tool in (*control, *ActionTools(service, binding, named, page_size).served())
    }
    resources = Resources(binding, named)
    prompts = Prompts(binding, named)
    completions = Completions(binding, service.catalogue, prompts, resources)

    async def list_tools(_: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[tool.definition for tool in tools.values()])

    async def call_tool(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
        tool = tools.get(params.name)
        if tool is None:
            return refusal(f"There is no tool {params.name[:80]!r}. Tools: {', '.join(tools)}.")
        return await tool.handler(ctx, params.arguments or {})

    async def list_resources(ctx: Context, _: PaginatedRequestParams | None) -> ListResourcesResult:
        return ListResourcesResult(resources=await resources.listed(ctx))

    async def list_templates(_: Context, __: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(resource_templates=resources.templates())

    async def read_resource(ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        return await resources.read(ctx, str(params.uri))

    async def list_prompts(_: Context, __: PaginatedRequestParams | None) -> ListPromptsResult:
        return ListPromptsResult(prompts=prompts.listed())

    async def get_prompt(ctx: Context, params: GetPromptRequestParams) -> GetPromptResult:
        return await prompts.rendered(ctx, params.name, params.arguments or {})

    async def complete(ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        return CompleteResult(completion=await completions.complete(ctx, params))

    @asynccontextmanager
    async def lifespan(_: Server[Callers]) -> AsyncIterator[Callers]:
        yield callers()

    return Server(
        SERVER_NAME,
        version=version,
        title="Cloud Incident Response",
        description="Take the pager: investigate, repair and write up simulated cloud incidents, scored exactly.",
        instructions=_OPERATOR if named else agent_instructions(briefing),
        lifespan=lifespan,
        cache_hints={
            "tools/list": CacheHint(_HOUR_MS, "public"),
            "prompts/list": CacheHint(_HOUR_MS, "public"),
            "resources/templates/list": CacheHint(_HOUR_MS, "public"),
        },
        get_tool_input_schema=lambda name: tools[name].definition.input_schema if name in tools else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
    )
