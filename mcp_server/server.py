"""The MCP server: one profile of tools, resources, prompts and completion over the episode service."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
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

from env_core.calls import note_operation, note_refusal
from mcp_server.apps import App, declare
from mcp_server.binding import AgentBinding, Binding, BoundEpisode, Callers, OneCaller, OperatorBinding
from mcp_server.completion import Completions
from mcp_server.control import OLD_NAMES, ControlTools
from mcp_server.errors import explain_error, to_mcp_error
from mcp_server.instructions import OPERATOR, write_agent_instructions
from mcp_server.prompts import Prompts
from mcp_server.reading import read_request
from mcp_server.resources import EpisodeResources
from mcp_server.results import PAGE_CHARACTERS, StructuredContent, build_refusal
from mcp_server.tools import ActionTools, ServedTool
from scenarios.errors import CloudIncidentError
from scenarios.parsing import InvalidActionError
from scenarios.suggesting import suggest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from mcp.server.context import ServerMiddleware, ServerRequestContext
    from mcp_types import Tool

    from env_core.agent_keys import LocateAgent
    from env_core.episode import Episode
    from env_core.service import EpisodeService

    Context = ServerRequestContext[Callers, Any]

SERVER_NAME = "cloud-incident"
_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class _Handlers:
    """The request handlers of one profile."""

    binding: Binding
    tools: dict[str, ServedTool]
    resources: EpisodeResources
    prompts: Prompts
    completions: Completions
    structured: StructuredContent

    async def list_tools(self, ctx: Context, _: PaginatedRequestParams | None) -> ListToolsResult:
        try:
            offered = await self._find_offered(ctx)
        except CloudIncidentError as error:
            raise to_mcp_error(error) from error
        return ListToolsResult(tools=offered)

    async def call_tool(self, ctx: Context, params: CallToolRequestParams) -> CallToolResult:
        tool = self.find_tool(params.name)
        if tool is None:
            return await self._refuse_unknown(ctx, params.name)
        note_operation(tool.definition.name)
        return self.structured.fit(await tool.call(ctx, params.arguments or {}))

    async def list_resources(self, ctx: Context, _: PaginatedRequestParams | None) -> ListResourcesResult:
        return ListResourcesResult(resources=await self.resources.list_resources(ctx))

    async def list_templates(self, _: Context, __: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(resource_templates=self.resources.list_templates())

    async def read_resource(self, ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        return await self.resources.read_resource(ctx, str(params.uri))

    async def list_prompts(self, _: Context, __: PaginatedRequestParams | None) -> ListPromptsResult:
        return ListPromptsResult(prompts=self.prompts.list_prompts())

    async def get_prompt(self, ctx: Context, params: GetPromptRequestParams) -> GetPromptResult:
        return await self.prompts.render(ctx, params.name, params.arguments or {})

    async def complete(self, ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        return CompleteResult(completion=await self.completions.complete(ctx, params))

    async def _find_offered(self, ctx: Context) -> list[Tool]:
        """The tools that the caller is offered: every one, or those of the episode that it works."""
        episode = await self.binding.find_own(ctx)
        task = None if episode is None else episode.task
        return [tool.define_for(episode) for tool in self.tools.values() if tool.is_offered(task)]

    async def _refuse_unknown(self, ctx: Context, name: str) -> CallToolResult:
        note_refusal(InvalidActionError.code)
        try:
            offered = await self._find_offered(ctx)
        except CloudIncidentError as error:
            return build_refusal(explain_error(error))
        names = [tool.name for tool in offered]
        told = [
            f"There is no tool {name[:80]!r}; nothing was done.",
            suggest(name, names),
            f"Tools: {', '.join(names)}.",
        ]
        return build_refusal(" ".join(filter(None, told)))

    def find_tool(self, name: str) -> ServedTool | None:
        """The tool of a name that is listed, or of one that a control tool had earlier."""
        return self.tools.get(OLD_NAMES.get(name, name))

    def find_input_schema(self, name: str) -> dict[str, Any] | None:
        tool = self.find_tool(name)
        return None if tool is None else tool.definition.input_schema


def build_server(
    service: EpisodeService,
    *,
    version: str,
    callers: Callable[[], Callers] = OneCaller,
    bound: Callable[[Context], BoundEpisode] | None = None,
    episode: Episode | None = None,
    page_size: int = PAGE_CHARACTERS,
    structured: StructuredContent = StructuredContent.BOTH,
    app: str | None = None,
    training: bool = False,
    around: Sequence[ServerMiddleware[Any]] = (),
    locate_agent: LocateAgent | None = None,
) -> Server[Callers]:
    """An MCP server over an episode service.

    Without `bound` it has the operator profile: control tools, and episodes by their handles. `callers` tells
    connections apart: `OneCaller` where the lifespan is one connection, `CallersBySession` over streamable HTTP.

    With `bound`, which finds the one episode of a request, it has the agent profile: the actions on that episode and
    nothing else. Where that `episode` is known at launch, the instructions brief the agent.

    With `training` the operator may choose what trainers do, such as a split, and texts say what each step has earned.
    An agent's texts always do.

    `around` is called with each request before it is read, such as what logs it.

    `locate_agent` gives the addresses of agents' endpoints, where there are any, for results to carry.

    `app` is the page that clients able to show one draw beside the operator's results (see `mcp_server.apps`).
    """
    shown = App(app) if app is not None and bound is None else None
    handlers = _build_handlers(service, bound, page_size, structured, shown, locate_agent, training=training)

    @asynccontextmanager
    async def lifespan(_: Server[Callers]) -> AsyncIterator[Callers]:
        yield callers()

    server = Server(
        SERVER_NAME,
        version=version,
        title="Cloud Incident Drills (simulated)",
        description="Take the pager: investigate, repair and write up simulated cloud incidents, scored exactly. "
        "Nothing real is touched.",
        instructions=OPERATOR if bound is None else write_agent_instructions(episode),
        lifespan=lifespan,
        cache_hints={
            # An agent's tools are those of its task, and its endpoint knows which one that is.
            "tools/list": CacheHint(_HOUR_MS, "public" if bound is None else "private"),
            "prompts/list": CacheHint(_HOUR_MS, "public"),
            "resources/templates/list": CacheHint(_HOUR_MS, "public"),
        },
        get_tool_input_schema=handlers.find_input_schema,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
        on_completion=handlers.complete,
    )
    server.middleware.extend(around)
    server.middleware.append(read_request)
    if shown is not None:
        declare(server)
    return server


def _build_handlers(
    service: EpisodeService,
    bound: Callable[[Context], BoundEpisode] | None,
    page_size: int,
    structured: StructuredContent,
    app: App | None,
    locate_agent: LocateAgent | None,
    *,
    training: bool,
) -> _Handlers:
    operator = OperatorBinding(service)
    binding = operator if bound is None else AgentBinding(service, bound)
    takes_handle = bound is None
    rewards = training or not takes_handle
    control = ControlTools(service, operator, app, training, locate_agent).build_tools() if takes_handle else []
    actions = ActionTools(binding, takes_handle, page_size, app, rewards).build_tools()
    resources = EpisodeResources(binding, takes_handle, app, rewards)
    prompts = Prompts(binding, service.catalogue, takes_handle, rewards)
    return _Handlers(
        binding,
        {tool.definition.name: tool for tool in (*control, *actions)},
        resources,
        prompts,
        Completions(binding, service.catalogue, prompts, resources),
        structured,
    )
