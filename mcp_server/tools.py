"""The action tools, derived from the vocabulary, and how any tool is declared and called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from mcp_types import CallToolResult, Tool, ToolAnnotations
from pydantic import Field, StringConstraints

from mcp_server.apps import MODEL_ONLY, App, has_picture
from mcp_server.errors import explain_refused_action
from mcp_server.meta import EPISODE_ID
from mcp_server.results import PAGE_CHARACTERS, build_further_page, build_refusal, build_step_result
from scenarios.errors import CloudIncidentError
from scenarios.given import Given
from scenarios.parsing import open_arguments, parse_action, parse_arguments
from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import ACTIONS, ActionDeclaration

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import ServerRequestContext

    from env_core.episode import Episode
    from mcp_server.binding import Binding


SIMULATED = "Simulated incident; nothing real is touched."
"""Begins the description of every tool: a client may have tools of a live system beside these."""


class Arguments(Given):
    """Arguments that tools add to an action's own parameters."""


class Paging(Arguments):
    page: int = Field(default=1, ge=1, le=10_000, description="Page of evidence already returned; not a step.")


class OnEpisode(Arguments):
    episode_id: Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)] = Field(
        default="", description="Handle from start_drill. Empty: the drill that is open here."
    )


class ToolHandler(Protocol):
    """Does what one tool is called for.

    Raises:
        CloudIncidentError: if the call is refused.
    """

    async def __call__(self, ctx: ServerRequestContext[Any, Any], arguments: dict[str, Any]) -> CallToolResult: ...


@dataclass(frozen=True, slots=True)
class ServedTool:
    """A tool's definition as listed, what does its work, and what it says of an error."""

    definition: Tool
    handler: ToolHandler
    explain: Callable[[CloudIncidentError], str]

    async def call(self, ctx: ServerRequestContext[Any, Any], arguments: dict[str, Any]) -> CallToolResult:
        """Answer a call. A refusal is a result that the model can act on, never an exception."""
        try:
            return await self.handler(ctx, arguments)
        except CloudIncidentError as error:
            return build_refusal(self.explain(error))


def define_tool(
    name: str,
    title: str,
    description: str,
    input_schema: dict[str, Any],
    hints: ToolAnnotations,
    meta: dict[str, Any] | None,
) -> Tool:
    """The definition of a tool as it is listed, which says that it acts in a simulation.

    `hints` say what the tool does there; no tool reaches anything beyond.
    """
    title = f"{title} (simulated)"
    return Tool(
        name=name,
        title=title,
        description=f"{SIMULATED} {description}",
        input_schema=input_schema,
        annotations=hints.model_copy(update={"title": title, "open_world_hint": False}),
        meta=meta,
    )


def add_meta(
    ctx: ServerRequestContext[Any, Any], app: App | None, episode: Episode, result: CallToolResult, *, whole: bool
) -> CallToolResult:
    """Add the handle to a result in the operator profile and, where an `app` draws it, the picture. Gives that result.

    `whole`: the picture is of every step, and not of the last alone.
    """
    picture = app.draw(ctx, episode, whole=whole) if app is not None else {}
    result.meta = {**(result.meta or {}), EPISODE_ID: episode.id, **picture}
    return result


@dataclass(frozen=True, slots=True)
class ActionTools:
    """The tools of the action vocabulary over one binding. With `takes_handle`, each takes the episode's handle."""

    binding: Binding
    takes_handle: bool
    page_size: int = PAGE_CHARACTERS
    app: App | None = None
    rewards: bool = True
    """Whether results say in words what a step has earned."""

    def build_tools(self) -> list[ServedTool]:
        """One tool for each action."""
        return [
            ServedTool(self._define(action), _ActionCall(self, action), self._explain) for action in ACTIONS.values()
        ]

    def list_extras(self, action: ActionDeclaration) -> list[type[Arguments]]:
        """What the tool of an action takes beside the action's parameters."""
        paging: list[type[Arguments]] = [Paging] if action.read_only else []
        return [*paging, OnEpisode] if self.takes_handle else paging

    def fit_to_profile(
        self,
        ctx: ServerRequestContext[Any, Any],
        action: ActionDeclaration,
        episode: Episode,
        result: CallToolResult,
        *,
        whole: bool,
    ) -> CallToolResult:
        """A result as the profile shows it: no handle for an agent under test, handle and picture for an operator."""
        if self.takes_handle:
            return add_meta(ctx, self.app if has_picture(action) else None, episode, result, whole=whole)
        if result.structured_content is not None:
            del result.structured_content["episode_id"]
        return result

    def _define(self, action: ActionDeclaration) -> Tool:
        return define_tool(
            action.name,
            action.title,
            action.description,
            build_arguments_schema(action.parameters, *self.list_extras(action)),
            ToolAnnotations(
                read_only_hint=action.read_only, destructive_hint=action.destructive, idempotent_hint=False
            ),
            MODEL_ONLY if self.app is not None and has_picture(action) else None,
        )

    def _explain(self, error: CloudIncidentError) -> str:
        return explain_refused_action(error, self.binding.after_the_end)


@dataclass(frozen=True, slots=True)
class _ActionCall:
    """Calls one action tool."""

    tools: ActionTools
    action: ActionDeclaration

    @property
    def _takes(self) -> tuple[type[Given], ...]:
        return (self.action.parameters, *self.tools.list_extras(self.action))

    async def __call__(self, ctx: ServerRequestContext[Any, Any], arguments: dict[str, Any]) -> CallToolResult:
        tools = self.tools
        handle, page, parameters = self._split(arguments)
        action = parse_action(self.action.name, parameters, self._takes)
        episode = await tools.binding.find(ctx, handle)
        if page > 1:
            result = build_further_page(episode, action, page, tools.page_size)
        else:
            transition = await tools.binding.step(ctx, episode, action)
            episode, result = transition.episode, build_step_result(transition, tools.page_size, rewards=tools.rewards)
        return tools.fit_to_profile(ctx, self.action, episode, result, whole=page > 1)

    def _split(self, arguments: dict[str, Any]) -> tuple[str, int, dict[str, Any]]:
        """The handle, the page and the action's own parameters."""
        name = self.action.name
        handle, page, parameters = "", 1, dict(open_arguments(name, arguments, self._takes))
        if self.tools.takes_handle and "episode_id" in parameters:
            given = {"episode_id": parameters.pop("episode_id")}
            handle = parse_arguments(name, OnEpisode, given, self._takes).episode_id
        if self.action.read_only and "page" in parameters:
            page = parse_arguments(name, Paging, {"page": parameters.pop("page")}, self._takes).page
        return handle, page, parameters
