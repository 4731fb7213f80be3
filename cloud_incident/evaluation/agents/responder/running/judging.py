"""Judges what explains the trouble of a component: the hypothesis that fits what callers meet and what was changed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.agents.responder.evidence import parse_changes, parse_metrics, parse_status
from cloud_incident.evaluation.agents.responder.running.calls import LATE
from cloud_incident.evaluation.agents.responder.running.hypotheses import HYPOTHESES, PARTNER, SERVER, STORE

if TYPE_CHECKING:
    from datetime import datetime

    from cloud_incident.evaluation.agents.responder.desk import Desk, Play
    from cloud_incident.evaluation.agents.responder.evidence import ChangeEntry, MetricReading
    from cloud_incident.evaluation.agents.responder.running.hypotheses import Hypothesis

_BEFORE = timedelta(minutes=13)
"""What breaks something was changed at most so long before its calls fail."""
_AFTER = timedelta(minutes=1)
_WORDS, _SIGNS = 2, 2
_ROSE = 1.4
_RISING = (
    ("processor", re.compile("cpu")),
    ("memory", re.compile("memory|heap")),
    ("pool", re.compile("conns")),
    ("requests", re.compile(r"requests?_(?:seconds_count|total)_rate(?:\{[^,]*\})? |downstream_rq_total")),
)
"""What may rise, and the names and units of the metrics that tell."""
_JOB_BEFORE = timedelta(seconds=100)
"""A job that takes what others need began at most so long before their calls fail."""
_STARTED = re.compile(r"(\d+):(\d+)(?::(\d+))?\s+job (\S+) started, reading from (\S+)")
_PARTNER = re.compile(r"third party", re.IGNORECASE)


class Trouble(NamedTuple):
    """What the last failing component shows to who calls it.

    `began` is when its calls began to fail. `fails` is what kind of component it is: `server`, `store` or `partner`;
    empty if that is not known.
    """

    symptom: str
    began: datetime
    fails: str


class Verdict(NamedTuple):
    """What explains a trouble: where the cause lies, what it is, and the change that brought it, if there is one."""

    root: str
    hypothesis: Hypothesis
    change: ChangeEntry | None


def find_fresh_change(desk: Desk, service: str, began: datetime) -> Play[ChangeEntry | None]:
    """Find the newest change of a service shortly before its calls began to fail; None if there is none."""
    for change in parse_changes((yield from desk.look("check_recent_deploys", service))):
        if began - _BEFORE <= change.at <= began + _AFTER and change.kind != "rollback":
            return change
    return None


def judge(desk: Desk, trouble: Trouble, lies: str, change: ChangeEntry | None, root: str) -> Verdict | None:
    """Judge whether a component explains the trouble, with a change or without one; None if it does not."""
    told = tell(desk, root, trouble.began)
    fitting = [
        (_rate(hypothesis, change, told), -place, hypothesis)
        for place, hypothesis in enumerate(HYPOTHESES)
        if _fits(hypothesis, trouble, lies, change, told)
    ]
    if not fitting:
        return None
    hypothesis = max(fitting, key=lambda rated: rated[:2])[2]
    return Verdict(root, hypothesis, change if hypothesis.change else None)


def _fits(hypothesis: Hypothesis, trouble: Trouble, lies: str, change: ChangeEntry | None, told: str) -> bool:
    if hypothesis.lies != lies or (trouble.fails and trouble.fails not in hypothesis.fails):
        return False
    if trouble.symptom and trouble.symptom not in hypothesis.met:
        return False
    if hypothesis.change and (change is None or change.kind != hypothesis.change):
        return False
    if not hypothesis.change and (change is not None or not trouble.symptom) and not hypothesis.shows_in(told):
        return False
    if hypothesis.spoken and not _is_spoken_of(hypothesis, change):
        return False
    return not hypothesis.bare or hypothesis.shows_in(told)


def _is_spoken_of(hypothesis: Hypothesis, change: ChangeEntry | None) -> bool:
    """Whether a change speaks of a hypothesis: the name of a flag tells more than its note."""
    if change is None:
        return False
    return hypothesis.speaks_of(change.version if change.kind == "flag" else change.note.partition(": ")[2])


def _rate(hypothesis: Hypothesis, change: ChangeEntry | None, told: str) -> int:
    spoken = _is_spoken_of(hypothesis, change)
    return _WORDS * spoken + _SIGNS * hypothesis.shows_in(told) + bool(hypothesis.change)


def tell(desk: Desk, service: str, began: datetime) -> str:
    """Tell what a service shows of itself, as far as it was looked at: status, logs, and which metrics rose."""
    status = desk.seen.get(("check_service_status", service), "")
    rows = parse_status(status)
    metrics = parse_metrics(desk.seen.get(("check_metrics", service), ""))
    rose = [f"{name} rose" for name, pattern in _RISING if _have_risen(metrics, pattern)]
    jobs = [
        f"a job began to read a {'cache' if 'cache' in job.source else 'store'}"
        for job in read_jobs(status, began)
        if began - _JOB_BEFORE <= job.at <= began + _AFTER
    ]
    events = [*rows.get("event", []), *rows.get("last termination", [])]
    return "\n".join([*events, desk.seen.get(("query_logs", service), ""), *rose, *jobs])


def _have_risen(metrics: list[MetricReading], pattern: re.Pattern[str]) -> bool:
    rows = [row for row in metrics if pattern.search(f"{row.name} {row.unit}")]
    return any(row.now > _ROSE * row.normal > 0 for row in rows)


class Job(NamedTuple):
    """A job that a service has begun: when, its name, and what it reads."""

    at: datetime
    name: str
    source: str


def read_jobs(status: str, day: datetime) -> list[Job]:
    """Read from a status which jobs were begun on a day."""
    found = [_STARTED.search(event) for event in parse_status(status).get("event", [])]
    return [
        Job(day.replace(hour=int(job[1]), minute=int(job[2]), second=int(job[3] or 0)), job[4], job[5])
        for job in found
        if job
    ]


def name_kind(desk: Desk, service: str) -> str:
    """Name the kind of a component by what is known of it; empty if nothing tells."""
    status = desk.seen.get(("check_service_status", service), "")
    if _PARTNER.search(status):
        return PARTNER
    surroundings = desk.seen.get(("check_dependencies", service), "")
    if surroundings:
        return STORE if "calls\n  (nothing)" in surroundings else SERVER
    return ""


def is_late(trouble: Trouble) -> bool:
    """Whether a trouble is that something takes too long."""
    return trouble.symptom in LATE
