"""Law 3: components print, faults do not. No line, metric or status field is there that the software does not have."""

from __future__ import annotations

import re
from functools import lru_cache
from string import Formatter
from typing import TYPE_CHECKING

from scenarios.laws.playing import Witness
from scenarios.telemetry import TelemetryError, look
from scenarios.telemetry.dependencies import name_outside
from scenarios.telemetry.metrics import OF_ANYTHING
from scenarios.vocabulary import DIAGNOSTICS
from scenarios.vocabulary.diagnostics import Dependencies, Deploys, Logs, ScrapedMetrics, Status
from scenarios.world import SOFTWARE
from scenarios.world.operations.entries import ENTRIES

if TYPE_CHECKING:
    from scenarios.evidence import Evidence
    from scenarios.laws.subject import Move, Subject
    from scenarios.world import Component, Run

_STATES = re.compile(
    r"running|starting|stopping|down|failed: [a-z (9),]+|pending: no zone takes its instances|run by a third party"
    r"|\d+ (running|starting|stopping|down|failed)(, \d+ (running|starting|stopping|down|failed))*"
)
_EVERY = 300.0
"""Seconds from one sample of all components to the next."""


class PrintWitness(Witness):
    """Reads what is shown of components, and compares it with what their software prints."""

    law = 3

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        system = subject.system
        self._components = {component.name: component for component in system.components}
        self._neighbours: dict[str, set[str]] = {name: set() for name in self._components}
        self._asked: dict[str, set[str]] = {name: set() for name in self._components}
        for call in system.calls:
            source, target = call.source.partition("/")[0], call.target.partition("/")[0]
            self._neighbours[source].add(target)
            self._neighbours[target].add(source)
            self._asked[source].add(self._components[target].software)
            self._asked[target].add(self._components[source].software)
        for journey in system.journeys:
            self._neighbours[journey.entry.partition("/")[0]].add(name_outside(journey))
        for component in system.components:
            self._asked[component.name] |= {self._components[job.store].software for job in component.jobs}

    def pass_step(self, run: Run) -> None:
        if run.time % _EVERY == 0.0 and run.time >= self.subject.begins:
            self._read_all(run)

    def see(self, run: Run, move: Move, shown: Evidence) -> None:
        self._read(run, shown, self._components[move.target])

    def end(self, run: Run) -> None:
        self._read_all(run)

    def _read_all(self, run: Run) -> None:
        for component in self._components.values():
            for diagnostic in DIAGNOSTICS:
                try:
                    shown = look(run, diagnostic, component.name)
                except TelemetryError:
                    return
                self._read(run, shown, component)

    def _read(self, run: Run, shown: Evidence, component: Component) -> None:
        foreign: list[str] = []
        match shown:
            case Logs():
                asked = tuple(sorted(self._asked[component.name]))
                pattern = compile_lines(component.software, asked)
                foreign = [line for line in shown.lines if not pattern.fullmatch(line)]
            case ScrapedMetrics():
                pattern = compile_metrics(component.software)
                foreign = [series.name for series in shown.series if not pattern.fullmatch(series.name)]
            case Dependencies():
                paths = (*shown.calls, *shown.called_by)
                foreign = [path.service for path in paths if path.service not in self._neighbours[component.name]]
            case Deploys():
                known = _list_versions(self.subject, component)
                foreign = [
                    entry.version
                    for entry in shown.history
                    if entry.version not in known and not re.fullmatch(r"conf r\d+", entry.version)
                ]
            case Status():
                foreign = [flag for flag, _ in shown.flags if flag not in component.flags]
                foreign += [shown.state] if not _STATES.fullmatch(shown.state) else []
                foreign += [note for note in shown.notes if note not in component.notes]
                versions = re.split(r" \(\d+ of \d+\)(?:, |$)|, ", shown.version)
                foreign += sorted(set(versions) - {release.version for release in component.releases} - {""})
            case _:
                pass
        for text in foreign[:1]:
            self.report(run, f"{component.name} ({component.software}) shows what its software has not: {text!r}")


def _list_versions(subject: Subject, component: Component) -> set[str]:
    """What the change log of a component may name: releases, flags, operations, and what stood there before."""
    return {
        "restart",
        *(release.version for release in component.releases),
        *(f"{flag}={value}" for flag in component.flags for value in ("on", "off")),
        *(name.removesuffix("_refused").removesuffix("_unchanged") for name in ENTRIES),
        *(entry.version for entry in subject.system.history if entry.component == component.name),
    }


@lru_cache(maxsize=256)
def compile_lines(software: str, asked: tuple[str, ...]) -> re.Pattern[str]:
    """What the lines of a software look like that asks others for something."""
    lines = [line.text for line in SOFTWARE[software].lines if not line.to or set(line.to) & set(asked)]
    return _compile(lines)


@lru_cache(maxsize=64)
def compile_metrics(software: str) -> re.Pattern[str]:
    """What the metrics of a software are called."""
    names = [metric.name for metric in SOFTWARE[software].metrics or OF_ANYTHING]
    parts = [re.sub(r"\\\{(service|route|path|target)\\\}", ".*", re.escape(name)) for name in names]
    return re.compile("|".join(parts), re.DOTALL)


def _compile(templates: list[str]) -> re.Pattern[str]:
    parts = []
    for template in templates:
        pieces = [
            re.escape(literal) + ("" if field is None else ".*?")
            for literal, field, _, _ in Formatter().parse(template)
        ]
        parts.append("".join(pieces))
    return re.compile("|".join(parts), re.DOTALL)
