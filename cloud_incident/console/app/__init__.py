"""The MCP App: the incident as one HTML document, made by `scripts/mcp-app` of what lies beside it and checked in."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DOCUMENT = "incident.html"
_SOURCES = (".js", ".css", "page.html")


@cache
def document() -> str:
    """The page, with everything that it needs in it."""
    return (_here() / DOCUMENT).read_text("utf-8")


def made_of() -> str:
    """A digest of what the page is made of; the document says it of itself."""
    sources = sorted((one for one in _here().iterdir() if one.name.endswith(_SOURCES)), key=lambda one: one.name)
    digest = hashlib.sha256()
    for source in sources:
        digest.update(f"{source.name}\0".encode() + source.read_bytes() + b"\0")
    return digest.hexdigest()


def assembled(script: str, style: str, licences: str) -> str:
    """The document of a bundled script and style sheet, with the licences of the libraries in the script."""
    page = (_here() / "page.html").read_text("utf-8")
    parts = {"licences\n": licences, "made of": made_of(), "/* style.css */": style, "/* main.js */": script}
    for place, text in parts.items():
        page = page.replace(place, text.strip(), 1)
    return page


def _here() -> Traversable:
    return files(__name__)
