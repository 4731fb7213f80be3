"""Completion of service names, scenario ids and episode ids, for prompts and resource templates alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp_types import Completion, PromptReference

from mcp_server.binding import Binding, HandleError
from mcp_server.resources import CURRENT, Resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server.context import ServerRequestContext
    from mcp_types import CompleteRequestParams

    from mcp_server.prompts import Prompts
    from scenarios.catalogue import Catalogue

_MOST_VALUES = 100


@dataclass(frozen=True, slots=True)
class Completions:
    """Completes arguments. What it does not know it completes with nothing."""

    binding: Binding
    catalogue: Catalogue
    prompts: Prompts
    resources: Resources

    async def complete(self, ctx: ServerRequestContext[Any, Any], params: CompleteRequestParams) -> Completion:
        context = params.context.arguments if params.context and params.context.arguments else {}
        known = self._known(params)
        values = await self._values(ctx, params.argument.name, context) if params.argument.name in known else []
        started = params.argument.value.casefold()
        matching = [value for value in values if value.casefold().startswith(started)]
        return Completion(values=matching[:_MOST_VALUES], total=len(matching), has_more=len(matching) > _MOST_VALUES)

    def _known(self, params: CompleteRequestParams) -> set[str]:
        """The arguments of what is being completed."""
        if isinstance(params.ref, PromptReference):
            return {
                argument.name
                for prompt in self.prompts.listed()
                if prompt.name == params.ref.name
                for argument in prompt.arguments or []
            }
        uri = params.ref.uri
        return {
            name
            for template in self.resources.templates()
            if template.uri_template == uri
            for name in ("episode_id", "service")
            if f"{{{name}}}" in uri
        }

    async def _values(self, ctx: ServerRequestContext[Any, Any], name: str, context: Mapping[str, str]) -> list[str]:
        match name:
            case "scenario_id":
                return list(self.catalogue.scenarios)
            case "episode_id":
                return [episode.id for episode in await self.binding.own(ctx)]
            case "service":
                handle = context.get("episode_id", "")
                try:
                    episode = await self.binding.episode(ctx, "" if handle == CURRENT else handle)
                except HandleError:
                    return []
                return list(episode.incident.services)
            case _:
                return []
