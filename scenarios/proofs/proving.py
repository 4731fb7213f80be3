"""Proving a draw: it is run, and either everything that a score rests on is known, or it is rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.faults import Fault, strike
from scenarios.proofs.certifying import find_certificates, find_least_left
from scenarios.proofs.operating import list_deeds
from scenarios.proofs.proof import Proof, Rejection
from scenarios.proofs.repairs import hold, order_stages, search_repairs
from scenarios.proofs.rivals import find_rivals
from scenarios.proofs.severity import JUDGED_SECONDS, judge_severity
from scenarios.telemetry.pages import find_pages
from scenarios.world import Run

if TYPE_CHECKING:
    from scenarios.world import System

LONGEST_WAIT = 30 * 60
"""Seconds after the onset within which the page has to fire."""
ANSWERED_AFTER = 180
"""Seconds from the page to the first look."""
DIAGNOSED_AFTER = 360
"""Seconds from the first look to the first operation, as an engineer takes who looks six times."""
LASTS = 30 * 60
HOLDS = 120 * 60
"""Seconds for which a repair is run when it is found, and for which it has to hold in the end."""
_LEAST_RIVALS = 3
_LEAST_LEFT = {1: 2, 2: 2, 3: 3, 4: 3, 5: 3}
"""How many suspects the looks at one component have to leave, by difficulty."""
_LEAST_AVOIDABLE = 0.1
"""Minutes in which nobody is served that a repair has to save, for there to be anything to repair."""


def prove(background: System, fault: Fault, difficulty: int) -> Proof | Rejection:
    """Run an incident in all its lanes. The same draw gives the same proof or rejection, however long it takes."""
    system = strike(background, fault)
    run, spared = Run(system), Run(background)
    end = int(fault.at) + LONGEST_WAIT
    for each in (run, spared):
        each.advance(end)
    if find_pages(spared, end):
        return Rejection("pages_without", {})
    pages = find_pages(run, end)
    if not pages or pages[0].fired < fault.at:
        return Rejection("not_felt", {})
    page = pages[0]
    first_look = -(-(page.fired + ANSWERED_AFTER) // 60) * 60
    run.advance(max(0, page.fired + JUDGED_SECONDS - end))
    severity = judge_severity(run, page.fired)
    if severity is None:
        return Rejection("unclear_severity", {})
    rivals = find_rivals(background, fault, page.rule.name, page.fired, first_look)
    count = len(rivals.suspects)
    if count < _LEAST_RIVALS:
        return Rejection("few_rivals", {"rivals": count})
    certificates = find_certificates(rivals.masks, count)
    if not certificates:
        left = 0
        for mask in rivals.masks.values():
            left |= mask
        return Rejection("not_identifiable", {"rivals": count, "left": count - left.bit_count()})
    least_left = find_least_left(rivals.masks, count)
    if least_left < _LEAST_LEFT[difficulty]:
        return Rejection("given_away", {"rivals": count, "left": least_left})
    begin = first_look + DIAGNOSED_AFTER
    struck, healthy = Run(system), Run(background)
    for each in (struck, healthy):
        each.advance(begin)
    deeds = list_deeds(struck, healthy)
    found = search_repairs(system, background, deeds, begin, LASTS)
    accepted = hold(system, background, found.accepted, begin, HOLDS)
    if found.nothing.well or (accepted and found.nothing.harm - accepted[0].harm < _LEAST_AVOIDABLE):
        return Rejection("nothing_to_repair", {"harm": found.nothing.harm})
    if not accepted:
        return Rejection("not_solvable", {"deeds": len(deeds), "lanes": found.lanes})
    return Proof(
        page=page.rule.name,
        fired=page.fired,
        first_look=first_look,
        severity=severity,
        lasts=HOLDS,
        repairs=tuple(lane.deeds for lane in accepted),
        stages=order_stages(accepted, [lane.deeds for lane in found.mending]),
        searched=found.lanes,
        harm_of_nothing=round(found.nothing.harm, 3),
        harm_of_best=round(accepted[0].harm, 3),
        suspects=rivals.suspects,
        masks={f"{look} {component}": f"{mask:x}" for (look, component), mask in rivals.masks.items()},
        certificates=tuple(tuple(sorted(each)) for each in certificates),
        least_left=least_left,
    )
