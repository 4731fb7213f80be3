"""execute_runbook_step: execute one step of the runbook."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from scenarios.vocabulary.action import Remediation
from scenarios.vocabulary.parameters import Name, OptionalName, Parameters
from scenarios.vocabulary.target import ASK_FOR_LIST, RUNBOOK_STEP


def _ask_when_blank(value: object) -> object:
    return ASK_FOR_LIST if isinstance(value, str) and not value.strip() else value


class Runbook(Parameters):
    """A step of the runbook."""

    runbook_action: Annotated[Name, BeforeValidator(_ask_when_blank)] = Field(
        description=f"`{ASK_FOR_LIST}` tells what each step does, and executes nothing."
    )
    target: OptionalName = Field(default="", description="What to apply it to, if the step needs that.")


EXECUTE_RUNBOOK_STEP = Remediation(
    name="execute_runbook_step",
    title="Execute runbook step",
    description="Execute a runbook step: a repair, or a verification (verify_…) if the runbook lists any.",
    parameters=Runbook,
    deed="executed {target}",
    target=RUNBOOK_STEP,
)
