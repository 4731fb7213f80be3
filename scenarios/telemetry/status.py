"""check_service_status: what the orchestrator knows of a component, as it was told at the time."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from pydantic import Field

from scenarios.evidence import align_columns
from scenarios.telemetry.instances import find_name
from scenarios.telemetry.numbers import format_age
from scenarios.telemetry.texts import find_instance_address
from scenarios.vocabulary.diagnostics import Status
from scenarios.world.chance import hash_names

if TYPE_CHECKING:
    from scenarios.telemetry.vantage import Vantage
    from scenarios.world.state import Event

_STATES = {
    "ready": "running",
    "start": "starting",
    "stop": "stopping",
    "oom": "down",
    "disk_stop": "down",
    "gave_up": "failed",
}
_READY = {"kubernetes": "pods ready", "hosts": "units active", "device": "devices up", "elsewhere": ""}
_MANY = 8
"""Instances that are listed one by one, at most; of more only those that do not run."""
_TOLD = {
    "job_start": "job {job} started, reading from {target}",
    "job_done": "job {job} completed",
    "job_lost": "job {job} failed: connection to {target} lost, again in {seconds} s",
    "job_refused": "job {job} failed: no connection to {target}, again in {seconds} s",
    "rescaled": "SuccessfulRescale: new size {after}, it was {before}",
    "scale_service": "ScalingReplicaSet: new size {after}, it was {before}",
    "pressed": "Evicted: a node was low on ephemeral-storage; the size was lowered by one",
    "evicted": "Evicted: a node is drained",
    "evicted_pending": "Not evicted: a node is drained, and no other takes the instance",
}
"""What is told of an event."""
_MOST_EVENTS = 6
"""Events that are listed, at most."""
_NOT_OURS = "run by a third party"
_SETTLED_DAYS = (9, 60)
"""For how many days something has been running that nobody has changed of late."""


class ObservedStatus(Status):
    """A status as the orchestrator of that software knows it: also the memory limit, how the last process ended, and
    the instances by name. Nobody knows that of what a third party runs."""

    ready: str
    """What it calls instances that are ready."""
    memory_limit: str = ""
    last_termination: str = ""
    instances: tuple[tuple[str, str], ...] = Field(default=())
    addresses: tuple[str, ...] = ()
    """Where the instances that are listed are reached, in their order."""
    events: tuple[tuple[str, str], ...] = ()
    """The last runs of jobs and changes of the number of instances, newest last, each with its time."""

    def body(self) -> str:
        rows = [
            ("about", self.about),
            ("owner", self.team),
            ("state", self.state),
            (self.ready, self.replicas),
            ("version", self.version),
            ("uptime", self.uptime),
            ("restarts", self.restarts),
            ("last termination", self.last_termination),
            ("memory limit", self.memory_limit),
            *(
                ("instance", f"{name}  {state}  {address}")
                for (name, state), address in zip(self.instances, self.addresses, strict=True)
            ),
            *(("flag", f"{name} = {value}") for name, value in self.flags),
            *(("event", f"{at}  {what}") for at, what in self.events),
            *(("note", note) for note in self.notes),
        ]
        return align_columns([row for row in rows if row[1]])


def show_status(seen: Vantage) -> ObservedStatus:
    """State, replicas, versions, uptime, restarts and flags of a component."""
    events = seen.list_events()
    if not seen.is_ours:
        return ObservedStatus(
            service=seen.component.name,
            as_of=seen.as_of,
            team=seen.get_team(),
            about=seen.component.about or seen.software.title,
            state=_NOT_OURS,
            replicas="",
            ready="",
            version="",
            uptime="",
            restarts="",
            flags=tuple((flag, _describe_flag(seen, events, flag)) for flag in seen.component.flags),
            notes=seen.component.notes,
        )
    last = _find_last(events)
    states = [_STATES[last[instance].what] if instance in last else "running" for instance in seen.list_present()]
    ended = _find_ended(seen, events)
    listed = _list_instances(seen, states)
    return ObservedStatus(
        service=seen.component.name,
        as_of=seen.as_of,
        team=seen.get_team(),
        about=seen.component.about or seen.software.title,
        state=_describe_state(states, ended),
        replicas=f"{states.count('running')}/{len(states)}",
        version=_describe_versions(seen, events),
        uptime=_describe_uptime(seen, last, states),
        restarts=_describe_restarts(seen, events),
        ready=_READY[seen.software.runs_on],
        last_termination=_describe_end(seen, ended),
        memory_limit=_describe_limit(seen, events),
        instances=tuple((name, state) for name, state, _ in listed),
        addresses=tuple(address for _, _, address in listed),
        events=tuple(_describe_events(seen, events)),
        flags=tuple((flag, _describe_flag(seen, events, flag)) for flag in seen.component.flags),
        notes=seen.component.notes,
    )


def _find_last(events: list[Event]) -> dict[int, Event]:
    """What last happened to the process of each instance to which something has happened."""
    return {int(event.details["instance"]): event for event in events if event.what in _STATES}


def _list_instances(seen: Vantage, states: list[str]) -> list[tuple[str, str, str]]:
    """The instances by name, state and address."""
    present = [instance - seen.instances[0] for instance in seen.list_present()]
    named = [
        (find_name(seen.names[place], seen.time), state, find_instance_address(seen.component, place))
        for place, state in zip(present, states, strict=True)
    ]
    return [entry for entry in named if len(named) <= _MANY or entry[1] != "running"]


def _describe_events(seen: Vantage, events: list[Event]) -> list[tuple[str, str]]:
    """The last events that are told, oldest first. Those that say the same are one, with how often it came."""
    times: dict[str, list[float]] = {}
    for event in events:
        if event.what in _TOLD:
            text = _TOLD[event.what].format(**event.details)
            times[text] = [*times.pop(text, ()), event.at]
    told = list(times.items())[-_MOST_EVENTS:]
    read = seen.clock.get_time_of_day
    return [(read(at[-1]), text if len(at) == 1 else f"{text} (x{len(at)} since {read(at[0])})") for text, at in told]


def _find_ended(seen: Vantage, events: list[Event]) -> Event | None:
    """The last time that a process ended which was not told to. A pod that was replaced took its ends with it."""
    deaths = [event for event in events if event.what in ("oom", "disk_stop") and _is_of_now(seen, events, event)]
    return deaths[-1] if deaths else None


def _is_of_now(seen: Vantage, events: list[Event], event: Event) -> bool:
    """Whether an event befell what is there now: a host, or a pod that was not replaced since."""
    if seen.software.runs_on != "kubernetes":
        return True
    own = event.details["instance"]
    return not any(
        other.what == "start"
        and not other.details["again"]
        and other.details["instance"] == own
        and other.at > event.at
        for other in events
    )


def _describe_end(seen: Vantage, ended: Event | None) -> str:
    """How a process ended, in the words of its orchestrator."""
    if ended is None:
        return ""
    pods = seen.software.runs_on == "kubernetes"
    place = int(ended.details["instance"]) - seen.instances[0]
    killed = "OOMKilled, exit code 137" if pods else "code=killed, status=9/KILL (out of memory)"
    failed = "Error, exit code 1" if pods else "code=exited, status=1/FAILURE"
    said = killed if ended.what == "oom" else failed
    return f"{said}, at {seen.clock.get_time_of_day(ended.at)} ({find_name(seen.names[place], ended.at)})"


def _describe_limit(seen: Vantage, events: list[Event]) -> str:
    """The memory that an instance may use, as it was set last."""
    component = seen.component
    changes = [change for change in seen.system.changes if change.what == "memory_limit"]
    factors = [(change.at, change.to) for change in changes if change.target == component.name]
    factors += [(event.at, float(event.details["factor"])) for event in events if event.what == "raise_memory"]
    factor = max((entry for entry in factors if entry[0] < seen.time), default=(0.0, 1.0))[1]
    of = {"kubernetes": "of the container", "hosts": "of the host", "device": "of the device"}
    return f"{component.get('memory') * factor:.0f} MiB {of[seen.software.runs_on]}"


def _describe_state(states: list[str], ended: Event | None) -> str:
    if not states:
        return "pending: no zone takes its instances"
    if len(set(states)) == 1:
        if states[0] == "failed":
            why = "disk full" if ended is not None and ended.what == "disk_stop" else "out of memory (signal 9)"
            return f"failed: {'' if ended is None else f'{why}, '}limit of automatic starts reached"
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
    again = [event for event in events if event.what == "start" and event.details["again"]]
    starts = [event.at for event in again if _is_of_now(seen, events, event)]
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
