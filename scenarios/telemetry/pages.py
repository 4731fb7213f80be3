"""Alert rules and the pages that they raise, from what users of a run lived through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scenarios.telemetry.clock import Clock
from scenarios.telemetry.numbers import format_percent, format_seconds
from scenarios.telemetry.silences import find_end
from scenarios.world.record import TICK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scenarios.telemetry.silences import Silences
    from scenarios.world import AlertRule, Run, System

_NORMAL_TICKS = 20
"""Ticks at the start of a run that say what is normal."""
_SERVED = 0.02
"""The share of failing requests more than normal that innocent troubles may come to."""
_WELL = 0.01
"""The share of failing requests more than normal that counts as well."""
_NEXT_TO_NONE = 0.0005
_MINUTE = 60.0


class Page(NamedTuple):
    """That a rule fired at a second of the run, and at which its condition had not held for as long any more."""

    rule: AlertRule
    fired: int
    cleared: int | None = None


def find_pages(run: Run, until: int, system: int = 0) -> list[Page]:
    """The pages of a system of a run up to a second, in the order in which they fired.

    A rule fires again only after its page has cleared.
    """
    document = run.layout.systems[system]
    failing = find_failing(run, until, system)
    pages = [page for rule in document.alerts for page in _find_firings(rule, watch(run, rule, failing, until, system))]
    return sorted(pages, key=lambda page: page.fired)


def is_well(run: Run, at: int, seconds: float = 120.0, system: int = 0) -> bool:
    """Whether users of a system have been served for so many seconds about as well as at the start of the run.

    Journeys that are worth nothing count if a rule watches them: others may have a trouble that nobody is paged for.
    What comes to half of what pages is not well.
    """
    document, ticks = run.layout.systems[system], round(seconds / TICK)
    most: dict[str, float] = {each.name: _SERVED for each in document.journeys if each.worth > 0.0}
    for rule in document.alerts:
        for name in rule.journeys:
            most[name] = min(most.get(name, _SERVED), rule.above / 2.0 if rule.watches == "failures" else _SERVED)
    failing = find_failing(run, at, system)
    return all(
        max(failing[name][-ticks:]) <= _average(failing[name][:_NORMAL_TICKS]) + spare for name, spare in most.items()
    )


def describe_page(run: Run, page: Page, at: int) -> dict[str, Any]:
    """A page as on-call reads it at a second: what fails and how much, from the minutes before it fired."""
    system, clock = run.layout.systems[0], Clock(run.layout.systems[0])
    failing = find_failing(run, at)
    first, normal = max(0, int(page.fired / TICK) - 4), slice(0, _NORMAL_TICKS)
    ticks = slice(first, int(page.fired / TICK))
    rule, symptoms, worst = page.rule, [], []
    # Of journeys, also where a rule watches how long they take: their failing requests are what on-call asks first.
    for journey in system.journeys:
        share, usual = _average(failing[journey.name][ticks]), _average(failing[journey.name][normal])
        if journey.name in rule.journeys and share > usual + _WELL:
            symptoms.append(f"{journey.name}: {_say_share(share)} of requests fail (normal {_say_share(usual)})")
            worst.append(f"{journey.name} {_say_share(share)}")
    description = f"Requests of users that fail, in the last minute before the page: {', '.join(worst)}."
    if rule.watches != "failures" or not worst:
        level = watch(run, rule, failing, at)
        said = _WATCHED[rule.watches].format(on=rule.on or ", ".join(rule.journeys))
        now, before = (_say_level(rule, _average(level[part])) for part in (ticks, normal))
        symptoms.insert(0, f"{said}: {now} (normal {before})")
        description = f"{said}, in the last minute before the page: {now}."
    well = [
        journey.name
        for journey in system.journeys
        if journey.worth and _average(failing[journey.name][ticks]) <= _average(failing[journey.name][normal]) + _WELL
    ]
    if well:
        symptoms.append(f"{', '.join(well)}: within their objectives")
    return {
        "name": rule.name,
        "severity": rule.severity,
        "status": "firing",
        "fired_at": clock.get_moment(page.fired // 60 * 60),
        "summary": f"{_SUMMARIES[rule.watches]} above {_say_level(rule, rule.above)} for {_say_minutes(rule.lasts)}",
        "description": description,
        "symptoms": symptoms,
        "affected_services": _list_affected(system, rule),
        "labels": dict(rule.labels),
    }


_SUMMARIES = {
    "failures": "Share of failing requests",
    "latency": "p99 of requests",
    "backlog": "Backlog of a consumer group",
    "disk": "Disk in use",
}
_WATCHED = {
    "failures": "Requests that fail of {on}",
    "latency": "p99 of {on}",
    "backlog": "Messages that wait for {on}",
    "disk": "Disk in use of {on}",
}


def _say_level(rule: AlertRule, level: float) -> str:
    """A level of what a rule watches, in its unit."""
    if rule.watches == "latency":
        return format_seconds(level)
    return f"{level:,.0f} messages" if rule.watches == "backlog" else _say_share(level)


def _say_minutes(seconds: float) -> str:
    return f"{seconds / 60:g} minute{'' if seconds == _MINUTE else 's'}"


def _say_share(share: float) -> str:
    """A share as `4 %` or `0.2 %`; of next to none not how little it is."""
    return "0 %" if share < _NEXT_TO_NONE else format_percent(share).replace(".0 %", " %")


def update_alert(alert: Mapping[str, Any], run: Run, at: int, silences: Silences = ()) -> dict[str, Any]:
    """An alert as it stands at a second of the run: whether its page still fires, and which others have fired.

    Of a rule whose notifications are muted it says until when.
    """
    clock, pages = Clock(run.layout.systems[0]), find_pages(run, at)

    def describe(page: Page) -> dict[str, str]:
        until = find_end(silences, page.rule.name, at)
        muted = {} if until is None else {_SILENCED: clock.get_moment(until)}
        return _describe_standing(page, clock) | muted

    own = [page for page in pages if page.rule.name == alert["name"]]
    updated = {**drop_silences(alert), **describe(own[-1])}
    others = [page for page in pages if page.rule.name != alert["name"]]
    if others:
        updated["other_pages"] = [{"name": page.rule.name, **describe(page)} for page in others]
    return updated


_SILENCED = "silenced_until"


def drop_silences(alert: Mapping[str, Any]) -> dict[str, Any]:
    """An alert without what it says of silences: what is left changes only if a page does."""
    kept = {name: value for name, value in alert.items() if name != _SILENCED}
    if "other_pages" in kept:
        kept["other_pages"] = [{name: page[name] for name in page if name != _SILENCED} for page in kept["other_pages"]]
    return kept


def list_page_changes(run: Run, since: int, until: int, silences: Silences = ()) -> list[str]:
    """What pages did from one second of the run to another, in sentences, oldest first.

    A rule that fires while its notifications are muted pages nobody until that ends.
    """
    clock = Clock(run.layout.systems[0])
    pages = find_pages(run, until)
    changes = [(page.fired, _say_fired(page, clock, silences)) for page in pages]
    changes += [(page.cleared, _say_cleared(page, clock, since)) for page in pages if page.cleared is not None]
    for rule, end in {(each.rule, each.until) for each in silences}:
        if end <= until and find_end(silences, rule, end) is None:
            changes.append((end, _say_ended(rule, end, pages, clock)))
    return [said for at, said in sorted(changes) if since < at <= until]


def _say_fired(page: Page, clock: Clock, silences: Silences) -> str:
    name, at = page.rule.name, clock.get_time_of_day(page.fired)
    muted = find_end(silences, name, page.fired)
    if muted is None:
        return f"Page {name} fired at {at}."
    return f"Rule {name} fired at {at} and paged nobody: it is silenced until {clock.get_time_of_day(muted)}."


def _say_ended(rule: str, at: int, pages: Iterable[Page], clock: Clock) -> str:
    fires = any(page.rule.name == rule and page.fired <= at < (page.cleared or at + 1) for page in pages)
    return f"Silence of {rule} ended at {clock.get_time_of_day(at)}{', and its page fires' if fires else ''}."


def _say_cleared(page: Page, clock: Clock, since: int) -> str:
    """That a page has cleared. If it fired until second `since`, nothing that is told with it says when."""
    fired = f", which fired at {clock.get_time_of_day(page.fired)}," if page.fired <= since else ""
    return f"Page {page.rule.name}{fired} cleared at {clock.get_time_of_day(page.cleared or 0)}."


def list_standing(run: Run, own: str, since: int, until: int, silences: Silences = ()) -> list[str]:
    """How pages stand at a second of the run, in sentences: others that fire, and last the newest page of rule `own`.

    A page that fires says when it will clear: its condition must not hold for as long as it had to hold. One that is
    silenced says until when. That the one of `own` has cleared is told here if it did so until second `since`: later,
    it is among the changes.
    """
    clock, pages = Clock(run.layout.systems[0]), find_pages(run, until)
    mine = [page for page in pages if page.rule.name == own][-1:]
    others = [page for page in pages if page.rule.name != own and page.cleared is None]
    told = []
    for page in (*others, *mine):
        rule = page.rule
        if page.cleared is not None:
            told += [_say_cleared(page, clock, until)] if page.cleared <= since else []
            continue
        levels = watch(run, rule, find_failing(run, until), until)
        last = max(tick for tick, level in enumerate(levels) if level > rule.above)
        above, firing = _say_level(rule, rule.above), clock.get_time_of_day(page.fired)
        if last + 1 == len(levels):
            holds = f"is still above {above}"
        else:
            ended, wait = clock.get_time_of_day((last + 1) * TICK), _say_minutes(rule.lasts)
            holds = f"was last above {above} at {ended}, and the page clears once that is {wait} ago"
        muted = find_end(silences, rule.name, until)
        silenced = "" if muted is None else f", silenced until {clock.get_time_of_day(muted)}"
        told.append(f"Page {rule.name} is still firing, since {firing}{silenced}: {_CLEARING[rule.watches]} {holds}.")
    return told


_CLEARING = {
    "failures": "the share of failing requests",
    "latency": "the p99 of requests",
    "backlog": "the backlog of the consumer group",
    "disk": "the disk in use",
}


def _describe_standing(page: Page, clock: Clock) -> dict[str, str]:
    standing = {"status": "firing", "fired_at": clock.get_moment(page.fired // 60 * 60)}
    if page.cleared is not None:
        standing |= {"status": "resolved", "resolved_at": clock.get_moment(page.cleared // 60 * 60)}
    return standing


def find_failing(run: Run, until: int, system: int = 0) -> dict[str, list[float]]:
    """The share of the requests of users of a system that failed, by journey, in each finished tick."""
    layout, end = run.layout, int(until / TICK)
    first = 0
    for other in layout.systems[:system]:
        first += len(other.journeys)
    journeys = layout.systems[system].journeys
    entries = layout.journey_entry[first : first + len(journeys)]
    good, failed = (run.record.get(name, 0, end)[:, entries] for name in ("users_good", "users_failed"))
    shares = np.where(good + failed > 0.0, failed / np.maximum(good + failed, 1e-12), 0.0)
    return {journey.name: shares[:, place].tolist() for place, journey in enumerate(journeys)}


def watch(run: Run, rule: AlertRule, failing: dict[str, list[float]], until: int, system: int = 0) -> list[float]:
    """What a rule watches, in each finished tick: the highest of it, where it watches more than one journey."""
    if rule.watches == "failures":
        return [max(shares) for shares in zip(*(failing[name] for name in rule.journeys), strict=True)]
    layout, end = run.layout, int(until / TICK)
    before, document = layout.systems[:system], layout.systems[system]
    if rule.watches == "latency":
        first = _count(len(other.journeys) for other in before)
        names = [journey.name for journey in document.journeys]
        entries = [int(layout.journey_entry[first + names.index(name)]) for name in rule.journeys]
        return [max(row) for row in run.record.get("p99", 0, end)[:, entries].tolist()]
    if rule.watches == "backlog":
        first = _count(len(other.groups) for other in before)
        names, kept = [group.name for group in document.groups], "backlog"
    else:
        first = _count(len(other.components) for other in before)
        names, kept = [component.name for component in document.components], "disk"
    levels: list[float] = run.record.get(kept, 0, end)[:, first + names.index(rule.on or "")].tolist()
    return levels


def _count(sizes: Iterable[int]) -> int:
    total = 0
    for size in sizes:
        total += size
    return total


def _find_firings(rule: AlertRule, levels: list[float]) -> Iterator[Page]:
    """The pages of a rule: its condition has held for long enough, and then has not held for as long."""
    fired: int | None = None
    lasted = 0
    for tick, level in enumerate(levels):
        differs = (level > rule.above) == (fired is None)
        lasted = lasted + 1 if differs else 0
        if lasted * TICK < rule.lasts:
            continue
        now, lasted = int((tick + 1) * TICK), 0
        if fired is None:
            fired = now
        else:
            yield Page(rule, fired, now)
            fired = None
    if fired is not None:
        yield Page(rule, fired)


def _list_affected(system: System, rule: AlertRule) -> list[str]:
    """The services that the rule knows of: where the journeys enter and what is called from there, or what it is on."""
    if rule.on is not None:
        return [group.route.partition("/")[0] for group in system.groups if group.name == rule.on] or [rule.on]
    entries = [journey.entry for journey in system.journeys if journey.name in rule.journeys]
    routes = [*entries, *(call.target for call in system.calls if call.source in entries)]
    return list(dict.fromkeys(route.partition("/")[0] for route in routes))


def _average(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total / len(values) if values else 0.0
