"""References and events as text, for stores that keep them outside the process."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from env_core.reference import Reference
from env_core.stores.protocol import Event, UnknownAction
from scenarios.parsing import InvalidActionError, parse_action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scenarios.vocabulary import Action


def write_reference(reference: Reference) -> str:
    """A reference as a JSON object."""
    return json.dumps(reference.dump())


@lru_cache(maxsize=1024)
def read_reference(text: str | bytes) -> Reference:
    """The reference that `write_reference` wrote. One that this release does not know is kept raw."""
    return Reference.read(json.loads(text))


def write_event(event: Event) -> str:
    """An event as one line of ASCII, its end included: any text that was accepted can be written so."""
    line = {**event.action.dump(), "request_id": event.request_id, "ends": event.ends}
    return f"{json.dumps(line)}\n"


def read_events(lines: Iterable[str | bytes]) -> tuple[Event, ...]:
    """The events that `write_event` wrote, one in each line. Actions that this release does not know are kept raw."""
    return tuple(map(_read_event, lines))


def _read_event(line: str | bytes) -> Event:
    kept = json.loads(line)
    return Event(_read_action(kept["action_type"], kept["parameters"]), kept["request_id"], kept["ends"])


def _read_action(name: str, parameters: object) -> Action | UnknownAction:
    try:
        return parse_action(name, parameters)
    except InvalidActionError as error:
        return UnknownAction(name, parameters, str(error))
