"""Checks the incidents of a sample together: severities are balanced, structures differ, splits do not overlap."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation.audit.bounds import check_rate
from cloud_incident.evaluation.audit.check import (
    MOST_EXAMPLES,
    Check,
    CheckGroup,
    CheckResult,
    Measurement,
    judge_figures,
    require_no_problems,
)
from scenarios.catalogue import CURATED_SPLIT
from scenarios.generator.naming import DEFAULT_DIFFICULTY, OUT_OF_DISTRIBUTION
from scenarios.vocabulary import SEVERITIES, TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import AuditContext
    from scenarios.generator.scene import Scene

BALANCED = (0.2, 0.3)
"""The least and the highest share of each severity."""
MOST_DUPLICATES = 0.001
"""The highest share of structural duplicates."""
_INDICES_PER_INCIDENT = 100
_MOST_INDICES = 100_000
_ROUNDS = 4
"""Rounds of the Weisfeiler-Leman refinement: the depth to which neighbours tell nodes apart."""


class IncidentTraits(NamedTuple):
    """The traits of one incident: severity, digest of its structure, fault and line of business, split."""

    severity: str
    structure: str
    combination: str
    split: str


class PopulationChecks(CheckGroup[IncidentTraits]):
    """Severity balance, structural duplicates, overlap of splits."""

    specs = (
        Check(
            "generator.severity_balance",
            "P1 to P4 are as frequent as each other",
            f"{BALANCED[0]} to {BALANCED[1]} each",
        ),
        Check(
            "generator.structural_duplicates",
            "Incidents differ in more than names: in graph, family, root or decoys",
            f"{MOST_DUPLICATES:.1%} duplicates at most",
        ),
        Check(
            "generator.split_overlap",
            "No scenario of one split stands in another, and no combination of fault and line of business of "
            f"{OUT_OF_DISTRIBUTION} elsewhere",
            f"none, over {_INDICES_PER_INCIDENT} indices for each incident of the sample, {_MOST_INDICES:,} at most",
        ),
    )

    def measure(self, case: Case) -> IncidentTraits:
        scene = case.generated.scene
        return IncidentTraits(
            case.incident.truth.severity,
            digest_structure(scene),
            f"{scene.fault.family.family} in {scene.world.archetype}",
            case.specimen.split,
        )

    def judge(self, found: Sequence[Measurement[IncidentTraits]], context: AuditContext) -> Iterator[CheckResult]:
        balance, duplicates, overlap = self.specs
        counts = Counter(measurement.value.severity for measurement in found)
        rates = {level: check_rate(counts[level], len(found), *BALANCED, level) for level in SEVERITIES}
        yield judge_figures(
            balance, {level: round(rate.value, 4) for level, rate in rates.items()}, list(rates.values())
        )
        yield _judge_duplicates(duplicates, found)
        yield _judge_overlap(overlap, found, context)


def digest_structure(scene: Scene) -> str:
    """Digest the structure of an incident, without its names and numbers.

    Nodes are told apart by their kind, their part in the incident and their neighbours to a fixed depth
    (Weisfeiler-Leman), so that the order in which they were drawn does not matter.
    """
    world, background = scene.world, scene.background
    marks = [
        _digest(
            node.kind,
            node.index == scene.fault.root,
            node.index == scene.paged,
            node.index in scene.fault.strained,
            sorted(step.action for stage in scene.stages for step in stage.steps if step.target == node.name),
            background.shadows[node.index].family if node.index in background.shadows else "",
            repr(background.anomalies.get(node.index, "")),
            sorted(change.note for change in background.changes.get(node.index, ()) if change.minute > -400),
        )
        for node in world.nodes
    ]
    for _ in range(_ROUNDS):
        marks = [
            _digest(
                marks[node.index],
                sorted((marks[call.callee], call.hard, call.platform) for call in world.calls[node.index]),
                sorted((marks[call.caller], call.hard, call.platform) for call in world.callers[node.index]),
            )
            for node in world.nodes
        ]
    return _digest(scene.fault.family.family, sorted(marks))


def _digest(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def _judge_duplicates(spec: Check, found: Sequence[Measurement[IncidentTraits]]) -> CheckResult:
    by_structure = defaultdict(list)
    for measurement in found:
        by_structure[measurement.value.structure].append(measurement.name)
    twins = [names for names in by_structure.values() if len(names) > 1]
    count = sum(len(names) - 1 for names in twins)
    return CheckResult(
        spec,
        "fail" if count > MOST_DUPLICATES * len(found) else "pass",
        {"incidents": len(found), "duplicates": count},
        examples=tuple(" = ".join(names[:3]) for names in twins[:MOST_EXAMPLES]),
    )


def _judge_overlap(spec: Check, found: Sequence[Measurement[IncidentTraits]], context: AuditContext) -> CheckResult:
    catalogue = context.world.make_catalogue()
    problems = []
    indices = min(_MOST_INDICES, _INDICES_PER_INCIDENT * context.sample.size)
    split_of: dict[str, str] = {}
    for name in catalogue.splits:
        if name == CURATED_SPLIT:
            continue
        for task_id in TASKS:
            split = catalogue.split(name, task_id, DEFAULT_DIFFICULTY)
            for index in range(min(indices, len(split))):
                entry = split[index].id
                other = split_of.setdefault(entry, name)
                if other != name:
                    problems.append(f"{entry} stands in {other} and {name}")
    apart = {measurement.value.combination for measurement in found if measurement.value.split == OUT_OF_DISTRIBUTION}
    problems += [
        f"{name}: {traits.combination} occurs in {OUT_OF_DISTRIBUTION} and {traits.split}"
        for _, name, traits in found
        if traits.split != OUT_OF_DISTRIBUTION and traits.combination in apart
    ]
    return require_no_problems(
        spec,
        problems,
        len(split_of),
        "scenarios",
        {"combinations": len({measurement.value.combination for measurement in found})},
    )
