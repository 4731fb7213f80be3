"""execute_runbook_step: execute one step of the runbook catalogue."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from scenarios.library import list_runbook_steps
from scenarios.vocabulary.action import Remediation
from scenarios.vocabulary.parameters import LISTED, Name, Parameters
from scenarios.vocabulary.target import ASK_FOR_LIST, RUNBOOK_STEP

_HEADING = "The steps of the runbook, and what each does. Asking was no step, and nothing was executed."


def _list_when_asked(value: object) -> object:
    if isinstance(value, str) and value.strip().casefold() in {"", ASK_FOR_LIST}:
        raise PydanticCustomError(LISTED, "{listing}", {"listing": f"{_HEADING}\n{list_runbook_steps()}"})
    return value


class Runbook(Parameters):
    """A step of the runbook catalogue."""

    runbook_action: Annotated[Name, BeforeValidator(_list_when_asked)] = Field(
        description=f"One of the steps. `{ASK_FOR_LIST}` tells what each does, and executes nothing."
    )


EXECUTE_RUNBOOK_STEP = Remediation(
    name="execute_runbook_step",
    title="Execute runbook step",
    description="Execute a runbook step: a repair, or a verification (verify_…) once repairs are done.",
    parameters=Runbook,
    deed="executed {target}",
    target=RUNBOOK_STEP,
)
