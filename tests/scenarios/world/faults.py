"""Loaded systems with one fault that goes away again, and the share of each journey that fails."""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from scenarios.laws.returning import get_failing
from scenarios.world import Change, Run, System
from tests.scenarios.world.drawing import draw_systems

BEGINS = 60.0
_LEVELS = {
    "work": (3.0, 20.0),
    "errors": (0.4, 1.0),
    "slots": (0.0, 0.02, 0.2),
    "loss": (0.5, 1.0),
    "denied": (0.5, 1.0),
    "demand": (3.0, 30.0),
}
"""The strengths of faults that leave nothing behind which does not come back by itself."""


def _load(system: System) -> System | None:
    """The system with as many users as it serves well; None if it does not serve those that it has."""
    served = None
    for _ in range(14):
        run = Run(system, noise=False)
        run.advance(120)
        busiest = run.record.get("load")[-1].max()
        if (get_failing(run, -4) > 0.05).any() or busiest > 0.75:
            break
        served = system
        if busiest > 0.45:
            break
        more = tuple(journey.model_copy(update={"demand": journey.demand * 1.6}) for journey in system.journeys)
        system = system.model_copy(update={"journeys": more})
    return served


@st.composite
def draw_faults(draw: st.DrawFn) -> tuple[System, Change]:
    """A system that serves its users and has not much to spare, and a fault."""
    system = _load(draw(draw_systems(gentle=True)))
    assume(system is not None)
    assert system is not None
    kinds = [kind for kind in _LEVELS if system.calls or kind not in {"loss", "denied"}]
    what = draw(st.sampled_from(kinds))
    if what == "demand":
        targets = [journey.name for journey in system.journeys]
    elif what in {"loss", "denied"}:
        targets = [f"{call.source} {call.target}" for call in system.calls]
    else:
        targets = [component.name for component in system.components]
    fault = {
        "at": BEGINS,
        "what": what,
        "target": draw(st.sampled_from(targets)),
        "to": draw(st.sampled_from(_LEVELS[what])),
        "over": draw(st.sampled_from((0.0, 60.0))),
    }
    return system, Change.model_validate(fault)
