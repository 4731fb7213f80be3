"""check_service_status: what the orchestrator knows of a component, as it was told at the time."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from scenarios.telemetry.numbers import format_age
from scenarios.vocabulary.diagnostics import Status
from scenarios.world.chance import hash_names

if TYPE_CHECKING:
    from scenarios.telemetry.vantage import Vantage
    from scenarios.world.state import Event

_STATES = {"ready": "running", "start": "starting", "stop": "stopping", "oom": "down", "gave_up": "failed"}
_SETTLED_DAYS = (9, 60)
"""For how many days something has been running that nobody has changed of late."""


def show_status(seen: Vantage) -> Status:
    """State, replicas, versions, uptime, restarts and flags of a component."""
    events = seen.list_events()
    last = _find_last(events)
    states = [_STATES[last[instance].what] if instance in last else "running" for instance in seen.list_present()]
    return Status(
        service=seen.component.name,
        as_of=seen.as_of,
        team=seen.get_team(),
        about=seen.component.about or seen.software.title,
        state=_describe_state(states),
        replicas=f"{states.count('running')}/{len(states)}",
        version=_describe_versions(seen, events),
        uptime=_describe_uptime(seen, last, states),
        restarts=_describe_restarts(seen, events),
        flags=tuple((flag, _describe_flag(seen, events, flag)) for flag in seen.component.flags),
        notes=seen.component.notes,
    )


def _find_last(events: list[Event]) -> dict[int, Event]:
    """What last happened to the process of each instance to which something has happened."""
    return {int(event.details["instance"]): event for event in events if event.what in _STATES}


def _describe_state(states: list[str]) -> str:
    if not states:
        return "pending: no zone takes its instances"
    if len(set(states)) == 1:
        if states[0] == "failed":
            return "failed: out of memory (signal 9), limit of automatic starts reached"
        return states[0]
    counts = {state: states.count(state) for state in ("running", "starting", "stopping", "down", "failed")}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def _describe_versions(seen: Vantage, events: list[Event]) -> str:
    """The version of the instances; those of a rollout that is under way with their numbers."""
    of_instance = dict.fromkeys(seen.list_present(), seen.component.releases[0].version)
    for event in events:
        if event.what == "start" and int(event.details["instance"]) in of_instance:
            of_instance[int(event.details["instance"])] = str(event.details["version"])
    versions = list(of_instance.values())
    different = sorted(set(versions), key=lambda version: (-versions.count(version), version))
    if len(different) == 1:
        return different[0]
    return ", ".join(f"{version} ({versions.count(version)} of {len(versions)})" for version in different)


def _describe_uptime(seen: Vantage, last: dict[int, Event], states: list[str]) -> str:
    """For how long the instances that run have been running: the youngest, and the oldest if it is much older."""
    ages = [
        seen.time - last[instance].at if instance in last else seen.time + _find_age_before(seen)
        for instance, state in zip(seen.list_present(), states, strict=True)
        if state == "running"
    ]
    if not ages:
        return "0, no instance is ready"
    youngest, oldest = format_age(min(ages)), format_age(max(ages))
    return youngest if max(ages) - min(ages) < 300.0 else f"{youngest} to {oldest}"


def _find_age_before(seen: Vantage) -> float:
    """How many seconds before the run the processes were started: by the last deploy, or long ago."""
    deploys = [
        past.at
        for past in seen.system.history
        if past.component == seen.component.name and past.kind in ("deploy", "rollback", "infra")
    ]
    if deploys:
        return (seen.system.begins.astimezone(UTC) - max(deploys)).total_seconds()
    least, most = _SETTLED_DAYS
    key = int(hash_names(seen.system.seed, [seen.component.name], "age")[0])
    return 86400.0 * least + float(key % (86400 * (most - least)))


def _describe_restarts(seen: Vantage, events: list[Event]) -> str:
    starts = [event.at for event in events if event.what == "start" and event.details["again"]]
    if not starts:
        return "0"
    since = "" if len(starts) == 1 else f" since {seen.clock.get_time_of_day(starts[0])}"
    return f"{len(starts)} automatic{since}, last at {seen.clock.get_time_of_day(starts[-1])}"


def _describe_flag(seen: Vantage, events: list[Event], flag: str) -> str:
    """The value of a flag, and since when, if it was changed in the run."""
    changes = [event for event in events if event.what == "flag" and event.details["flag"] == flag]
    if not changes:
        return "on"
    value = "on" if changes[-1].details["value"] == "true" else "off"
    return f"{value} (since {seen.clock.get_time_of_day(changes[-1].at)})"
