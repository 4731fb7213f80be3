"""The MCP App's document: up to date, whole in itself, small."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client
from mcp_types import TextResourceContents

import cloud_incident.console
from cloud_incident.app import build_app
from cloud_incident.console.app import digest_parts, read_document
from cloud_incident.settings.mcp import McpSettings, Transport
from env_core.service import EpisodeService
from mcp_server import build_server
from mcp_server.apps import APP_URI
from mcp_server.meta import EPISODE_ID, FRAMES

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from mcp_server.binding import Callers
    from scenarios.catalogue import Catalogue


class _Elements(HTMLParser):
    """The elements of a document, and what they refer to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.references: list[str] = []
        self.made_of = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        known = dict(attrs)
        self.references += [str(known[name]) for name in ("src", "href", "srcset", "action") if name in known]
        if known.get("name") == "made-of":
            self.made_of = str(known["content"])


def test_it_is_made_of_what_lies_beside_it() -> None:
    """Run scripts/mcp-app after a change of the page's sources."""
    assert _Elements(read_document()).made_of == digest_parts()


def test_it_is_one_document_that_refers_to_nothing() -> None:
    elements = _Elements(read_document())
    assert read_document().startswith("<!doctype html>")
    assert elements.names == ["html", "head", "meta", "meta", "meta", "title", "style", "body", "script"]
    assert elements.references == []
    code = read_document().partition("<style>")[2]
    assert not re.findall(r"@import|url\((?!#)|\bfetch\(|XMLHttpRequest|WebSocket|\beval\(", code)


def test_its_texts_are_never_taken_for_markup() -> None:
    console = Path(cloud_incident.console.__file__).parent
    for room in (console / "app", console / "static" / "view", console / "static" / "page"):
        for source in room.glob("*.js"):
            assert "innerhtml" not in source.read_text("utf-8").casefold(), source


def test_it_names_the_licences_of_what_it_contains() -> None:
    head = read_document().partition("<html")[0]
    assert all(name in head for name in ("preact", "htm", "dagre", "Permission is hereby granted", "Apache License"))


def test_it_is_small() -> None:
    assert len(read_document().encode()) < 120_000


@pytest.mark.parametrize("key", [FRAMES, EPISODE_ID])
def test_it_reads_meta_by_the_names_it_travels_under(key: str) -> None:
    assert f'"{key}"' in read_document()


@pytest.mark.anyio
async def test_the_application_serves_it(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue)
    given: list[str | None] = []

    def noted(*arguments: Any, **options: Any) -> Server[Callers]:
        given.append(options.get("app"))
        return build_server(*arguments, **options)

    build_app(McpSettings(transport=Transport.SSE), make_server=noted)
    assert given == [read_document()] * 3
    async with Client(build_server(service, version="test", app=read_document())) as client:
        (page,) = (await client.read_resource(APP_URI)).contents
        assert isinstance(page, TextResourceContents)
        assert page.text == read_document()
