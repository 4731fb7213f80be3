"""submit_root_cause: the answer to root_cause_analysis."""

from __future__ import annotations

from pydantic import Field

from scenarios.vocabulary.action import Submission
from scenarios.vocabulary.parameters import FailureMode, Name, OnService


class RootCauseAnswer(OnService):
    """The service where the incident started, and what failed there."""

    service: Name = Field(description="Exact name of the service where the incident started.")
    failure_mode: FailureMode = Field(description="What failed there and how, in one or two sentences.")


SUBMIT_ROOT_CAUSE = Submission(
    name="submit_root_cause",
    title="Submit root cause",
    description="Answer where the incident started and what failed there, and end it. Only for root_cause_analysis.",
    parameters=RootCauseAnswer,
    line="submit_root_cause {service}",
)
