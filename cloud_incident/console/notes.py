"""Notes on the steps that an agent took."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_incident.evaluation.running import StepTaken


def write_note(step: StepTaken) -> str:
    """What was unusual in a step: what was refused before it, and who decided instead of a model; or ""."""
    return " ".join([*(f"Refused: {refusal}" for refusal in step["refused"]), *filter(None, [step["note"]])])
