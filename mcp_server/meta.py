"""What results carry in `_meta` for programs. No model reads it; each key is declared here once."""

from __future__ import annotations

from typing import TypedDict

EPISODE_ID = "cloud-incident/episode_id"
"""The handle of the episode that a result is about. Only in the operator profile: an agent under test has no handle."""

AGENT_URL = "cloud-incident/agent_url"
"""The address of the episode's endpoint for an agent, of a drill that was started, forked or shown over HTTP."""

PAGE = "cloud-incident/page"
"""A `PageMark`, on each result that shows evidence."""

FRAMES = "cloud-incident/frames"
"""A list of `env_core.frames.Frame`, for clients that show the page (see `mcp_server.apps`)."""


class PageMark(TypedDict):
    """Which page of the evidence a result shows, from 1 to `of`.

    The result's text begins with that page, which is so many `characters` (Unicode code points) long.
    """

    number: int
    of: int
    characters: int
