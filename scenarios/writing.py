"""Writing documents: plain content as YAML that people read and `scenarios.loading` reads back."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 110
"""Columns that a list or a mapping on one line may take."""

_INDENT = "  "
_PLAIN = re.compile(r"[A-Za-z(/](?:[A-Za-z0-9 _./()%+*;|<>=·–—→-]|:(?! |$))*(?<! )")
_BEGUN_BY_A_NUMBER = re.compile(r"\d+/\d+|\d+-\d+(?:[ \d-]*\d)?|\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z")
_OTHERS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Words that this or an older YAML reads as something else than text."""


class InlineMapping(dict[str, Any]):
    """A mapping that stands on one line, however long it is."""


class TextBlock(str):
    """Text that stands as a block, line by line. Blanks at the ends of its lines are not kept."""

    __slots__ = ()


def write_yaml(content: dict[str, Any]) -> str:
    """Mappings, lists, texts and numbers as YAML. Leave out what is empty."""
    return "".join(f"{line}\n" for line in _write_mapping(content, ""))


def _write_mapping(content: dict[str, Any], indent: str) -> Iterator[str]:
    for key, value in content.items():
        yield from _write_entry(f"{indent}{_write_scalar(key)}:", value, indent)


def _write_entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, TextBlock):
        yield from _write_block(head, value, indent + _INDENT)
        return
    inline = _write_inline(value)
    if inline is not None and (not isinstance(value, dict | list) or len(head) + len(inline) < WIDTH):
        yield f"{head} {inline}"
        return
    yield head
    yield from (
        _write_list(value, indent + _INDENT) if isinstance(value, list) else _write_mapping(value, indent + _INDENT)
    )


def _write_list(content: list[Any], indent: str) -> Iterator[str]:
    for value in content:
        inline = _write_inline(value)
        if inline is not None and (isinstance(value, InlineMapping | str) or len(indent) + len(inline) < WIDTH):
            yield f"{indent}- {inline}"
            continue
        lines = (
            _write_list(value, indent + _INDENT) if isinstance(value, list) else _write_mapping(value, indent + _INDENT)
        )
        yield f"{indent}- {next(lines).lstrip()}"
        yield from lines


def _write_block(head: str, value: TextBlock, indent: str) -> Iterator[str]:
    if not value:
        yield f'{head} ""'
        return
    yield f"{head} |{len(_INDENT) if value[0] == ' ' else ''}"
    for line in value.split("\n"):
        yield f"{indent}{line}"


def _write_inline(value: Any) -> str | None:
    """A value on one line; none where it holds a block."""
    if isinstance(value, TextBlock):
        return None
    if isinstance(value, dict):
        parts = [_write_inline(item) for item in value.values()]
        if None in parts:
            return None
        return f"{{{', '.join(f'{_write_scalar(key)}: {part}' for key, part in zip(value, parts, strict=True))}}}"
    if isinstance(value, list):
        items = [_write_inline(item) for item in value]
        return None if None in items else f"[{', '.join(filter(None, items))}]"
    return _write_scalar(value)


def _write_scalar(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError(f"a document has text and numbers, not {type(value).__name__}")
    if not isinstance(value, str):
        number = f"{value:.10g}"
        return "-0.0" if number == "-0" else number  # without its point it would be read as 0
    if _BEGUN_BY_A_NUMBER.fullmatch(value) or (_PLAIN.fullmatch(value) and value.casefold() not in _OTHERS):
        return value
    return json.dumps(value, ensure_ascii=False)
