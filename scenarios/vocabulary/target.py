"""What a remediation acts on: a service, a feature flag or a step of the runbook catalogue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of thing that remediations act on.

    `parameter` names it in the action's parameters, `noun` in messages. `hint` says where valid names are found, where
    the message does not list them.
    """

    parameter: str
    noun: str
    hint: str = ""


SERVICE = Target("service", "service")
ASK_FOR_LIST = "list"
"""Given in place of a runbook step, it asks which steps there are."""

FLAG = Target("flag", "feature flag", "Flag names are found in evidence: status, deploys, logs.")
RUNBOOK_STEP = Target(
    "runbook_action", "runbook step", f"With `{ASK_FOR_LIST}` in its place every step is told, and nothing is executed."
)
