"""submit_severity: the answer to alert_classification."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from scenarios.vocabulary.action import Submission
from scenarios.vocabulary.parameters import SEVERITY_NORMALISED, OptionalName, Parameters
from scenarios.vocabulary.severity import Severity


class SeverityAnswer(Parameters):
    """A severity. The service is never graded."""

    severity: Annotated[Severity, SEVERITY_NORMALISED] = Field(
        description="P1 (critical) to P4 (negligible), by the severity matrix."
    )
    service: OptionalName = Field(default="", description="Service most affected; optional and not graded.")


SUBMIT_SEVERITY = Submission(
    name="submit_severity",
    title="Submit severity",
    description="Classify the alert and end the incident. Only for alert_classification.",
    parameters=SeverityAnswer,
    line="submit_severity {severity}",
)
