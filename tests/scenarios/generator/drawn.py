"""The corpus: drawn incidents that tests share, each made once in a process.

It imports nothing that only tests need, because the check on a newer Python runs it without them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from scenarios.catalogue import Catalogue
from scenarios.document import DIAGNOSTIC_FIELDS
from scenarios.generator.incident import GeneratedIncident
from scenarios.progress import UNTOUCHED

GOLDEN = Path(__file__).parents[2] / "golden" / "generated.json"
CATALOGUE = Catalogue()
"""The catalogue of most tests. It keeps the last 256 incidents that it made."""

SAMPLE = [(seed, 1 + seed % 5) for seed in range(40)]
"""Seed and difficulty of the incidents that tests look at first. Others should be taken only where these do not do."""


def drawn(seed: int, difficulty: int) -> GeneratedIncident:
    """The incident of a seed and a difficulty."""
    incident = CATALOGUE.get_generated("root_cause_analysis", seed, difficulty).incident
    assert isinstance(incident, GeneratedIncident)
    return incident


def fingerprint(seed: int, difficulty: int) -> str:
    """A hash of all that an incident is and shows, before, half-way through and after its plan."""
    incident = drawn(seed, difficulty)
    steps = [step.step for step in incident.plan.steps]
    told = hashlib.sha256(
        json.dumps(
            [
                incident.alert,
                incident.summary,
                incident.truth.severity,
                incident.truth.service,
                incident.account.chain,
                incident.truth.spread,
                steps,
                [sorted(one) for one in incident.certificates("remediation_planning")],
            ]
        ).encode()
    )
    for progress in (UNTOUCHED, frozenset(steps[: len(steps) // 2]), frozenset(steps)):
        for service in incident.services:
            for diagnostic in DIAGNOSTIC_FIELDS.values():
                told.update(incident.evidence(diagnostic, service, progress).text.encode())
    return told.hexdigest()
