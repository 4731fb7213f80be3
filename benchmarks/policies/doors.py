"""What takes back the change that caused an incident: by whatever door somebody goes who takes it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.faults import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.policies.case import Case
    from scenarios.proofs.operating import Deed

_OF_SHIFTS = {
    "cores": ("revert_config",),
    "together": ("revert_config",),
    "unanswered": ("revert_config",),
    "blocked": ("revert_config",),
    "shed": ("revert_config", "stop_shedding"),
    "denied": ("revert_policy",),
    "loss": ("revert_policy",),
    "scans": ("rebuild_indexes",),
    "link_loss": ("restore_routes",),
    "link_latency": ("restore_routes",),
    "secret_accepted": ("publish_secret",),
}
"""The operations on a component that put a part of its state to what it was before somebody changed it."""


def list_doors(case: Case) -> tuple[Deed, ...]:
    """The operations that take back the change that caused an incident; none if nobody has changed anything."""
    return tuple(dict.fromkeys(_find_doors(case)))


def _find_doors(case: Case) -> Iterator[Deed]:
    fault = case.drawn.fault
    family = FAMILIES[fault.family]
    struck = next(each for each in case.drawn.system.components if each.name == fault.component)
    if family.release is not None:
        yield "rollback_deploy", fault.component
    if family.feature is not None:
        yield "disable_feature_flag", struck.features[-1].flag
    if family.job is not None:
        yield "disable_feature_flag", struck.jobs[-1].flag
        yield "pause_job", struck.jobs[-1].name
    if family.entry:
        for shift in family.shifts:
            yield from ((operation, fault.component) for operation in _OF_SHIFTS.get(shift.what, ()))


def list_other_doors(case: Case) -> tuple[Deed, ...]:
    """Those of them that are no part of the best repair."""
    return tuple(deed for deed in list_doors(case) if deed not in case.best)
