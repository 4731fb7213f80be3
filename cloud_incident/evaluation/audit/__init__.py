"""Audits the environment: OpenEnv's checks on a sample of generated incidents, and the fitness of one document.

A name is loaded when it is first used. `lint` needs the fitness only; with the rest of the audit its imports took
0.52 s of CPU time instead of 0.40 s.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud_incident.evaluation.audit.auditing import Audit, count_processors
    from cloud_incident.evaluation.audit.check import UnknownCheckError
    from cloud_incident.evaluation.audit.exploits import draw_random_play
    from cloud_incident.evaluation.audit.fitness import find_defects, report_fitness
    from cloud_incident.evaluation.audit.presentation import render_json, render_markdown
    from cloud_incident.evaluation.audit.sample import Sample
    from cloud_incident.evaluation.audit.world import AuditedWorld

__all__ = [
    "Audit",
    "AuditedWorld",
    "Sample",
    "UnknownCheckError",
    "count_processors",
    "draw_random_play",
    "find_defects",
    "render_json",
    "render_markdown",
    "report_fitness",
]

_MODULES = {
    "Audit": "auditing",
    "AuditedWorld": "world",
    "Sample": "sample",
    "UnknownCheckError": "check",
    "count_processors": "auditing",
    "draw_random_play": "exploits",
    "find_defects": "fitness",
    "render_json": "presentation",
    "render_markdown": "presentation",
    "report_fitness": "fitness",
}

if not TYPE_CHECKING:  # mypy would otherwise accept every name

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
