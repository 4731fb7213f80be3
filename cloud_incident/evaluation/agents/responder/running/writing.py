"""Writes the answers about a running system: what failed, and what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.vocabulary import FAILURE_MODE_LIMIT, REMEDIATIONS, SUMMARY_LIMIT

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.desk import Desk
    from cloud_incident.evaluation.agents.responder.running.diagnosing import Diagnosis

_STEP = "ran {what} of the runbook, for {target}"
_RECOVERED = "After the last repair the page has cleared and the calls were looked at again."
_UNWELL = "The page was still firing at the last look."


def name_root(found: Diagnosis) -> str:
    """Name the service where the incident started."""
    return found.verdict.root if found.verdict else found.way[-1].service


def write_failure_mode(found: Diagnosis) -> str:
    """Write what failed and how."""
    said = found.verdict.hypothesis.said if found.verdict else "it fails, and nothing tells why"
    return f"{name_root(found)}: {said}."[:FAILURE_MODE_LIMIT]


def write_summary(desk: Desk, found: Diagnosis) -> str:
    """Write the summary: what failed, what was done, and whether users are served again."""
    deeds = [
        f"To repair it we {REMEDIATIONS[what].deed if what in REMEDIATIONS else _STEP}.".format(
            what=what, target=target
        )
        for what, target in desk.done
    ]
    ending = _UNWELL if desk.alert.get("status") == "firing" else _RECOVERED
    cause = f"The incident started in {name_root(found)} ({write_failure_mode(found).rstrip('.')})."
    return " ".join([cause, *(deeds or ["Nothing was repaired in this incident."]), ending])[:SUMMARY_LIMIT]
