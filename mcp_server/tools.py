"""The action tools, derived from the vocabulary, and how any tool is declared and called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from mcp_types import CallToolResult, Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from env_core.episode import StaleReferenceError
from env_core.stores import AppendConflictError, UnknownEpisodeError
from env_core.transition import EpisodeOverError
from mcp_server.apps import ACTS, App, draws
from mcp_server.binding import Binding, HandleError
from mcp_server.results import PAGE_CHARACTERS, further_page, refusal, step_reply
from scenarios.parsing import InvalidActionError, parse_action, parse_arguments
from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import ACTIONS, ActionDeclaration, Kind

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from env_core.episode import Episode
    from env_core.service import EpisodeService


class Arguments(BaseModel):
    """Arguments that tools add to an action's own parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Paging(Arguments):
    page: int = Field(default=1, ge=1, le=10_000, description="Page of evidence already returned; not a step.")


class OnEpisode(Arguments):
    episode_id: Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)] = Field(
        default="", description="Handle from start_incident; may be left out when one incident is open here."
    )


class ToolHandler(Protocol):
    """Answers one tool's calls. Refusals are results the model can act on, never exceptions."""

    async def __call__(self, ctx: ServerRequestContext[Any, Any], arguments: dict[str, Any]) -> CallToolResult: ...


@dataclass(frozen=True, slots=True)
class ServedTool:
    """A tool's definition as listed, and what answers its calls."""

    definition: Tool
    handler: ToolHandler


@dataclass(frozen=True, slots=True)
class ActionTools:
    """The tools of the action vocabulary over one binding."""

    service: EpisodeService
    binding: Binding
    named: bool
    page_size: int = PAGE_CHARACTERS
    app: App | None = None

    def served(self) -> list[ServedTool]:
        """One tool per action. With `named`, each takes the episode's handle."""
        return [ServedTool(self._definition(spec), _Call(self, spec)) for spec in ACTIONS.values()]

    def _definition(self, spec: ActionDeclaration) -> Tool:
        return Tool(
            name=spec.name,
            title=spec.title,
            description=spec.description,
            input_schema=build_arguments_schema(spec.parameters, *self.extras(spec)),
            annotations=ToolAnnotations(
                title=spec.title,
                read_only_hint=spec.read_only,
                destructive_hint=spec.destructive,
                idempotent_hint=False,
                open_world_hint=False,
            ),
            meta=ACTS if self.app is not None and draws(spec) else None,
        )

    def extra_names(self, spec: ActionDeclaration) -> tuple[str, ...]:
        return tuple(name for extra in self.extras(spec) for name in extra.model_fields)

    def told(
        self,
        ctx: ServerRequestContext[Any, Any],
        spec: ActionDeclaration,
        episode: Episode,
        result: CallToolResult,
        page: int,
    ) -> CallToolResult:
        """A result as the profile tells it: no handle for an agent under test, a picture for an operator."""
        if not self.named and result.structured_content is not None:
            del result.structured_content["episode_id"]
        if self.app is not None and draws(spec):
            result.meta = self.app.drawn(ctx, episode, whole=page > 1)
        return result

    def extras(self, spec: ActionDeclaration) -> list[type[Arguments]]:
        """What the tool takes beside the action's parameters."""
        paging: list[type[Arguments]] = [Paging] if spec.kind is Kind.DIAGNOSTIC else []
        return [*paging, OnEpisode] if self.named else paging


@dataclass(frozen=True, slots=True)
class _Call:
    """Calls one action tool."""

    tools: ActionTools
    spec: ActionDeclaration

    async def __call__(self, ctx: ServerRequestContext[Any, Any], arguments: dict[str, Any]) -> CallToolResult:
        tools = self.tools
        try:
            named, page, parameters = self._split(arguments)
            action = parse_action(self.spec.name, parameters, tools.extra_names(self.spec))
            handle = await tools.binding.handle(ctx, named)
            if page > 1:
                episode = await tools.service.get(handle)
                result = further_page(episode, action, page, tools.page_size)
            else:
                transition = await tools.service.step(handle, action)
                episode = transition.episode
                result = step_reply(transition, tools.page_size)
            return tools.told(ctx, self.spec, episode, result, page)
        except (InvalidActionError, HandleError) as error:
            return refusal(str(error))
        except UnknownEpisodeError:
            return refusal(str(tools.binding.gone(handle)))
        except (AppendConflictError, StaleReferenceError) as error:
            return refusal(f"{error} Nothing was changed.")
        except EpisodeOverError as over:
            after = "Call start_incident for another." if tools.named else "There is nothing more to do."
            return refusal(f"This incident is over, with score {over.score:.4f}; nothing was changed. {after}")

    def _split(self, arguments: dict[str, Any]) -> tuple[str, int, dict[str, Any]]:
        """The handle, the page and the action's own parameters."""
        handle, page, parameters = "", 1, dict(arguments)
        if self.tools.named and "episode_id" in parameters:
            given = {"episode_id": parameters.pop("episode_id")}
            handle = parse_arguments(self.spec.name, OnEpisode, given).episode_id
        if self.spec.kind is Kind.DIAGNOSTIC and "page" in parameters:
            page = parse_arguments(self.spec.name, Paging, {"page": parameters.pop("page")}).page
        return handle, page, parameters
