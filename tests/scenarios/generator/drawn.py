"""Drawn incidents that several tests look at."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.document import DIAGNOSTIC_FIELDS
from scenarios.generator.draw import generated
from scenarios.progress import UNTOUCHED

if TYPE_CHECKING:
    from scenarios.generator.incident import GeneratedIncident

GOLDEN = Path(__file__).parents[2] / "golden" / "generated.json"
SAMPLE = [(seed, 1 + seed % 5) for seed in range(40)]
IDS = {"alert_classification": "A-1", "root_cause_analysis": "R-1", "remediation_planning": "P-1"}


@lru_cache(maxsize=256)
def drawn(seed: int, difficulty: int) -> GeneratedIncident:
    return generated(seed, difficulty, incident_id=f"i{seed}-{difficulty}", scenario_ids=IDS)


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
                incident.truth.chain,
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
