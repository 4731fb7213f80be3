"""Putting into words what failed and what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.actions import FAILURE_MODE_LIMIT, SUMMARY_LIMIT

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.search import Findings

_DEEDS = {
    "restart_service": "We restarted {}.",
    "rollback_deploy": "We rolled back {}.",
    "disable_feature_flag": "We disabled the flag {}.",
    "execute_runbook_step": "We executed {}.",
}
_NOTE = 220


def failure_mode(found: Findings) -> str:
    """What failed and how, with what the change says of itself."""
    if found.change is None:
        return f"{_subject(found)}: {found.failure.said}."
    note = found.change.note.partition(": ")[2] or found.change.note
    return f"{_subject(found)}: {found.failure.said}. The change: {note[:_NOTE]}"[:FAILURE_MODE_LIMIT]


def _subject(found: Findings) -> str:
    if found.change is None:
        return f"{found.root} failed"
    return f"The {found.change.kind} {found.change.version} of {found.root}"


def summary(found: Findings, done: list[tuple[str, str]]) -> str:
    """The post-incident summary: cause, what was done, how the recovery was verified."""
    cause = f"The incident started in {found.root}. {failure_mode(found)}"
    deeds = [_DEEDS[action].format(target) for action, target in done]
    ending = "The service map was looked at again after the repairs." if deeds else "Nothing has been repaired so far."
    return " ".join([cause, *deeds, ending])[:SUMMARY_LIMIT]
