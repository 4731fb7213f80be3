"""Notes: what was out of the ordinary in a step that an agent took."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_incident.evaluation.trajectory import StepTaken


def noted(step: StepTaken) -> str:
    """What was out of the ordinary in a step: who decided instead, what was refused before."""
    return " ".join([*(f"Refused: {refusal}" for refusal in step["refused"]), *filter(None, [step["note"]])])
