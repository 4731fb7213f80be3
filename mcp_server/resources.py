"""Resources: the guide, and of each episode the alert, the service map, the timeline and evidence already returned."""

from __future__ import annotations

import json
from dataclasses import dataclass
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
from mcp_server.binding import Binding, HandleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import ServerRequestContext

    from env_core.episode import Episode

GUIDE = "oncall://guide"
CURRENT = RESERVED_HANDLE


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at an episode."""

    path: str
    title: str
    description: str
    mime_type: str
    render: Callable[[Episode], str]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


VIEWS = (
    View("briefing", "Briefing", "The task, the alert, the services and the limits.", "text/plain", write_briefing),
    View(
        "alert",
        "Alert",
        "The alert as JSON.",
        "application/json",
        lambda episode: _json(episode.incident.alert),
    ),
    View(
        "services",
        "Service map",
        "Services and the calls between them, as far as queries have shown them, as JSON.",
        "application/json",
        lambda episode: _json(draw_service_map(episode)),
    ),
    View("map", "Service map as Mermaid", "The service map as a Mermaid flowchart.", "text/vnd.mermaid", draw_mermaid),
    View("timeline", "Timeline", "What has been done so far, with rewards.", "text/plain", write_timeline),
)

FRAMES = View(
    "frames",
    "Frames",
    "Every step so far and what it showed, as JSON: what the incident's page draws.",
    "application/json",
    lambda episode: json.dumps(draw_frames(episode), ensure_ascii=False),
)

_EVIDENCE = UriTemplate.parse("incident://{episode_id}/evidence/{service}")


@dataclass(frozen=True, slots=True)
class Resources:
    """Lists and reads resources over one binding. They show what has been queried and never more."""

    binding: Binding
    named: bool
    app: App | None = None

    async def listed(self, ctx: ServerRequestContext[Any, Any]) -> list[Resource]:
        guide = Resource(
            uri=GUIDE,
            name="oncall-guide",
            title="On-call guide",
            description="Severity matrix, what each action does, the runbook catalogue and the rules of scoring.",
            mime_type="text/markdown",
        )
        app = [self.app.resource()] if self.app is not None and client_supports_apps(ctx) else []
        episodes = await self.binding.own(ctx)
        return [guide, *app, *(self._listed(view, episode) for episode in episodes for view in VIEWS)]

    def templates(self) -> list[ResourceTemplate]:
        """Templates by `episode_id`; the agent profile has no handles and so lists its own with `current`."""
        root = "incident://{episode_id}" if self.named else f"incident://{CURRENT}"
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
        return [*views, evidence] if self.named else [evidence]

    async def read(self, ctx: ServerRequestContext[Any, Any], uri: str) -> ReadResourceResult:
        """One resource.

        Raises:
            MCPError: with code -32602 if there is no such resource.
        """
        if uri == GUIDE:
            return _contents(uri, "text/markdown", write_oncall_guide())
        if uri == APP_URI and self.app is not None:
            return self.app.contents()
        for view in VIEWS if self.app is None else (*VIEWS, FRAMES):
            matched = UriTemplate.parse(f"incident://{{episode_id}}/{view.path}").match(uri)
            if matched is not None:
                return _contents(uri, view.mime_type, view.render(await self._episode(ctx, uri, matched)))
        matched = _EVIDENCE.match(uri)
        if matched is None:
            raise _not_found(
                uri, f"There is no resource {uri[:200]!r}. Resources: {GUIDE}, and those in resources/list."
            )
        return _contents(uri, "text/plain", _evidence(await self._episode(ctx, uri, matched), uri, matched))

    def _listed(self, view: View, episode: Episode) -> Resource:
        handle = episode.id if self.named else CURRENT
        return Resource(
            uri=f"incident://{handle}/{view.path}",
            name=f"{episode.reference.scenario_id}-{view.path}",
            title=f"{view.title} · {episode.reference.scenario_id}",
            description=view.description,
            mime_type=view.mime_type,
        )

    async def _episode(self, ctx: ServerRequestContext[Any, Any], uri: str, matched: dict[str, Any]) -> Episode:
        handle = str(matched["episode_id"])
        if not self.named and handle != CURRENT:
            raise _not_found(uri, f"There is no resource {uri[:200]!r}. This incident is incident://{CURRENT}/….")
        try:
            return await self.binding.episode(ctx, "" if handle == CURRENT else handle)
        except HandleError as error:
            raise _not_found(uri, str(error)) from error


def _evidence(episode: Episode, uri: str, matched: dict[str, Any]) -> str:
    service = str(matched["service"]).casefold()
    if service not in episode.incident.services:
        known = ", ".join(episode.incident.services)
        raise _not_found(uri, f"Unknown service {service[:80]!r}. Known services: {known}.")
    texts = [evidence.text for (_, name), evidence in episode.shown.items() if name == service]
    return "\n\n".join(texts) or f"Nothing has been queried of {service} yet."


def _contents(uri: str, mime_type: str, text: str) -> ReadResourceResult:
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=mime_type, text=text)])


def _not_found(uri: str, message: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message=message, data={"uri": uri[:2000]})
