"""check_recent_deploys: what people changed in a component, in the run and before it.

All entries are told to the minute, as a calendar of changes does. Revisions of configurations are counted, so that they
grow with time, whichever part of the history an entry comes from.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scenarios.telemetry.clock import format_minute
from scenarios.vocabulary.diagnostics import Change, Deploys
from scenarios.world.chance import hash_names
from scenarios.world.operations.entries import ENTRIES

if TYPE_CHECKING:
    from scenarios.telemetry.vantage import Vantage
    from scenarios.vocabulary.diagnostics import ChangeKind
    from scenarios.world.state import Event

ON_CALL = "on-call"
"""Who does what an episode orders."""
_REVISION = re.compile(r"conf r(\d+)")
_NEAR = 20
"""How far the revision of an entry may be from that of the one before."""


def show_deploys(seen: Vantage) -> Deploys:
    """The change log of a component, newest first."""
    entries = [
        Change(at=format_minute(past.at), kind=past.kind, version=past.version, by=past.by, note=past.note)
        for past in sorted(seen.system.history, key=lambda past: past.at)
        if past.component == seen.component.name
    ]
    entries += [entry for event in seen.list_events() for entry in read_entry(seen, event)]
    counted = _count_revisions(seen, entries)
    return Deploys(service=seen.component.name, as_of=seen.as_of, history=tuple(reversed(counted)))


def _count_revisions(seen: Vantage, entries: list[Change]) -> list[Change]:
    """Entries, oldest first, with revisions that grow.

    The first keeps its own, and so does one that follows closely. Others come one to three after the one before.
    """
    key = int(hash_names(seen.system.seed, [seen.component.name], "revision")[0])
    last, counted = 0, []
    for number, entry in enumerate(entries):
        written = _REVISION.fullmatch(entry.version)
        if written is not None:
            own = int(written[1])
            fits = not last or last < own <= last + _NEAR
            last = own if fits else last + 1 + (key >> number % 32) % 3
            entry = entry.model_copy(update={"version": f"conf r{last}"})
        counted.append(entry)
    return counted


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
            at=seen.clock.get_minute(event.at),
            kind=kind,
            version=version,
            by=str(by),
            note=str(details.get("note") or note),
        )
    ]
