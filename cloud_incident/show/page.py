"""The facts of an incident as a page for a terminal: plain text of at most 100 columns, coloured on a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from cloud_incident.show.map import LEGEND, render_map
from env_core.briefing import describe_alert
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WIDTH = 100
"""Columns of the page."""
MOST_CERTIFICATES = 12
"""How many certificates the page lists; JSON has all."""
MOST_USERS = 4
"""How many users of one part of the platform the page names."""
_ILL_PERCENT = 1
"""A journey is shown as ill if at least this share of its requests fails, in percent."""
_ILL_TIMES = 1.5
"""A journey is shown as ill if it takes at least so many times as long as usual."""
WARNING = "This tells the truth of the incident. It is for those who run it, not for those who are tested on it."

_EVENT_COLOURS = {"onset": "red", "alert": "yellow", "now": "green"}


def render_page(facts: Mapping[str, Any]) -> str:
    """The page of the facts that `collect_facts` gives, with ANSI colours."""
    return "\n".join(_render_lines(facts))


def _render_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    yield click.style(WARNING, fg="red", bold=True)
    yield ""
    difficulty = f" · difficulty {facts['difficulty']}" if facts["difficulty"] else ""
    task = TASKS[facts["task_id"]]
    yield click.style(f"{facts['scenario_id']} · {task.title}{difficulty}", bold=True)
    others = [name for name in facts["scenarios"].values() if name != facts["scenario_id"]]
    if others:
        yield from _wrap(f"on the same incident: {', '.join(others)}")
    yield from _wrap(facts["summary"])
    yield from _render_title("Alert")
    for line in describe_alert(facts["alert"]).split("\n"):
        yield from _wrap(line)
    yield from _render_title("Service map")
    yield LEGEND
    yield from render_map(facts["services"], WIDTH)
    yield from _render_users(facts["services"])
    yield from _render_title("Timeline (UTC)")
    for event in facts["timeline"]:
        yield from _render_event(event)
    yield from _render_severity(facts["severity"])
    yield from _render_truth(facts["truth"])
    yield from _render_certificates(facts["certificates"], facts["fewest_steps"], task.max_steps)
    yield from _render_plan(facts["plan"], facts["tempting"])


def _render_title(title: str) -> Iterator[str]:
    yield ""
    yield click.style(title, bold=True, underline=True)


def _wrap(text: str, indent: str = "", head: str | None = None) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent if head is None else head,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    ) or [""]


def _render_users(services: list[dict[str, Any]]) -> Iterator[str]:
    """Which services use each part of the platform; their requests do not wait for it."""
    users: dict[str, list[str]] = {}
    for service in services:
        for used in service["uses"]:
            users.setdefault(used, []).append(service["service"])
    for used, names in sorted(users.items()):
        more = f" and {len(names) - MOST_USERS} more" if len(names) > MOST_USERS else ""
        yield from _wrap(f"{used} is used by {', '.join(names[:MOST_USERS])}{more}", "  ", "")


def _render_event(event: Mapping[str, str]) -> Iterator[str]:
    head = f"{event['at'][5:-1].replace('T', ' ')}  {event['what'].ljust(6)}  "
    text = f"{event['service']}: {event['text']}" if event["service"] else event["text"]
    lines = list(_wrap(text, " " * len(head), head))
    colour = _EVENT_COLOURS.get(event["what"])
    yield from (click.style(line, fg=colour) if colour else line for line in lines)


def _render_severity(severity: Mapping[str, Any]) -> Iterator[str]:
    yield from _render_title("Severity")
    yield from _wrap(f"{severity['level']}: {severity['means']}")
    for journey in severity["journeys"]:
        failing, slower = journey["failing_percent"], journey["times_slower"]
        ill = failing >= _ILL_PERCENT or slower >= _ILL_TIMES
        how = f"{failing:g} % fail, {slower:g} times as long" if ill else "well"
        line = f"  {journey['journey'].ljust(24)}  {journey['class'].ljust(8)}  {how}  (at {journey['entry']})"
        yield click.style(line, fg="magenta") if ill else line


def _render_truth(truth: Mapping[str, Any]) -> Iterator[str]:
    yield from _render_title("Truth")
    family = f"{truth['family']} ({truth['mechanism']}): {truth['title']}" if truth["family"] else ""
    rows = {
        "service": truth["service"],
        "family": family,
        "failure": ", ".join(truth["failure_families"]),
        "answer": truth["answer"] or "; ".join(" | ".join(group[:6]) for group in truth["concepts"]),
    }
    for name, text in rows.items():
        if text:
            yield from _wrap(text, " " * 9, f"{name.ljust(7)}  ")
    for number, sentence in enumerate(truth["chain"], 1):
        yield from _wrap(sentence, "   ", f"{number}. ")


def _render_certificates(certificates: list[list[str]], fewest: int, most: int) -> Iterator[str]:
    yield from _render_title(f"Certificates: {len(certificates)}, each enough to know the cause")
    for certificate in certificates[:MOST_CERTIFICATES]:
        yield from _wrap(" + ".join(certificate), "    ", "  ")
    if len(certificates) > MOST_CERTIFICATES:
        yield f"  and {len(certificates) - MOST_CERTIFICATES} more; --json has all"
    yield f"The fewest steps are {fewest} of {most}."


def _render_plan(plan: list[list[str]], tempting: list[dict[str, str]]) -> Iterator[str]:
    yield from _render_title("Plan")
    for number, stage in enumerate(plan, 1):
        yield from _wrap(" and, in any order, ".join(stage), "   ", f"{number}. ")
    if tempting:
        yield from _render_title("Tempting, and harmful")
    for harm in tempting:
        yield from _wrap(f"{harm['move']}: {harm['means']}", "    ", "  ")
