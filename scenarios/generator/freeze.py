"""Freezing: a generated incident as an authored document, which lasts when the generator changes.

The document shows the same evidence after the same progress, and asks for the same answer, plan and certificates.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

from scenarios.document import DIAGNOSTIC_FIELDS
from scenarios.forms import FORMS
from scenarios.generator.naming import GENERATOR_VERSION
from scenarios.progress import UNTOUCHED, Progress
from scenarios.vocabulary import DIAGNOSTICS, ROOT_CAUSE_ANALYSIS, TASKS
from scenarios.writing import TextBlock, write_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scenarios.evidence import Evidence
    from scenarios.generator.incident import GeneratedIncident
    from scenarios.generator.naming import Name
    from scenarios.incident import Certificate, Truth
    from scenarios.progress import Plan, PlanStep
    from scenarios.vocabulary import TaskId

PREFIX = "frozen-"
"""What the ids of a frozen incident and its scenarios begin with, in their own case."""

_FIELDS = {diagnostic: field for field, diagnostic in DIAGNOSTIC_FIELDS.items()}
_SECOND = re.compile(r"\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d")


def frozen_id(incident_id: str) -> str:
    """The id of the document that a generated incident is frozen to; also how its file is called."""
    return f"{PREFIX}{incident_id}"


def freeze(incident: GeneratedIncident, name: Name, tasks: Iterable[TaskId] = tuple(TASKS)) -> str:
    """A generated incident as the text of a document that sets some tasks on it. `name` is what it was drawn by."""
    content = _content(incident, frozenset(tasks))
    return f"{_note(incident, name)}\n{write_yaml(content)}"


def _note(incident: GeneratedIncident, name: Name) -> str:
    return (
        "# yaml-language-server: $schema=./incident.schema.json\n"
        f"# {incident.id}, frozen: made by generator version {GENERATOR_VERSION} from seed {name.seed} at difficulty "
        f"{name.difficulty}, and\n"
        "# written down by `cloud-incident generate`. It needs no generator, and lasts when that changes.\n"
        "# To make it your own, give it other ids and take out `frozen_from`: lint then asks that no naive rule finds\n"
        "# its cause, as it does of every incident written by hand.\n"
    )


def _content(incident: GeneratedIncident, tasks: frozenset[TaskId]) -> dict[str, Any]:
    truth, course = incident.truth, _Course(incident)
    return {
        "incident": frozen_id(incident.id),
        "scenarios": {
            task: frozen_id(scenario_id).upper() for task, scenario_id in incident.scenarios.items() if task in tasks
        },
        "frozen_from": incident.id,
        "now": incident.scene.moment(incident.scene.fault.now),
        "summary": incident.summary,
        "alert": {name: value for name, value in incident.alert.items() if value != {}},
        "truth": {
            "severity": truth.severity,
            "service": truth.service,
            "failure_mode": {
                **({"answer": truth.answer} if truth.answer else {}),
                "concepts": [list(group) for group in truth.concepts],
                "families": sorted(truth.families),
            },
            "chain": list(incident.account.chain),
            **({"spread": _spread(truth)} if truth.spread else {}),
        },
        "plan": [_stage(stage) for stage in incident.plan.stages],
        "harms": {harm.name: {"on": harm.on, "means": harm.means} for harm in incident.plan.harms},
        "certificates": [_certificate(one) for one in incident.certificates(ROOT_CAUSE_ANALYSIS.id)],
        "services": {service: _service(incident, course, service) for service in incident.services},
    }


def _spread(truth: Truth) -> dict[str, list[str]]:
    return {one: [to for start, to in truth.spread if start == one] for one, _ in truth.spread}


def _stage(steps: tuple[PlanStep, ...]) -> str | list[str]:
    texts = [f"{one.step} {one.replicas[0]}..{one.replicas[1]}" if one.replicas else one.step for one in steps]
    return texts[0] if len(texts) == 1 else texts


def _certificate(certificate: Certificate) -> list[str]:
    return sorted(f"{service}/{_FIELDS[diagnostic]}" for diagnostic, service in certificate)


def _service(incident: GeneratedIncident, course: _Course, service: str) -> dict[str, Any]:
    node = incident.scene.world.nodes[incident.scene.world.index[service]]
    shown = {field: _states(incident, course, diagnostic, service) for field, diagnostic in DIAGNOSTIC_FIELDS.items()}
    calls, consumers = _callees(incident, node.index)
    return {
        "about": node.about,
        "team": node.team,
        **({"calls": calls} if calls else {}),
        **({"consumers": consumers} if consumers else {}),
        **_pooled(shown["logs"]),
        **{field: states[0] if len(states) == 1 else states for field, states in shown.items()},
    }


def _pooled(states: list[dict[str, Any]]) -> dict[str, TextBlock]:
    """The lines of several states of logs, each written once, if there are several; the states then number them."""
    if len(states) == 1:
        return {}
    every = dict.fromkeys(line for state in reversed(states) for line in state["lines"].split("\n") if line)
    pool = sorted(every, key=_printed_at)
    numbers = {line: number for number, line in enumerate(pool, 1)}
    for state in states:
        lines = state.pop("lines")
        state |= {"shows": _ranges([numbers[line] for line in lines.split("\n")])} if lines else {"lines": ""}
    return {"printed": TextBlock("\n".join(pool))}


def _printed_at(line: str) -> str:
    found = _SECOND.search(line)
    return found[0] if found else ""


def _ranges(numbers: list[int]) -> str:
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return " ".join("-".join(map(str, part)) for part in parts)


def _callees(incident: GeneratedIncident, index: int) -> tuple[list[str], list[str]]:
    """What a service calls, and, of a broker, those who take messages from it."""
    world = incident.scene.world
    broker = world.nodes[index].kind == "queue"
    takers = [call.caller for call in world.callers[index] if broker and world.nodes[call.caller].kind == "worker"]
    calls = [call.callee for call in world.calls[index]]
    return sorted({world.nodes[one].name for one in calls}), sorted({world.nodes[one].name for one in takers})


class _Course:
    """Every state that the incident can be in, the most advanced first, and which of them a progress is in.

    A state is met by the steps of its own stage that have been done and, until all is repaired, by a harm. Of several
    harms the first declared counts. So of the states that a progress meets, the first is the one it is in.
    """

    def __init__(self, incident: GeneratedIncident) -> None:
        plan = incident.plan
        harms = list(dict.fromkeys(harm.name for harm in plan.harms))
        self.conditions: list[tuple[str, ...]] = []
        self.reached: list[Progress] = []
        progresses: list[Progress] = []
        for done, told in reversed(list(_advances(plan))):
            for harm in () if plan.is_repaired(done) else harms:
                self.conditions.append((*told, harm))
                self.reached.append(done | {harm})
            self.conditions.append(told)
            self.reached.append(done)
            progresses += [done | set(some) for size in range(len(harms) + 1) for some in combinations(harms, size)]
        self._met = [
            [number for number, condition in enumerate(self.conditions) if progress.issuperset(condition)]
            for progress in progresses
        ]

    def needed(self, texts: Sequence[str]) -> list[int]:
        """The states that must be written down, given what each shows: the others show what those after them do."""
        last = len(texts) - 1
        kept = {last}
        for number in range(last - 1, -1, -1):
            in_it = [met for met in self._met if met[0] == number]
            if any(texts[next(one for one in met[1:] if one in kept)] != texts[number] for met in in_it):
                kept.add(number)
        return sorted(kept)


def _advances(plan: Plan) -> Iterator[tuple[Progress, tuple[str, ...]]]:
    """What can have been done of a plan, the least first, and the steps by which one knows that it has."""
    yield UNTOUCHED, ()
    before: Progress = UNTOUCHED
    for stage in plan.stages:
        steps = [one.step for one in stage]
        for size in range(1, len(steps) + 1):
            for some in combinations(steps, size):
                yield before | set(some), some
        before |= set(steps)


def _states(incident: GeneratedIncident, course: _Course, diagnostic: str, service: str) -> list[dict[str, Any]]:
    """The states of a piece of evidence, each with its condition; the first that is met is shown."""
    scene = incident.scene
    now = scene.moment(scene.fault.now)
    if scene.world.index[service] not in scene.moved:
        return [_write_state(incident.evidence(diagnostic, service, UNTOUCHED), diagnostic, now)]
    shown = [incident.evidence(diagnostic, service, progress) for progress in course.reached]
    needed = course.needed([one.text for one in shown])
    return [
        {**_when(course.conditions[number]), **_write_state(shown[number], diagnostic, now, shown[-1])}
        for number in needed
    ]


def _when(condition: tuple[str, ...]) -> dict[str, Any]:
    if not condition:
        return {}
    return {"when": condition[0] if len(condition) == 1 else list(condition)}


def _write_state(evidence: Evidence, diagnostic: str, now: str, last: Evidence | None = None) -> dict[str, Any]:
    """One state of a piece of evidence as a document writes it, less what it has from the last one."""
    at = {} if evidence.as_of == now else {"at": evidence.as_of}
    return {**at, **FORMS[DIAGNOSTICS[diagnostic]].write(evidence, last)}
