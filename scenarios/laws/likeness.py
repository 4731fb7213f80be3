"""Law 3, of causes: two that leave the same state of a system leave the same lines, metrics and status in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.telemetry import look
from scenarios.vocabulary import DIAGNOSTICS
from scenarios.world import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.laws.subject import Subject
    from scenarios.world import System

_AT = 240.0
_UNTIL = 480.0
"""Seconds at which the causes begin, and at which what they have led to is read."""


class Twins(NamedTuple):
    """Two causes with one effect, and what it is."""

    effect: str
    first: tuple[Change, ...]
    second: tuple[Change, ...]


def find_unlike(subject: Subject) -> list[str]:
    """Where two causes with one effect show something else, in a system to which nothing else happens."""
    found = []
    for twins in list_twins(subject.system):
        shown = [_show(subject, changes) for changes in (twins.first, twins.second)]
        found += [
            f"{subject.name}: {diagnostic} of {name} tells two causes apart that both lead to this: {twins.effect}."
            for (diagnostic, name), text in shown[0].items()
            if shown[1][diagnostic, name] != text
        ][:1]
    return found


def list_twins(system: System) -> Iterator[Twins]:
    """Causes with one effect that a system allows for."""
    kinds = {component.name: component.kind.kernel for component in system.components}
    for component in system.components:
        calls = [call for call in system.calls if call.target.partition("/")[0] == component.name]
        if calls and kinds[component.name] == "server":
            yield Twins(
                f"{component.name} accepts no caller",
                (_change("secret_accepted", component.name, 2.0),),
                tuple(_change("denied", f"{call.source} {call.target}", 1.0) for call in calls),
            )
            break
    if len(system.zones) == 2:
        near, far = system.zones
        yield Twins(
            f"most packets between {near} and {far} are lost",
            (_change("zone_loss", far, 0.9),),
            (_change("link_loss", f"{near} {far}", 0.9),),
        )
    for call in system.calls[:1]:
        place = f"{call.source} {call.target}"
        yield Twins(
            f"some packets from {call.source} to {call.target} are lost",
            (_change("loss", place, 0.6),),
            (_change("loss", place, 0.2), _change("loss", place, 0.6)),
        )


def _change(what: str, target: str, to: float) -> Change:
    return Change.model_validate({"at": _AT, "what": what, "target": target, "to": to})


def _show(subject: Subject, changes: tuple[Change, ...]) -> dict[tuple[str, str], str]:
    run = subject.kind(subject.system.model_copy(update={"changes": changes}))
    run.advance(_UNTIL)
    names = [component.name for component in subject.system.components]
    return {(diagnostic, name): look(run, diagnostic, name).text for name in names for diagnostic in DIAGNOSTICS}
