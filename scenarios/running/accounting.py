"""The account of a drawn incident, told when it is over: what its fault did, and what was wrong beside it.

What is due to the fault is what is not there, or not nearly as much, in a run of the same system without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.incident import Account, Aside
from scenarios.proofs.harm import average_harm, find_harm
from scenarios.running.wording import name_failure
from scenarios.telemetry.clock import Clock
from scenarios.telemetry.deploys import show_deploys
from scenarios.telemetry.numbers import format_percent
from scenarios.telemetry.reports import describe_deaths
from scenarios.telemetry.spreading import Sign, find_felt, find_own, find_spread
from scenarios.telemetry.vantage import LEAST_MINUTES, Vantage

if TYPE_CHECKING:
    from collections.abc import Collection

    from scenarios.drawing import Draw
    from scenarios.faults import Fault
    from scenarios.running.incident import RunningIncident
    from scenarios.world import Run

_FELT = 0.01
"""The share of all that users want that has to fail more than before, so that they feel a trouble."""


def recount(incident: RunningIncident, drawn: Draw, without: Run) -> Account:
    """The account of an incident. `without` is a run of its background, played up to the first look."""
    clock, until, struck_at = Clock(incident.system), incident.first_look, drawn.fault.at
    run, page = incident.runs.get((), until), incident.alert["name"]
    rule = next(rule for rule in incident.system.alerts if rule.name == page)
    felt = find_felt(run, without, rule.journeys, struck_at, until)
    signs = [
        *(Sign(each.at, each.component, f"{name_failure(each.family)} ({each.component})") for each in drawn.faults),
        *_find_spread(run, without, drawn.faults, until),
        *([felt] if felt is not None else []),
        Sign(incident.fired, "", f"{page} fires"),
    ]
    changes = {name: text for name in incident.services if (text := _tell_changes(without, name, until))}
    beside = [each for each in drawn.look_alikes if each.at < until]
    return Account(
        chain=tuple(
            f"{clock.get_time_of_day(sign.at)}: {sign.said}." for sign in sorted(signs, key=lambda sign: sign.at)
        ),
        beside=tuple(
            Aside(each.component, _tell_trouble(each, without, until, changes.get(each.component, "")))
            for each in sorted(beside, key=lambda each: (each.at, each.component))
        ),
        changes=tuple(
            Aside(name, text) for name, text in changes.items() if name not in {each.component for each in beside}
        ),
    )


def _find_spread(run: Run, without: Run, faults: Collection[Fault], until: int) -> Collection[Sign]:
    """What some faults were first seen to do, of each component once: to each all seems to be its doing."""
    found: dict[str, Sign] = {}
    for fault in faults:
        for sign in find_spread(run, without, fault.component, fault.at, until):
            if sign.at < found.setdefault(sign.component, sign).at:
                found[sign.component] = sign
    return found.values()


def _tell_changes(run: Run, component: str, until: int) -> str:
    """What the change log of a component has of a run, as a list; empty if it has nothing."""
    seen = Vantage(run, component, as_of=until)
    begun = seen.clock.get_minute(0.0)
    entries = [entry for entry in reversed(show_deploys(seen).history) if entry.at >= begun]
    return ", ".join(f"{entry.kind} {entry.version} at {entry.at[11:16]}" for entry in entries)


def _tell_trouble(trouble: Fault, run: Run, until: int, changes: str) -> str:
    """What a trouble was, when it began, what was seen of it in the run without the fault, and what users felt."""
    seen = Vantage(run, trouble.component, as_of=until)
    signs = find_own(run, trouble.component, trouble.at, until)
    harm = find_harm(run, until)
    before, after = (
        average_harm(harm, since, end) for since, end in ((60.0 * LEAST_MINUTES, trouble.at), (trouble.at, until))
    )
    felt = f"Without the fault {format_percent(after - before)} more of what users want failed from then on."
    made = f" ({changes})" if changes else ""
    return " ".join(
        [
            f"{name_failure(trouble.family)}, from {seen.clock.get_time_of_day(trouble.at)}{made}.",
            *([f"Seen of it: {'; '.join(sign.said for sign in signs)}."] if signs else []),
            *describe_deaths(seen, [event for event in seen.list_events() if event.at >= trouble.at]),
            felt if after > before + _FELT else f"Users did not feel it{_explain_unfelt(run, trouble.component)}.",
        ]
    )


def _explain_unfelt(run: Run, component: str) -> str:
    """Why nobody who matters waits for a component, if the calls to it say so."""
    calls = [call for call in run.layout.systems[0].calls if call.target.partition("/")[0] == component]
    if not calls:
        return ""
    return ": its callers go on without it" if all(call.optional for call in calls) else ""
