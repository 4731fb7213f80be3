"""The MCP App: an incident as one HTML document.

It is checked in, and made by `scripts/mcp-app` of what lies here, of the console's views and of the libraries they use.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_STATIC = _HERE.parent / "static"
_LIBRARIES = ("preact", "htm", "dagre")


@cache
def read_document() -> str:
    """The page, with everything that it needs in it."""
    return (_HERE / "incident.html").read_text("utf-8")


def digest_parts() -> str:
    """A digest of what the page is made of; the document says it of itself."""
    own = [file for file in _HERE.iterdir() if file.suffix == ".js" or file.name == "page.html"]
    rooms = [_STATIC / "view", *(_STATIC / "vendor" / library for library in _LIBRARIES)]
    shared = [file for room in rooms for file in room.iterdir()]
    digest = hashlib.sha256()
    for file in sorted([*own, *shared]):
        digest.update(f"{file.relative_to(_HERE.parent).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def assemble(script: str, style: str) -> str:
    """The document of a bundled script and style sheet, with the licences of the libraries in the script."""
    page = (_HERE / "page.html").read_text("utf-8")
    parts = {
        "licences\n": _collect_licences(),
        "made of": digest_parts(),
        "/* style.css */": style,
        "/* main.js */": script,
    }
    for place, text in parts.items():
        page = page.replace(place, text.strip(), 1)
    return page


def _collect_licences() -> str:
    return "\n\n".join(
        f"{library}\n{file.read_text('utf-8').strip()}"
        for library in _LIBRARIES
        for file in sorted((_STATIC / "vendor" / library).iterdir())
        if "LICENSE" in file.name or "LEGAL" in file.name
    )
