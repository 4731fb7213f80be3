"""What an operation did at once, and what changed while time passed: in sentences, from what the run has noted.

Nothing of it says whether that was right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.telemetry.clock import Clock
from scenarios.telemetry.deploys import ON_CALL, read_entry
from scenarios.telemetry.instances import ROLLED
from scenarios.telemetry.pages import list_page_changes, list_standing
from scenarios.telemetry.silences import find_end
from scenarios.telemetry.status import show_status
from scenarios.telemetry.vantage import Vantage
from scenarios.world import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scenarios.telemetry.silences import Silence, Silences
    from scenarios.world import Run
    from scenarios.world.state import Event


def report_operation(run: Run, operation: str, target: str, since: int, until: int, silences: Silences = ()) -> str:
    """What an operation did that was ordered at a second of the run, as far as it had come at another.

    Entries of the change log, instances replaced and started, processes that died, the state of a service that was its
    target, the clock, and the pages that fired or cleared meanwhile.
    """
    seen = [Vantage(run, component.name, as_of=until) for component in run.layout.systems[0].components]
    past = {each.component.name: [event for event in each.list_events() if event.at >= since] for each in seen}
    entries = [
        (each.component.name, entry.note)
        for each in seen
        for event in past[each.component.name]
        for entry in read_entry(each, event)
        if entry.by == ON_CALL
    ]
    own = target if OPERATIONS[operation].target == "service" else ""
    touched = {own, *(name for name, _ in entries)} - {""}
    told = [
        f"{operation} {target}:",
        *_group(entries),
        *_count_moved(past),
    ]
    for each in seen:
        name = each.component.name
        if name in touched:
            of_instances = list(_describe_instances(each, past[name]))
            told += [f"{name}: {sentence}" if len(touched) > 1 else sentence for sentence in of_instances]
            if name == own:
                status = show_status(each)
                ready = f", {status.replicas} instances ready" if status.replicas else ""
                told.append(f"{name} is now {status.state}{ready}.")
    if not entries:
        told.append("Nothing was changed in any service.")
    return " ".join([*told, *_tell_time(run, since, until, silences)])


def report_changes(run: Run, page: str, since: int, until: int, silences: Silences = ()) -> str:
    """What changed from one second of the run to another: states of components, deaths and recoveries, and pages.

    It ends with how pages stand, that of a rule last. Pages may have fired and cleared before, while on-call was
    looking elsewhere, so each says when it fired.
    """
    told = []
    for component in run.layout.systems[0].components:
        now = Vantage(run, component.name, as_of=until)
        then = Vantage(run, component.name, as_of=since)
        before, after = show_status(then), show_status(now)
        events = [event for event in now.list_events() if event.at >= since]
        sentences = list(describe_deaths(now, events))
        if (before.state, before.replicas) != (after.state, after.replicas):
            came = f"{after.state}, {after.replicas} instances ready (before: {before.state}, {before.replicas})"
            sentences.append(f"is now {came}.")
        told += [f"{component.name}: {sentence}" for sentence in sentences]
    told = told or ["No service changed its state."]
    changes = _tell_time(run, since, until, silences)
    return " ".join([*told, *changes, *list_standing(run, page, since, until, silences)])


def report_silence(run: Run, silence: Silence, before: Silences, until: int) -> str:
    """What the alert manager says of a silence that was made after others, at the second at which that is done."""
    clock = Clock(run.layout.systems[0])
    end = clock.get_time_of_day(silence.until)
    known = find_end(before, silence.rule, silence.since)
    made = f"created until {end}" if known is None else f"extended from {clock.get_time_of_day(known)} to {end}"
    told = (
        f'Silence of alertname="{silence.rule}" {made}.',
        "Its notifications are muted, and the rule is evaluated as before. Nothing was changed in any service.",
    )
    return " ".join([*told, *_tell_time(run, silence.since, until, (*before, silence))])


def _group(entries: Iterable[tuple[str, str]]) -> list[str]:
    """Notes of the change log, each once, with the services that have it."""
    services: dict[str, list[str]] = {}
    for service, note in entries:
        services.setdefault(note, []).append(service)
    return [f"{note} ({_list(names)})" if len(names) > 1 else note for note, names in services.items()]


def _list(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= _MOST_NAMES else f"{len(names)} services"


_MOST_NAMES = 4
"""How many services are named one by one."""


def _count_moved(past: Mapping[str, list[Event]]) -> Iterator[str]:
    """How many instances a drain has taken out of a zone, and how many it has left there."""
    moves = [event.what for events in past.values() for event in events if event.what in ("evicted", "evicted_pending")]
    if moves:
        stay = moves.count("evicted_pending")
        yield f"{len(moves) - stay} instances were moved so far, {stay} stay, since they found no other place."


def _describe_instances(seen: Vantage, events: list[Event]) -> Iterator[str]:
    """How far the instances of a service have come that were restarted or started."""
    last: dict[int, Event] = {}
    for event in events:
        if event.what in ("start", "ready") and not event.details.get("again", 0):
            last[int(event.details["instance"])] = event
    ready = [instance for instance, event in last.items() if event.what == "ready"]
    begun = [event.at for event in last.values() if event.what == "ready"]
    if any(event.what in ROLLED for event in events):
        present = seen.list_present()
        done = len([instance for instance in ready if instance in present])
        when = f", the last one ready at {seen.clock.get_time_of_day(max(begun))}" if begun else ""
        yield f"{done} of {len(present)} instances replaced{when}."
    elif last:
        yield f"{len(ready)} of {len(last)} new instances ready."
    yield from describe_deaths(seen, events)


def describe_deaths(seen: Vantage, events: list[Event]) -> Iterator[str]:
    """What processes lived through, as their supervisor tells it: a sentence for each kind, with how often and when."""
    for what, said in _TOLD:
        mine = [event for event in events if event.what == what]
        if mine:
            target = str(mine[-1].details.get("target", ""))
            times = "" if len(mine) == 1 else f" {len(mine)} times, last"
            yield f"{said.format(target=target)}{times} at {seen.clock.get_time_of_day(mine[-1].at)}."


_TOLD = (
    ("oom", "A process used more memory than it may and was killed"),
    ("disk_stop", "A process ended because its disk is full"),
    ("recovery", "Recovery after a crash began"),
    ("pool_failed", "A fresh process could open no connection to {target}"),
    ("gave_up", "The limit of automatic starts was reached"),
)


def _tell_time(run: Run, since: int, until: int, silences: Silences = ()) -> list[str]:
    """How long it took, what time it is, and what pages did."""
    clock = Clock(run.layout.systems[0])
    pages = list_page_changes(run, since, until, silences) or ["No page fired or cleared in that time."]
    return [f"It took {(until - since) // 60} min; it is {clock.get_time_of_day(until)}.", *pages]
