"""check_recent_deploys: what people changed in a component, in the run and before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.telemetry.clock import format_moment
from scenarios.vocabulary.diagnostics import Change, Deploys
from scenarios.world.operations.entries import ENTRIES

if TYPE_CHECKING:
    from scenarios.telemetry.vantage import Vantage
    from scenarios.vocabulary.diagnostics import ChangeKind
    from scenarios.world.state import Event

ON_CALL = "on-call"
"""Who does what an episode orders."""


def show_deploys(seen: Vantage) -> Deploys:
    """The change log of a component, newest first."""
    entries = [
        Change(at=format_moment(past.at), kind=past.kind, version=past.version, by=past.by, note=past.note)
        for past in sorted(seen.system.history, key=lambda past: past.at)
        if past.component == seen.component.name
    ]
    entries += [entry for event in seen.list_events() for entry in read_entry(seen, event)]
    return Deploys(service=seen.component.name, as_of=seen.as_of, history=tuple(reversed(entries)))


def read_entry(seen: Vantage, event: Event) -> list[Change]:
    """The entry of an event, if it leaves one. What names no author was done by whoever is on call."""
    details = event.details
    version = str(details.get("version", ""))
    kind: ChangeKind
    if event.what == "deploy":
        kind, note = "deploy", f"Rolled out {version}."
    elif event.what == "rollback":
        kind, note = "rollback", f"Back to {version}."
    elif event.what == "rollback_refused":
        kind, note = "rollback", f"Not carried out: there is no release before {version} to go back to."
    elif event.what == "restart":
        kind, version, note = "infra", "restart", "Rolling restart, one instance after the other."
    elif event.what == "config":
        kind, version, note = "config", f"conf r{100 + int(event.at) % 900}", "Configuration changed."
    elif event.what == "flag":
        value = "on" if details["value"] == "true" else "off"
        kind, version, note = "flag", f"{details['flag']}={value}", f"Switched {value}."
    elif event.what == "flag_unchanged":
        kind, version, note = "flag", f"{details['flag']}=off", "Not switched: it was off already."
    elif event.what in ENTRIES:
        name = event.what.removesuffix("_refused").removesuffix("_unchanged")
        kind, version, note = "infra", name, ENTRIES[event.what].format(**details)
    else:
        return []
    by = details.get("by") or (seen.get_team() if event.what == "deploy" else ON_CALL)
    return [
        Change(
            at=seen.clock.get_moment(event.at),
            kind=kind,
            version=version,
            by=str(by),
            note=str(details.get("note") or note),
        )
    ]
