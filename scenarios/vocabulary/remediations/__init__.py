"""The remediations, one file each, in the order in which surfaces list them."""

from scenarios.vocabulary.remediations.clear_cache import CLEAR_CACHE
from scenarios.vocabulary.remediations.disable_feature_flag import DISABLE_FEATURE_FLAG
from scenarios.vocabulary.remediations.execute_runbook_step import EXECUTE_RUNBOOK_STEP
from scenarios.vocabulary.remediations.restart_service import RESTART_SERVICE
from scenarios.vocabulary.remediations.rollback_deploy import ROLLBACK_DEPLOY
from scenarios.vocabulary.remediations.scale_service import SCALE_SERVICE
from scenarios.vocabulary.target import Target

REMEDIATIONS = {
    remediation.name: remediation
    for remediation in (
        RESTART_SERVICE,
        ROLLBACK_DEPLOY,
        SCALE_SERVICE,
        DISABLE_FEATURE_FLAG,
        CLEAR_CACHE,
        EXECUTE_RUNBOOK_STEP,
    )
}
"""Every remediation by name."""


def acts_on(action: str, target: Target) -> bool:
    """Whether an action is a remediation of that kind of target."""
    remediation = REMEDIATIONS.get(action)
    return remediation is not None and remediation.target is target


__all__ = [
    "CLEAR_CACHE",
    "DISABLE_FEATURE_FLAG",
    "EXECUTE_RUNBOOK_STEP",
    "REMEDIATIONS",
    "RESTART_SERVICE",
    "ROLLBACK_DEPLOY",
    "SCALE_SERVICE",
    "acts_on",
]
