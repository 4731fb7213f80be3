"""HTML and SVG elements. Every text in them is escaped; nothing is markup because of what it says."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOT_ALLOWED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: object) -> Markup:
    """A text as markup. Characters that HTML does not allow become U+FFFD."""
    return value if isinstance(value, Markup) else Markup(escape(_NOT_ALLOWED.sub("\ufffd", str(value))))


def element(name: str, *children: object, **attributes: object) -> Markup:
    """An element; `class_` stands for class and `aria_label` for aria-label. What is None is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_NOT_ALLOWED.sub("", str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{given}>{joined(children)}</{name}>")


def joined(parts: Iterable[object]) -> Markup:
    """Parts one after another."""
    return Markup("".join(text(part) for part in parts if part is not None))
