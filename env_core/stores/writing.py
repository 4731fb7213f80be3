"""References and events as text, for stores that keep them outside the process."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING

from env_core.episode import Reference
from env_core.stores.protocol import Event
from scenarios.parsing import parse_action

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_reference(reference: Reference) -> str:
    """A reference as a JSON object."""
    return json.dumps(asdict(reference))


@lru_cache(maxsize=1024)
def read_reference(text: str | bytes) -> Reference:
    """The reference that `write_reference` wrote."""
    return Reference(**json.loads(text))


def write_event(event: Event) -> str:
    """An event as one line of ASCII, its end included: any text that was accepted can be written so."""
    line = {**event.action.dump(), "request_id": event.request_id, "ends": event.ends}
    return f"{json.dumps(line)}\n"


def read_events(text: str, since: int = 0) -> tuple[Event, ...]:
    """The events that `write_event` wrote, from an index on.

    Raises:
        InvalidActionError: if this release does not know one of their actions any more.
    """
    return tuple(_read_lines(text.splitlines()[since:]))


def _read_lines(lines: Iterable[str | bytes]) -> Iterable[Event]:
    for line in lines:
        kept = json.loads(line)
        action = parse_action(kept["action_type"], kept["parameters"])
        yield Event(action, kept["request_id"], kept["ends"])
