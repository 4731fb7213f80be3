"""Drawn incidents that several tests look at."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from scenarios.generator.draw import generated

if TYPE_CHECKING:
    from scenarios.generator.incident import GeneratedIncident

SAMPLE = [(seed, 1 + seed % 5) for seed in range(40)]
IDS = {"alert_classification": "A-1", "root_cause_analysis": "R-1", "remediation_planning": "P-1"}


@lru_cache(maxsize=256)
def drawn(seed: int, difficulty: int) -> GeneratedIncident:
    return generated(seed, difficulty, incident_id=f"i{seed}-{difficulty}", scenario_ids=IDS)  # type: ignore[arg-type]
