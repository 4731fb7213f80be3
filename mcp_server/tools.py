"""The action tools, derived from the vocabulary, and how any tool is declared and called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from mcp_types import CallToolResult, Tool, ToolAnnotations
from pydantic import Field, StringConstraints

from env_core.callers import ANYBODY, CALLER, PLAY, Need, check_need
from env_core.calls import note_refusal
from env_core.guide import build_action_schema, describe_action
from mcp_server.apps import MODEL_ONLY, App, has_picture
from mcp_server.errors import NotOfferedError, explain_refused_action
from mcp_server.meta import EPISODE_ID
from mcp_server.results import (
    PAGE_CHARACTERS,
    build_further_page,
    build_refusal,
    build_result,
    build_step_result,
    name_incident,
)
from scenarios.errors import CloudIncidentError
from scenarios.given import Given
from scenarios.parsing import ListingError, open_arguments, parse_action, parse_arguments
from scenarios.vocabulary import ACTIONS, ActionDeclaration

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import ServerRequestContext

    from env_core.episode import Episode
    from mcp_server.binding import Binding
    from scenarios.vocabulary import Task


SIMULATED = "Simulated incident; nothing real is touched."
"""Begins the description of every tool: a client may have tools of a live system beside these."""


class Arguments(Given):
    """Arguments that tools add to an action's own parameters."""


class Paging(Arguments):
    page: int = Field(default=1, ge=1, le=10_000, description="Page of evidence already shown; not a step.")


class OnEpisode(Arguments):
    episode_id: Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)] = Field(
        default="", description="From start_drill. Empty: the open one."
    )


class ToolHandler(Protocol):
    """Does what one tool is called for.

    Raises:
        CloudIncidentError: if the call is refused.
    """

    async def __call__(self, ctx: ServerRequestContext[Any, Any], arguments: dict[str, Any]) -> CallToolResult: ...


@dataclass(frozen=True, slots=True)
class ServedTool:
    """A tool's definition as listed, what it needs of its caller, what does its work, what it says of an error, and of
    which action it is."""

    definition: Tool
    needs: Need
    handler: ToolHandler
    explain: Callable[[CloudIncidentError], str]
    action: ActionDeclaration | None = None

    async def call(self, ctx: ServerRequestContext[Any, Any], arguments: dict[str, Any]) -> CallToolResult:
        """Answer a call. A refusal is a result that the model can act on, never an exception."""
        try:
            check_need(self.needs, CALLER.get(ANYBODY))
            return await self.handler(ctx, arguments)
        except ListingError as listing:
            return build_result(str(listing))
        except CloudIncidentError as error:
            note_refusal(error.code)
            return build_refusal(self.explain(error))

    def define_for(self, episode: Episode | None) -> Tool:
        """The definition as it is listed to who works an episode: with a runbook and rules of its own."""
        if self.action is None or self.action.read_only or episode is None or not episode.course.is_played:
            return self.definition
        usual, own = (describe_action(self.action, proved=proved) for proved in (False, episode.is_proved))
        description = (self.definition.description or "").replace(usual, own)
        schema = build_action_schema(self.action, runbook=episode.course.runbook)
        return self.definition.model_copy(update={"description": description, "input_schema": schema})

    def is_offered(self, task: Task | None) -> bool:
        """Whether the tool is listed to the caller who works a task, and that alone; None: any task."""
        return self.needs in CALLER.get(ANYBODY).scopes and (task is None or self.action in task.actions)


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


async def add_meta(
    ctx: ServerRequestContext[Any, Any],
    binding: Binding,
    app: App | None,
    episode: Episode,
    result: CallToolResult,
    *,
    whole: bool,
) -> CallToolResult:
    """Add the handle to a result in the operator profile and, where an `app` draws it, the picture. Gives that result.

    `whole`: the picture is of every step, and not of the last alone.
    """
    picture: dict[str, Any] = {}
    if app is not None and app.is_shown(ctx):
        await binding.prepare_frames(episode)
        picture = app.draw(ctx, episode, whole=whole)
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
            ServedTool(self._define(action), PLAY, _ActionCall(self, action), self._explain, action)
            for action in ACTIONS.values()
        ]

    def list_extras(self, action: ActionDeclaration) -> list[type[Arguments]]:
        """What the tool of an action takes beside the action's parameters."""
        paging: list[type[Arguments]] = [Paging] if action.read_only else []
        return [*paging, OnEpisode] if self.takes_handle else paging

    async def fit_to_profile(
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
            name_incident(result, episode)
            app = self.app if has_picture(action) else None
            return await add_meta(ctx, self.binding, app, episode, result, whole=whole)
        if result.structured_content is not None:
            del result.structured_content["episode_id"]
        return result

    def _define(self, action: ActionDeclaration) -> Tool:
        return define_tool(
            action.name,
            action.title,
            describe_action(action),
            # Who may have several episodes open is listed one schema for the runbooks of all of them.
            build_action_schema(action, *self.list_extras(action), open_runbook=self.takes_handle),
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
        episode = await tools.binding.find(ctx, handle)
        if not (tools.takes_handle or self.action in episode.task.actions):
            raise NotOfferedError(self.action, episode.task)
        action = parse_action(self.action.name, parameters, self._takes)
        if page > 1:
            result = build_further_page(episode, action, page, tools.page_size)
        else:
            transition = await tools.binding.step(ctx, episode, action)
            episode, result = transition.episode, build_step_result(transition, tools.page_size, rewards=tools.rewards)
        return await tools.fit_to_profile(ctx, self.action, episode, result, whole=page > 1)

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
