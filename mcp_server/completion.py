"""Completion of service names, episode ids and what can be started, for prompts and resource templates alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp_types import Completion, PromptReference

from mcp_server.drill import RANDOM
from mcp_server.resources import CURRENT
from scenarios.errors import CloudIncidentError
from scenarios.generator.naming import DIFFICULTIES
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server.context import ServerRequestContext
    from mcp_types import CompleteRequestParams

    from mcp_server.binding import Binding
    from mcp_server.prompts import Prompts
    from mcp_server.resources import EpisodeResources
    from scenarios.catalogue import Catalogue

_MOST_VALUES = 100


@dataclass(frozen=True, slots=True)
class Completions:
    """Completes arguments. What it does not know it completes with nothing."""

    binding: Binding
    catalogue: Catalogue
    prompts: Prompts
    resources: EpisodeResources

    async def complete(self, ctx: ServerRequestContext[Any, Any], params: CompleteRequestParams) -> Completion:
        """The values that an argument may have and that begin with what has been typed, in any case of letters.

        At most 100 are given, with the number of all.
        """
        context = params.context.arguments if params.context and params.context.arguments else {}
        name = params.argument.name
        values = await self._list_values(ctx, name, context) if name in self._list_arguments(params) else []
        started = params.argument.value.casefold()
        matching = [value for value in values if value.casefold().startswith(started)]
        return Completion(values=matching[:_MOST_VALUES], total=len(matching), has_more=len(matching) > _MOST_VALUES)

    def _list_arguments(self, params: CompleteRequestParams) -> set[str]:
        """The arguments of what is being completed."""
        if isinstance(params.ref, PromptReference):
            return {
                argument.name
                for prompt in self.prompts.list_prompts()
                if prompt.name == params.ref.name
                for argument in prompt.arguments or []
            }
        uri = params.ref.uri
        return {
            name
            for template in self.resources.list_templates()
            if template.uri_template == uri
            for name in ("episode_id", "service")
            if f"{{{name}}}" in uri
        }

    async def _list_values(
        self, ctx: ServerRequestContext[Any, Any], name: str, context: Mapping[str, str]
    ) -> list[str]:
        match name:
            case "incident":
                return [*self.catalogue.scenarios, RANDOM]
            case "task_id":
                return list(TASKS)
            case "difficulty":
                return [str(difficulty) for difficulty in DIFFICULTIES]
            case "episode_id":
                return [episode.id for episode in await self.binding.list_open(ctx)]
            case "service":
                handle = context.get("episode_id", "")
                try:
                    episode = await self.binding.find(ctx, "" if handle == CURRENT else handle)
                except CloudIncidentError:
                    return []
                return list(episode.incident.services)
            case _:
                return []
