"""execute_runbook_step: execute one step of the runbook catalogue."""

from __future__ import annotations

from pydantic import Field

from scenarios.vocabulary.action import Remediation
from scenarios.vocabulary.parameters import Name, Parameters
from scenarios.vocabulary.target import RUNBOOK_STEP


class Runbook(Parameters):
    """A step of the runbook catalogue."""

    runbook_action: Name = Field(description="Name of a step in the organisation's runbook catalogue.")


EXECUTE_RUNBOOK_STEP = Remediation(
    name="execute_runbook_step",
    title="Execute runbook step",
    description="Execute one step of the runbook catalogue: a repair, or a verification once repairs are done.",
    parameters=Runbook,
    deed="executed {target}",
    target=RUNBOOK_STEP,
)
