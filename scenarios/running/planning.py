"""Operations of a proof as steps that somebody can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.progress import PlanStep
from scenarios.vocabulary import EXECUTE_RUNBOOK_STEP, REMEDIATIONS

if TYPE_CHECKING:
    from scenarios.proofs.operating import Deed
    from scenarios.world import System


def plan_deed(system: System, deed: Deed, *, lost: bool = False) -> PlanStep:
    """An operation as a step. Where replicas are asked, half as many again as there are count, as a proof has tried.

    Where instances are `lost`, as many as the system is planned with will do.
    """
    operation, target = deed
    if operation not in REMEDIATIONS:
        return PlanStep(EXECUTE_RUNBOOK_STEP.name, operation, on=target)
    if not REMEDIATIONS[operation].takes_replicas:
        return PlanStep(operation, target)
    part = next(each for each in system.components if each.name == target)
    least = part.instances if lost else min(part.most, part.instances + (part.instances + 1) // 2)
    return PlanStep(operation, target, replicas=(least, part.most))
