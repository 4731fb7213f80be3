"""The action tools, derived from the vocabulary, and how any tool is declared and called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from mcp_types import CallToolResult, Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from env_core.observation import ProgressReport
from env_core.service import EpisodeOverError, EpisodeService
from mcp_server.binding import Binding, HandleError
from mcp_server.results import PAGE_CHARACTERS, further_page, refusal, step_reply
from mcp_server.schemas import arguments_schema, result_schema
from scenarios.actions import VOCABULARY, ActionSpec, Kind
from scenarios.parsing import InvalidActionError, parse_action, parse_arguments

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext


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

    def served(self) -> list[ServedTool]:
        """One tool per action. With `named`, each takes the episode's handle."""
        schema = result_schema(ProgressReport)
        return [ServedTool(self._definition(spec, schema), _Call(self, spec)) for spec in VOCABULARY.values()]

    def _definition(self, spec: ActionSpec, output_schema: dict[str, Any]) -> Tool:
        return Tool(
            name=spec.name,
            title=spec.title,
            description=spec.description,
            input_schema=arguments_schema(spec.parameters, *self.extras(spec)),
            output_schema=output_schema,
            annotations=ToolAnnotations(
                title=spec.title,
                read_only_hint=spec.read_only,
                destructive_hint=spec.destructive,
                idempotent_hint=False,
                open_world_hint=False,
            ),
        )

    def extras(self, spec: ActionSpec) -> list[type[Arguments]]:
        """What the tool takes beside the action's parameters."""
        paging: list[type[Arguments]] = [Paging] if spec.kind is Kind.DIAGNOSTIC else []
        return [*paging, OnEpisode] if self.named else paging


@dataclass(frozen=True, slots=True)
class _Call:
    """Calls one action tool."""

    tools: ActionTools
    spec: ActionSpec

    async def __call__(self, ctx: ServerRequestContext[Any, Any], arguments: dict[str, Any]) -> CallToolResult:
        try:
            handle, page, parameters = self._split(arguments)
            action = parse_action(self.spec.name, parameters)
            episode = await self.tools.binding.episode(ctx, handle)
            if page > 1:
                return further_page(episode, action, page, self.tools.page_size)
            return step_reply(await self.tools.service.step(episode.id, action), self.tools.page_size)
        except (InvalidActionError, HandleError) as error:
            return refusal(str(error))
        except EpisodeOverError:
            return refusal(self._over(episode.grade.score if episode.grade else 0.0))

    def _split(self, arguments: dict[str, Any]) -> tuple[str, int, dict[str, Any]]:
        """The handle, the page and the action's own parameters."""
        extras = self.tools.extras(self.spec)
        names = {name for extra in extras for name in extra.model_fields}
        given = [
            parse_arguments(self.spec.name, extra, {k: v for k, v in arguments.items() if k in extra.model_fields})
            for extra in extras
        ]
        handle = next((one.episode_id for one in given if isinstance(one, OnEpisode)), "")
        page = next((one.page for one in given if isinstance(one, Paging)), 1)
        return handle, page, {name: value for name, value in arguments.items() if name not in names}

    def _over(self, score: float) -> str:
        after = "Call start_incident for another." if self.tools.named else "There is nothing more to do."
        return f"This incident is over, with score {score:.4f}; {self.spec.name} changed nothing. {after}"
