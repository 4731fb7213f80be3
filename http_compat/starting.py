"""What starts the episode of a session: options of a new one, or the handle of one that is open already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from env_core.selection import Selection
from http_compat.reading import parse_model
from http_compat.sessions import Resumption
from scenarios.given import Given

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Wish(Given):
    resume: bool = False


def parse_start(what: str, options: Mapping[str, Any]) -> Selection | Resumption:
    """The options of a reset. With `resume` they name the episode that is to be taken up, and nothing else.

    Raises:
        MalformedError: if an option is not valid, or cannot stand with `resume`.
    """
    given = dict(options)
    if parse_model(what, _Wish, {"resume": given.pop("resume", None)}).resume:
        return parse_model(what, Resumption, {name: value for name, value in given.items() if value is not None})
    return parse_model(what, Selection, given)
