"""What a document's schema cannot say: names that point at nothing, conditions that can never hold."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from scenarios.authored import read_plan_step
from scenarios.document import DIAGNOSTIC_FIELDS, IncidentDocument
from scenarios.forms import Variant, expand_numbers, split_lines
from scenarios.library import load_failure_families, load_runbook_catalogue
from scenarios.progress import Condition
from scenarios.vocabulary import REMEDIATIONS, RUNBOOK_STEP, SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

Location = tuple[int | str, ...]
"""Where a problem stands, as keys and indices from the top of the document."""

Problem = tuple[Location, str]


MOST_SERVICES = 200
"""Services of an incident at most."""
MOST_LINE = 100_000
"""The highest number of a line that a state shows."""
MOST_SETS = 1_000
"""Sets of evidence at most that certificates come to, one for each choice among items that serve alike."""
MOST_STATES = 200
"""States of a piece of evidence at most; harms and plan steps too."""


def find_contradictions(document: IncidentDocument) -> Iterator[Problem]:
    """Every problem with its place and reason. What is too large to be checked is the only problem that is told."""
    excesses = list(_find_excesses(document))
    if excesses:
        yield from excesses
        return
    yield from _check_services(document)
    yield from _check_spread(document)
    yield from _check_calls(document)
    yield from _check_plan(document)
    yield from _check_variants(document)
    yield from _check_borrowing(document)
    for index, family in enumerate(document.truth.failure_mode.families):
        if family not in load_failure_families():
            known = ", ".join(load_failure_families())
            yield ("truth", "failure_mode", "families", index), f"unknown family {family!r}; known: {known}"


def _find_excesses(document: IncidentDocument) -> Iterator[Problem]:
    """What a few words make larger than any incident is."""
    for where, count, most, what in (
        (("services",), len(document.services), MOST_SERVICES, "services"),
        (("harms",), len(document.harms), MOST_STATES, "harms"),
        (("plan",), sum(map(len, document.plan)), MOST_STATES, "steps"),
        (("truth", "spread"), sum(map(len, document.truth.spread.values())), MOST_SERVICES**2, "names"),
        (("certificates",), _count_sets(document), MOST_SETS, "sets of evidence, counting every choice"),
    ):
        if count > most:
            yield where, f"has {count:,} {what}; {most:,} are the most"
    for service, own in document.services.items():
        for field in DIAGNOSTIC_FIELDS:
            if len(getattr(own, field)) > MOST_STATES:
                yield ("services", service, field), f"has more than {MOST_STATES} states"
        for index, logs in enumerate(own.logs):
            problem = _judge_line_numbers(logs.shows or "")
            if problem:
                yield ("services", service, "logs", index, "shows"), problem


def _judge_line_numbers(text: str) -> str:
    """What is wrong with numbers and ranges of lines, or ""."""
    if len(text) > MOST_LINE or any(len(number) > len(str(MOST_LINE)) for number in re.findall(r"\d+", text)):
        return f"{MOST_LINE:,} is the highest line"
    ranges = [[int(number) for number in part.split("-")] for part in text.split()]
    if any(part[0] > part[-1] for part in ranges):
        return "a range of lines runs upwards, as in 3-5"
    if sum(part[-1] - part[0] + 1 for part in ranges) > MOST_LINE:
        return f"comes to more than {MOST_LINE:,} lines"
    return ""


def _count_sets(document: IncidentDocument) -> int:
    return sum(math.prod(map(len, certificate)) for certificate in document.certificates)


def _check_variants(document: IncidentDocument) -> Iterator[Problem]:
    tokens = {read_plan_step(text).step for stage in document.plan for text in stage} | set(document.harms)
    for name, harm in document.harms.items():
        yield from _check_conditions(("harms", name, "when"), harm.when, tokens)
    for service, own in document.services.items():
        for field in DIAGNOSTIC_FIELDS:
            yield from _check_states(("services", service, field), getattr(own, field), tokens)


def _check_states(where: Location, variants: list[Variant], tokens: set[str]) -> Iterator[Problem]:
    conditions = [Condition.parse(variant.when) for variant in variants]
    for index, variant in enumerate(variants):
        yield from _check_conditions((*where, index, "when"), variant.when, tokens)
        condition = conditions[index]
        if condition.holds & condition.lacks:
            yield (*where, index, "when"), "can never hold: it asks for a thing and its opposite"
        if any(earlier.is_implied_by(condition) for earlier in conditions[:index]):
            yield (*where, index, "when"), "can never show: a state before it shows whenever this one would"
        if not variant.when and index < len(variants) - 1:
            yield (*where, index), "hides the states after it: only the last may have no `when`"
    if variants[-1].when:
        yield where, "the last state must have no `when`"


def _check_conditions(where: Location, tokens: list[str], known: set[str]) -> Iterator[Problem]:
    for token in tokens:
        if token.removeprefix("!").strip() not in known:
            yield where, f"{token!r} is neither a plan step nor a harm; known: {', '.join(sorted(known)) or 'none'}"


def _check_borrowing(document: IncidentDocument) -> Iterator[Problem]:
    """What a state has from elsewhere must be there."""
    for service, own in document.services.items():
        printed = len(split_lines(own.printed))
        for index, logs in enumerate(own.logs):
            where = ("services", service, "logs", index, "shows")
            if logs.shows is not None and max(expand_numbers(logs.shows)) > printed:
                yield where, f"`printed` has lines 1 to {printed}" if printed else "needs the service's `printed`"
            if logs.shows is not None and logs.lines:
                yield where, "a state has `lines` of its own or shows those `printed`, not both"
        known_series = {series.name for series in own.metrics[-1].series}
        for index, metrics in enumerate(own.metrics):
            for number, series in enumerate(metrics.series):
                known = metrics is not own.metrics[-1] and series.name in known_series
                if not known and (series.unit is None or series.normal is None):
                    row = ("services", service, "metrics", index, "series", number)
                    yield row, "needs `unit` and `normal`: the last state does not give them"


def _check_services(document: IncidentDocument) -> Iterator[Problem]:
    known = document.services
    for index, service in enumerate(document.alert.affected_services):
        if service not in known:
            yield ("alert", "affected_services", index), f"unknown service {service!r}"
    if document.truth.service not in known:
        yield ("truth", "service"), f"unknown service {document.truth.service!r}"
    for number, certificate in enumerate(document.certificates):
        for index, alternatives in enumerate(certificate):
            for name in alternatives:
                if name.partition("/")[0] not in known:
                    yield ("certificates", number, index), f"unknown service in {name!r}"


def _check_spread(document: IncidentDocument) -> Iterator[Problem]:
    """Trouble spreads between services, and all of it from the root cause."""
    spread, root = document.truth.spread, document.truth.service
    reached = [root]
    for service in reached:
        reached += [sufferer for sufferer in spread.get(service, ()) if sufferer not in reached]
    for service, suffering in spread.items():
        where = ("truth", "spread", service)
        if service not in document.services:
            yield where, f"unknown service {service!r}"
        elif service not in reached:
            yield where, f"nothing leads from {root} to {service!r}"
        for index, sufferer in enumerate(suffering):
            if sufferer not in document.services:
                yield (*where, index), f"unknown service {sufferer!r}"
            elif sufferer in (root, service, *suffering[:index]):
                yield (*where, index), f"{sufferer!r} is the root cause, the service itself or named before"


def _check_calls(document: IncidentDocument) -> Iterator[Problem]:
    for service, own in document.services.items():
        for index, callee in enumerate(own.calls):
            if callee not in document.services:
                yield ("services", service, "calls", index), f"unknown service {callee!r}"
        for index, taker in enumerate(own.consumers):
            if taker not in document.services or service not in document.services[taker].calls:
                yield ("services", service, "consumers", index), f"{taker!r} does not call {service} (see its `calls`)"
        yield from _check_paths(document, service)


def _check_paths(document: IncidentDocument, service: str) -> Iterator[Problem]:
    callees, callers = document.paths_of(service)
    for number, variant in enumerate(document.services[service].dependencies):
        where = ("services", service, "dependencies", number)
        for name in sorted(set(variant.calls) - set(callees)):
            yield (*where, "calls", name), f"{service} does not call {name!r} (see its `calls`)"
        for name in sorted(set(variant.called_by) - set(callers)):
            yield (*where, "called_by", name), f"{name!r} does not call {service} (see its `calls`)"


def _check_plan(document: IncidentDocument) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, stage in enumerate(document.plan):
        for index, text in enumerate(stage):
            yield from _check_step(document, ("plan", number, index), text)
            step = read_plan_step(text).step
            if step in seen:
                yield ("plan", number, index), f"{step!r} stands in the plan twice"
            seen.add(step)
    for name, harm in document.harms.items():
        yield from _check_step(document, ("harms", name, "on"), harm.on)


def _check_step(document: IncidentDocument, where: Location, text: str) -> Iterator[Problem]:
    action, target, *bounds = text.split()
    remediation = REMEDIATIONS.get(action)
    if remediation is None:
        yield where, f"{action!r} is not a remediation"
    elif remediation.target is SERVICE and target not in document.services:
        yield where, f"unknown service {target!r}"
    elif remediation.target is RUNBOOK_STEP and target not in load_runbook_catalogue():
        yield where, f"{target!r} is not in the runbook catalogue"
    if bounds and not (remediation and remediation.takes_replicas):
        takers = " and ".join(name for name, other in REMEDIATIONS.items() if other.takes_replicas)
        yield where, f"only {takers} takes a range of replicas"
    if (step := read_plan_step(text)).replicas is not None and not 1 <= step.replicas[0] <= step.replicas[1]:
        yield where, "a range of replicas runs from 1 or more upwards, as in 6..12"
