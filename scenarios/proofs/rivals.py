"""Rivals: other faults that would have raised the same page, and which looks exclude them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.faults import FAMILIES, STRENGTHS, Fault, list_targets, strike
from scenarios.proofs.exclusion import LOOKS, find_differences
from scenarios.proofs.signs import read_signs
from scenarios.telemetry.pages import find_pages
from scenarios.world import Run, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scenarios.incident import Item
    from scenarios.world import System

BATCH = 48
NEAR_SECONDS = 300
"""A rival's page fires at most so many seconds before or after."""

Suspect = tuple[str, str]
"""A component and a family that may have struck it. With an empty family nothing is wrong, and the rule misfires."""

NOTHING: Suspect = ("", "")


class Rivals(NamedTuple):
    """The suspects at the page, and for each look a mask of those that it excludes: bit n is that of suspect n."""

    suspects: tuple[Suspect, ...]
    masks: Mapping[Item, int]


def find_rivals(background: System, fault: Fault, rule: str, fired: int, at: int) -> Rivals:
    """The rivals of a fault that raised a page of a rule at a second, by looks at second `at`."""
    usual = _play([background], at)
    truth = read_signs(_play([strike(background, fault)], at), usual, at)
    layout = lay_out([background])
    names = [component.name for component in background.components]
    told: dict[Suspect, dict[Item, bool]] = {}
    for faults in _batch(_list_faults(background, fault)):
        systems = [strike(background, each) for each in faults]
        run = _play(systems, at)
        signs = read_signs(run, usual, at)
        differences = find_differences(truth, signs, layout)
        for place, each in enumerate(faults):
            if _pages_alike(run, place, rule, fired, at):
                parted = {
                    (look, name): bool(differences[look][place, n]) for look in LOOKS for n, name in enumerate(names)
                }
                known = told.setdefault((each.component, each.family), dict.fromkeys(parted, True))
                told[each.component, each.family] = {item: known[item] and parted[item] for item in parted}
    nothing = find_differences(truth, read_signs(usual, usual, at), layout)
    told[NOTHING] = {(look, name): bool(nothing[look][0, n]) for look in LOOKS for n, name in enumerate(names)}
    suspects = tuple(sorted(told))
    masks = {
        item: mask
        for item in told[NOTHING]
        if (mask := sum(1 << n for n, suspect in enumerate(suspects) if told[suspect][item]))
    }
    return Rivals(suspects, masks)


def _play(systems: Sequence[System], at: int) -> Run:
    run = Run(*systems, noise=False)
    run.advance(at)
    return run


def _list_faults(background: System, fault: Fault) -> Iterator[Fault]:
    """Every other fault that could have struck at the same time, at all strengths."""
    for name, family in FAMILIES.items():
        for target in list_targets(family, background):
            if (target, name) != (fault.component, fault.family):
                for strength in range(STRENGTHS):
                    yield fault.model_copy(update={"family": name, "component": target, "strength": strength})


def _batch(faults: Iterator[Fault]) -> Iterator[list[Fault]]:
    some: list[Fault] = []
    for each in faults:
        some.append(each)
        if len(some) == BATCH:
            yield some
            some = []
    if some:
        yield some


def _pages_alike(run: Run, place: int, rule: str, fired: int, at: int) -> bool:
    pages = find_pages(run, at, place)
    return bool(pages) and pages[0].rule.name == rule and abs(pages[0].fired - fired) <= NEAR_SECONDS
