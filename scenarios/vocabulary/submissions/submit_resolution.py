"""submit_resolution: the answer to remediation_planning."""

from __future__ import annotations

from pydantic import Field

from scenarios.vocabulary.action import Submission
from scenarios.vocabulary.parameters import Parameters, Summary


class ResolutionAnswer(Parameters):
    """A post-incident summary."""

    summary: Summary = Field(description="Three sentences or more: cause, what was done, how recovery was verified.")


SUBMIT_RESOLUTION = Submission(
    name="submit_resolution",
    title="Submit resolution",
    description="Hand in the post-incident summary, and end the incident. Only for remediation_planning.",
    parameters=ResolutionAnswer,
    line="submit_resolution",
    about="summary",
)
