"""The facts of an incident as a page for a terminal: plain text, at most 100 columns, colours that pipes lose."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from cloud_incident.show.map import LEGEND, service_map
from env_core.briefing import describe_alert
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WIDTH = 100
MOST_CERTIFICATES = 12
MOST_USERS = 4
WARNING = "This tells the truth of the incident. It is for those who run it, not for those who are tested on it."

_EVENT_COLOURS = {"onset": "red", "alert": "yellow", "now": "green"}


def page(facts: Mapping[str, Any]) -> str:
    """The page."""
    return "\n".join(_lines(facts))


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    yield click.style(WARNING, fg="red", bold=True)
    yield ""
    difficulty = f" · difficulty {facts['difficulty']}" if facts["difficulty"] else ""
    task = TASKS[facts["task_id"]]
    yield click.style(f"{facts['scenario_id']} · {task.title}{difficulty}", bold=True)
    others = [name for name in facts["scenarios"].values() if name != facts["scenario_id"]]
    if others:
        yield from _wrapped(f"on the same incident: {', '.join(others)}")
    yield from _wrapped(facts["summary"])
    yield from _titled("Alert")
    for line in describe_alert(facts["alert"]).split("\n"):
        yield from _wrapped(line)
    yield from _titled("Service map")
    yield LEGEND
    yield from service_map(facts["services"], WIDTH)
    yield from _users(facts["services"])
    yield from _titled("Timeline (UTC)")
    for event in facts["timeline"]:
        yield from _event(event)
    yield from _severity(facts["severity"])
    yield from _truth(facts["truth"])
    yield from _certificates(facts["certificates"], facts["fewest_steps"], task.max_steps)
    yield from _plan(facts["plan"], facts["tempting"])


def _titled(title: str) -> Iterator[str]:
    yield ""
    yield click.style(title, bold=True, underline=True)


def _wrapped(text: str, indent: str = "", head: str | None = None) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent if head is None else head,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    ) or [""]


def _users(services: list[dict[str, Any]]) -> Iterator[str]:
    """Whom the platform serves; requests do not wait for it."""
    users: dict[str, list[str]] = {}
    for one in services:
        for used in one["uses"]:
            users.setdefault(used, []).append(one["service"])
    for used, names in sorted(users.items()):
        more = f" and {len(names) - MOST_USERS} more" if len(names) > MOST_USERS else ""
        yield from _wrapped(f"{used} is used by {', '.join(names[:MOST_USERS])}{more}", "  ", "")


def _event(event: Mapping[str, str]) -> Iterator[str]:
    head = f"{event['at'][5:-1].replace('T', ' ')}  {event['what'].ljust(6)}  "
    text = f"{event['service']}: {event['text']}" if event["service"] else event["text"]
    lines = list(_wrapped(text, " " * len(head), head))
    colour = _EVENT_COLOURS.get(event["what"])
    yield from (click.style(line, fg=colour) if colour else line for line in lines)


def _severity(severity: Mapping[str, Any]) -> Iterator[str]:
    yield from _titled("Severity")
    yield from _wrapped(f"{severity['level']}: {severity['means']}")
    for one in severity["journeys"]:
        ill = one["failing_percent"] >= 1 or one["times_slower"] >= 1.5
        how = f"{one['failing_percent']:g} % fail, {one['times_slower']:g} times as long" if ill else "well"
        line = f"  {one['journey'].ljust(24)}  {one['class'].ljust(8)}  {how}  (at {one['entry']})"
        yield click.style(line, fg="magenta") if ill else line


def _truth(truth: Mapping[str, Any]) -> Iterator[str]:
    yield from _titled("Truth")
    family = f"{truth['family']} ({truth['mechanism']}): {truth['title']}" if truth["family"] else ""
    rows = {
        "service": truth["service"],
        "family": family,
        "failure": ", ".join(truth["failure_families"]),
        "answer": truth["answer"] or "; ".join(" | ".join(group[:6]) for group in truth["concepts"]),
    }
    for name, text in rows.items():
        if text:
            yield from _wrapped(text, " " * 9, f"{name.ljust(7)}  ")
    for number, sentence in enumerate(truth["chain"], 1):
        yield from _wrapped(sentence, "   ", f"{number}. ")


def _certificates(certificates: list[list[str]], fewest: int, most: int) -> Iterator[str]:
    yield from _titled(f"Certificates: {len(certificates)}, each enough to know the cause")
    for one in certificates[:MOST_CERTIFICATES]:
        yield from _wrapped(" + ".join(one), "    ", "  ")
    if len(certificates) > MOST_CERTIFICATES:
        yield f"  and {len(certificates) - MOST_CERTIFICATES} more; --json has all"
    yield f"The fewest steps are {fewest} of {most}."


def _plan(plan: list[list[str]], tempting: list[dict[str, str]]) -> Iterator[str]:
    yield from _titled("Plan")
    for number, stage in enumerate(plan, 1):
        yield from _wrapped(" and, in any order, ".join(stage), "   ", f"{number}. ")
    if tempting:
        yield from _titled("Tempting, and harmful")
    for one in tempting:
        yield from _wrapped(f"{one['move']}: {one['means']}", "    ", "  ")
