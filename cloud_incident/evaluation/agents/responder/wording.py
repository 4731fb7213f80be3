"""Writes the answers: what failed, and what was done."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scenarios.vocabulary import FAILURE_MODE_LIMIT, SUMMARY_LIMIT

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.responder.findings import Findings

Deeds = list[tuple[str, str]]
"""Remediations by action and target."""

_DEEDS = {
    "restart_service": "We restarted {}.",
    "rollback_deploy": "We rolled back {}.",
    "disable_feature_flag": "We disabled the flag {}.",
    "scale_service": "We scaled {}.",
    "clear_cache": "We cleared the cache {}.",
    "execute_runbook_step": "We executed {}.",
}
_LOOKED = "The calls were looked at again after the repairs."
_NOT_LOOKED = "There was no time to look at the calls again after the last repair."
_NOTE = 220
"""Most characters that are quoted of the note of a change."""
_SENTENCE_END = re.compile(r"(?<=[.;!?])\s")


def write_failure_mode(found: Findings) -> str:
    """Write what failed and how, and quote the note of the change."""
    description = found.condition.description if found.condition else found.failure.description
    if found.change is None:
        return f"{_name_subject(found)}: {description}."
    note = _quote_beginning(found.change.note.partition(": ")[2] or found.change.note)
    return f"{_name_subject(found)}: {description}. The change: {note}"[:FAILURE_MODE_LIMIT]


def _quote_beginning(note: str) -> str:
    """Quote the first sentence of a note, and further whole sentences as far as they fit."""
    first, *others = _SENTENCE_END.split(note)
    quoted = first[:_NOTE]
    for sentence in others:
        if len(quoted) + len(sentence) >= _NOTE:
            break
        quoted += f" {sentence}"
    return quoted if quoted.endswith(".") else f"{quoted}."


def _name_subject(found: Findings) -> str:
    if found.change is None:
        return f"{found.root} failed"
    return f"The {found.change.kind} {found.change.version} of {found.root}"


def write_summary(found: Findings, done: Deeds, in_vain: Deeds, *, looked_since: bool) -> str:
    """Write the post-incident summary: the cause, what was done, and how the recovery was verified."""
    cause = f"The incident started in {found.root}. {write_failure_mode(found)}"
    deeds = [_DEEDS[action].format(target) for action, target in done]
    ending = _LOOKED if looked_since else _NOT_LOOKED
    others = [
        f"An attempt at {target} was in vain."
        for _, target in in_vain
        if target not in {done_target for _, done_target in done}
    ]
    return " ".join([cause, *deeds, *others, ending])[:SUMMARY_LIMIT]
