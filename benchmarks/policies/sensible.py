"""Sensible detours of perfect play. None is to cost more than its steps do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.policies.case import Policy, act
from benchmarks.policies.doors import list_other_doors
from benchmarks.policies.honest import answer_rightly
from benchmarks.policies.scaling import find_scaling, plan_scaling
from env_core.perfect import carry_out
from scenarios.incident import MOST_WAITS
from scenarios.running.planning import plan_deed
from scenarios.vocabulary import CHECK_METRICS, REMEDIATION_PLANNING, Remediation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.policies.case import Case
    from scenarios.proofs.operating import Deed
    from scenarios.vocabulary import Action

_REPAIR = (REMEDIATION_PLANNING.id,)
_WATCH = act("execute_runbook_step", runbook_action="watch")


def _get_recovery(case: Case) -> Action:
    return next(action for action in reversed(case.rest) if action.name == CHECK_METRICS.name)


def _list_repairs(case: Case) -> list[Action]:
    return case.rest[: len(case.best)]


def _see_recovery(case: Case) -> Iterator[Action]:
    """Look at what had failed its users until it serves them, and let some minutes pass in between."""
    for _ in range(MOST_WAITS):
        yield _get_recovery(case)
        last = None if case.episode is None else case.episode.last
        if last is not None and last.recovered:
            return
        yield _WATCH


def _look_twice(case: Case) -> Iterator[Action]:
    yield from case.looks
    yield case.looks[-1]
    yield from _list_repairs(case)
    yield from _see_recovery(case)


def _watch_first(case: Case) -> Iterator[Action]:
    yield from case.looks
    yield _WATCH
    yield from _list_repairs(case)
    yield from _see_recovery(case)


def _look_too_early(case: Case) -> Iterator[Action]:
    """Look for the recovery between a repair and the moment at which it shows."""
    yield from case.looks
    first, *others = _list_repairs(case)
    yield first
    yield _get_recovery(case)
    yield from others
    yield from _see_recovery(case)


def _drain_afterwards(case: Case) -> Iterator[Action]:
    """Take a zone out of traffic when all is repaired."""
    yield from case.perfect[:-1]
    yield act("execute_runbook_step", runbook_action="drain_zone", target=case.spare_zone)


def _drain_and_return(case: Case) -> Iterator[Action]:
    """Take a zone out of traffic when all is repaired, wait, and let it be used again."""
    yield from _drain_afterwards(case)
    yield _WATCH
    yield act("execute_runbook_step", runbook_action="uncordon_zone", target=case.spare_zone)


def _cordon_afterwards(case: Case) -> Iterator[Action]:
    yield from case.perfect[:-1]
    yield act("execute_runbook_step", runbook_action="cordon_zone", target=case.incident.system.zones[0])


def _silence(case: Case) -> Action:
    return act("execute_runbook_step", runbook_action="silence_alert", target=case.incident.alert["name"])


def _silence_first(case: Case) -> Iterator[Action]:
    """Mute the page, to have quiet for the work."""
    yield _silence(case)
    yield from case.looks
    yield from _list_repairs(case)
    yield from _see_recovery(case)


def _silence_afterwards(case: Case) -> Iterator[Action]:
    yield from case.perfect[:-1]
    yield _silence(case)


def _scale_up_first(case: Case) -> Iterator[Action]:
    yield from case.looks
    scaling = find_scaling(case)
    if scaling is not None:
        yield carry_out(plan_scaling(case, scaling[1]))
    yield from _list_repairs(case)
    yield from _see_recovery(case)


def _take_back_first(door: int) -> Callable[[Case], Iterator[Action]]:
    """Take back the change that caused it by another door than the best repair, and then do that."""

    def play(case: Case) -> Iterator[Action]:
        yield from case.looks
        yield carry_out_deed(case, list_other_doors(case)[door])
        yield from _list_repairs(case)
        yield from _see_recovery(case)

    return play


def _restart_afterwards(case: Case) -> Iterator[Action]:
    """Restart the root once all is well, to be sure."""
    yield from case.perfect[:-1]
    yield act("restart_service", service=case.incident.truth.service)


def _repair_otherwise(number: int) -> Callable[[Case], Iterator[Action]]:
    """Carry out another accepted repair, wait until users are served, and look."""

    def play(case: Case) -> Iterator[Action]:
        yield from case.looks
        for deed in case.proof.repairs[number]:
            yield carry_out_deed(case, deed)
        yield from _see_recovery(case)

    return play


def carry_out_deed(case: Case, deed: Deed) -> Action:
    """The action that carries out an operation."""
    return carry_out(plan_deed(case.incident.system, deed))


def _tell(case: Case) -> Action:
    """The perfect answer, with what this episode has done as the repair."""
    steps = () if case.episode is None else case.episode.steps
    deeds = [
        declared.deed.format(target=step.action.target)
        for step in steps
        if isinstance(declared := step.action.declaration, Remediation) and step.action != _WATCH
    ]
    before, _, after = str(answer_rightly(case).parameters.model_dump()["summary"]).partition("To repair it we ")
    return act("submit_resolution", summary=f"{before}To repair it we {', '.join(deeds)}. {after.partition('. ')[2]}")


def _has_other_doors(count: int) -> Callable[[Case], bool]:
    """Whether so many operations and one more take the change back with which the best repair does not begin."""
    return lambda case: len(list_other_doors(case)) > count


def _has_repairs(count: int) -> Callable[[Case], bool]:
    return lambda case: len(case.proof.repairs) > count


def _can_drain(case: Case) -> bool:
    return case.spare_zone is not None


def _can_restart(case: Case) -> bool:
    """Whether users would not notice a restart of the root."""
    return case.is_harmless(("restart_service", case.incident.truth.service))


def _has_zones(case: Case) -> bool:
    return len(case.incident.system.zones) > 1


def _can_scale(case: Case) -> bool:
    """Whether half as many instances again of something on the way to the root can be had, and help users a little."""
    return find_scaling(case) is not None


BASE = Policy("perfect, and one look twice", _REPAIR, _look_twice, _tell)
SENSIBLE = (
    BASE,
    Policy("perfect, and watches first", _REPAIR, _watch_first, _tell),
    Policy("perfect, looks too early too", _REPAIR, _look_too_early, _tell),
    Policy("silences first, then perfect", _REPAIR, _silence_first, _tell),
    Policy("perfect, then silences", _REPAIR, _silence_afterwards, _tell),
    Policy("perfect, then drains a zone", _REPAIR, _drain_afterwards, _tell, fits=_can_drain),
    Policy("perfect, drains and undrains", _REPAIR, _drain_and_return, _tell, fits=_can_drain),
    Policy("perfect, then cordons a zone", _REPAIR, _cordon_afterwards, _tell, fits=_has_zones),
    Policy("perfect, then restarts the root", _REPAIR, _restart_afterwards, _tell, fits=_can_restart),
    *(
        Policy(f"takes the cause back, door {n + 1}", _REPAIR, _take_back_first(n), _tell, fits=_has_other_doors(n))
        for n in range(2)
    ),
    Policy("scales up, then perfect", _REPAIR, _scale_up_first, _tell, fits=_can_scale),
    *(
        Policy(f"accepted repair {n + 1}", _REPAIR, _repair_otherwise(n), _tell, fits=_has_repairs(n))
        for n in range(1, 4)
    ),
)
"""Each is to earn as much as the first on the same case."""
