"""Resources: the guide, and of each episode the alert, the service map, the timeline and evidence already returned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp.server.apps import client_supports_apps
from mcp.shared.exceptions import MCPError
from mcp.shared.uri_template import UriTemplate
from mcp_types import INVALID_PARAMS, ReadResourceResult, Resource, ResourceTemplate, TextResourceContents

from env_core.briefing import draw_mermaid, draw_service_map, write_briefing, write_timeline
from env_core.frames import draw_frames
from env_core.guide import write_oncall_guide
from env_core.selection import RESERVED_HANDLE
from mcp_server.apps import APP_URI, App
from mcp_server.errors import to_mcp_error
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import ServerRequestContext

    from env_core.episode import Episode
    from mcp_server.binding import Binding

GUIDE = "oncall://guide"
CURRENT = RESERVED_HANDLE
_LONGEST_URI = 2000
"""How much of a URI that was asked for an error repeats, in characters."""

_MOST_FINISHED = 3
"""Of how many finished episodes resources are listed; those of others can be read by their handles."""


@dataclass(frozen=True, slots=True)
class EpisodeView:
    """One way to look at an episode. `plain`, if there is one, renders it without rewards."""

    path: str
    title: str
    description: str
    mime_type: str
    render: Callable[[Episode], str]
    plain: Callable[[Episode], str] | None = None


def _dump_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


VIEWS = (
    EpisodeView(
        "briefing", "Briefing", "The task, the alert, the services and the limits.", "text/plain", write_briefing
    ),
    EpisodeView(
        "alert",
        "Alert",
        "The alert as JSON.",
        "application/json",
        lambda episode: _dump_json(dict(episode.course.alert)),
    ),
    EpisodeView(
        "services",
        "Service map",
        "Services and the calls between them, as far as queries have shown them, as JSON.",
        "application/json",
        lambda episode: _dump_json(draw_service_map(episode)),
    ),
    EpisodeView(
        "map", "Service map as Mermaid", "The service map as a Mermaid flowchart.", "text/vnd.mermaid", draw_mermaid
    ),
    EpisodeView(
        "timeline",
        "Timeline",
        "What has been done so far.",
        "text/plain",
        write_timeline,
        partial(write_timeline, rewards=False),
    ),
)

_FRAMES_VIEW = EpisodeView(
    "frames",
    "Frames",
    "Every step so far and what it showed, as JSON: what the incident's page draws.",
    "application/json",
    lambda episode: json.dumps(draw_frames(episode), ensure_ascii=False),
)

_EVIDENCE = UriTemplate.parse("incident://{episode_id}/evidence/{service}")


@dataclass(frozen=True, slots=True)
class EpisodeResources:
    """Lists and reads resources over one binding. They show what has been queried and never more."""

    binding: Binding
    takes_handle: bool
    app: App | None = None
    rewards: bool = True
    """Whether texts say what each step has earned."""

    async def list_resources(self, ctx: ServerRequestContext[Any, Any]) -> list[Resource]:
        """The guide, the page where the client shows it, and the views of each episode that the caller may know of."""
        guide = Resource(
            uri=GUIDE,
            name="oncall-guide",
            title="On-call guide",
            description="Severity matrix, what each action does, the runbook catalogue and the rules of scoring.",
            mime_type="text/markdown",
        )
        app = [self.app.build_resource()] if self.app is not None and client_supports_apps(ctx) else []
        known = await self.binding.list_open(ctx)
        latest = [episode.id for episode in known if episode.done][-_MOST_FINISHED:]
        episodes = [episode for episode in known if not episode.done or episode.id in latest]
        return [guide, *app, *(self._build_resource(view, episode) for episode in episodes for view in VIEWS)]

    def list_templates(self) -> list[ResourceTemplate]:
        """Templates by `episode_id`; the agent profile has no handles and so lists its own with `current`."""
        root = "incident://{episode_id}" if self.takes_handle else f"incident://{CURRENT}"
        evidence = ResourceTemplate(
            uri_template=f"{root}/evidence/{{service}}",
            name="evidence",
            title="Evidence on a service",
            description="The evidence already returned on one service.",
            mime_type="text/plain",
        )
        views = [
            ResourceTemplate(
                uri_template=f"{root}/{view.path}",
                name=view.path,
                title=view.title,
                description=view.description,
                mime_type=view.mime_type,
            )
            for view in VIEWS
        ]
        return [*views, evidence] if self.takes_handle else [evidence]

    async def read_resource(self, ctx: ServerRequestContext[Any, Any], uri: str) -> ReadResourceResult:
        """One resource.

        Raises:
            MCPError: if there is no such resource or no such episode, with the code that the table of errors has.
        """
        if uri == GUIDE:
            return _build_contents(uri, "text/markdown", write_oncall_guide(rewards=self.rewards))
        if uri == APP_URI and self.app is not None:
            return self.app.build_contents()
        for view in VIEWS if self.app is None else (*VIEWS, _FRAMES_VIEW):
            matched = UriTemplate.parse(f"incident://{{episode_id}}/{view.path}").match(uri)
            if matched is not None:
                render = view.render if self.rewards or view.plain is None else view.plain
                episode = await self._find_episode(ctx, uri, matched)
                if view is _FRAMES_VIEW:
                    await self.binding.prepare_frames(episode)
                return _build_contents(uri, view.mime_type, render(episode))
        matched = _EVIDENCE.match(uri)
        if matched is None:
            raise _build_not_found(
                uri, f"There is no resource {uri[:200]!r}. Resources: {GUIDE}, and those in resources/list."
            )
        return _build_contents(
            uri, "text/plain", _render_evidence(await self._find_episode(ctx, uri, matched), uri, matched)
        )

    def _build_resource(self, view: EpisodeView, episode: Episode) -> Resource:
        handle = episode.id if self.takes_handle else CURRENT
        return Resource(
            uri=f"incident://{handle}/{view.path}",
            name=f"{episode.reference.scenario_id}-{view.path}",
            title=f"{view.title} · {episode.reference.scenario_id}",
            description=view.description,
            mime_type=view.mime_type,
        )

    async def _find_episode(self, ctx: ServerRequestContext[Any, Any], uri: str, matched: dict[str, Any]) -> Episode:
        handle = str(matched["episode_id"])
        if not self.takes_handle and handle != CURRENT:
            raise _build_not_found(uri, f"There is no resource {uri[:200]!r}. This incident is incident://{CURRENT}/….")
        try:
            return await self.binding.find(ctx, "" if handle == CURRENT else handle)
        except CloudIncidentError as error:
            raise to_mcp_error(error, _build_error_data(uri)) from error


def _render_evidence(episode: Episode, uri: str, matched: dict[str, Any]) -> str:
    service = str(matched["service"]).casefold()
    if service not in episode.incident.services:
        known = ", ".join(episode.incident.services)
        raise _build_not_found(uri, f"Unknown service {service[:80]!r}. Known services: {known}.")
    texts = [evidence.text for (_, name), evidence in episode.shown.items() if name == service]
    return "\n\n".join(texts) or f"Nothing has been queried of {service} yet."


def _build_contents(uri: str, mime_type: str, text: str) -> ReadResourceResult:
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=mime_type, text=text)])


def _build_not_found(uri: str, message: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message=message, data=_build_error_data(uri))


def _build_error_data(uri: str) -> dict[str, str]:
    return {"uri": uri[:_LONGEST_URI]}
