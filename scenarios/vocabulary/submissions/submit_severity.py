"""submit_severity: the answer to alert_classification."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from scenarios.vocabulary.action import Submission
from scenarios.vocabulary.parameters import SEVERITY_NORMALISED, OptionalName, Parameters
from scenarios.vocabulary.severity import Severity, list_severities


class SeverityAnswer(Parameters):
    """A severity. The service is never graded."""

    severity: Annotated[Severity, SEVERITY_NORMALISED] = Field(description="P1 (critical) to P4 (negligible).")
    service: OptionalName = Field(default="", description="Service most affected; not graded.")


SUBMIT_SEVERITY = Submission(
    name="submit_severity",
    title="Submit severity",
    description="Answer how severe the incident is now, and end it. Only for alert_classification.",
    parameters=SeverityAnswer,
    line="submit_severity {severity}",
    criteria=list_severities(),
)
