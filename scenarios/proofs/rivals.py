"""Rivals: other faults that would have raised the same page, and which looks exclude them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.faults import FAMILIES, STRENGTHS, Fault, list_targets, strike
from scenarios.proofs.exclusion import LOOKS, find_differences
from scenarios.proofs.reading import find_first_page, open_run
from scenarios.proofs.signs import read_signs
from scenarios.proofs.starting import Beginnings, find_parting
from scenarios.world import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scenarios.incident import Item
    from scenarios.proofs.signs import Signs
    from scenarios.world import Run, System

BATCH = 48
NEAR_SECONDS = 300
"""A rival's page fires at most so many seconds before or after."""

Suspect = tuple[str, str]
"""A component and a family that may have struck it. With an empty family nothing is wrong, and the rule misfires."""

NOTHING: Suspect = ("", "")


class Rivals(NamedTuple):
    """The suspects at the page, and for each look a mask of those that it excludes: bit n is that of suspect n.

    `unwell` are the components whose answers to a component fail, as a look at its calls shows.
    """

    suspects: tuple[Suspect, ...]
    masks: Mapping[Item, int]
    unwell: Mapping[str, tuple[str, ...]]


def find_rivals(background: System, fault: Fault, rule: str, fired: int, at: int) -> Rivals:
    """The rivals of a fault that raised a page of a rule at a second, by looks at second `at`."""
    beginnings = Beginnings(background)
    usual, truth = _play_truth(beginnings, background, fault, at)
    shown = read_signs(truth, usual, at)
    layout = lay_out([background])
    names = [component.name for component in background.components]
    told: dict[Suspect, dict[Item, bool]] = {}
    for faults, run in play_rivals(beginnings, background, list_faults(background, fault), at):
        opened = open_run(run)
        alike = [place for place in range(len(faults)) if pages_alike(opened, place, rule, fired, at)]
        if not alike:
            continue
        differences = find_differences(shown, read_signs(opened, usual, at), layout)
        for place in alike:
            each = faults[place]
            parted = {(look, name): bool(differences[look][place, n]) for look in LOOKS for n, name in enumerate(names)}
            known = told.setdefault((each.component, each.family), dict.fromkeys(parted, True))
            told[each.component, each.family] = {item: known[item] and parted[item] for item in parted}
    nothing = find_differences(shown, read_signs(usual, usual, at), layout)
    told[NOTHING] = {(look, name): bool(nothing[look][0, n]) for look in LOOKS for n, name in enumerate(names)}
    suspects = tuple(sorted(told))
    masks = {
        item: mask
        for item in told[NOTHING]
        if (mask := sum(1 << n for n, suspect in enumerate(suspects) if told[suspect][item]))
    }
    return Rivals(suspects, masks, list_unwell(background, shown))


def find_unwell(background: System, fault: Fault, at: int) -> dict[str, tuple[str, ...]]:
    """The components whose answers to each component fail, as a look at its calls at a second shows."""
    usual, truth = _play_truth(Beginnings(background), background, fault, at)
    return list_unwell(background, read_signs(truth, usual, at))


def list_unwell(system: System, shown: Signs) -> dict[str, tuple[str, ...]]:
    """The components whose answers to each component fail, by the signs of one world."""
    unwell: dict[str, dict[str, None]] = {}
    for call, failing in zip(system.calls, shown.failing[0].tolist(), strict=True):
        if failing:
            unwell.setdefault(call.source.partition("/")[0], {})[call.target.partition("/")[0]] = None
    return {name: tuple(callees) for name, callees in unwell.items()}


def _play_truth(beginnings: Beginnings, background: System, fault: Fault, at: int) -> tuple[Run, Run]:
    """The background and what the fault makes of it."""
    struck = strike(background, fault)
    run = beginnings.go_on([background, struck], find_parting(background, struck))
    run.advance(at - run.time)
    return open_run(run.pick([0])), open_run(run.pick([1]))


def play_rivals(
    beginnings: Beginnings, background: System, faults: Iterable[Fault], at: int
) -> Iterator[tuple[list[Fault], Run]]:
    """Some rivals up to a second, those that go on together from one moment side by side."""
    entries = []
    for each in faults:
        struck = strike(background, each)
        entries.append((find_parting(background, struck), each, struck))
    entries.sort(key=lambda entry: entry[0])
    for first in range(0, len(entries), BATCH):
        some = entries[first : first + BATCH]
        run = beginnings.go_on([struck for _, _, struck in some], some[0][0])
        run.advance(at - run.time)
        yield [each for _, each, _ in some], run


def list_faults(background: System, fault: Fault) -> Iterator[Fault]:
    """Every other fault that could have struck at the same time, at all strengths."""
    for name, family in FAMILIES.items():
        for target in list_targets(family, background):
            if (target, name) != (fault.component, fault.family):
                for strength in range(STRENGTHS):
                    yield fault.model_copy(update={"family": name, "component": target, "strength": strength})


def pages_alike(run: Run, place: int, rule: str, fired: int, at: int) -> bool:
    """Whether one of the systems of a run raises the same page in time."""
    page = find_first_page(run, at, place)
    return page is not None and page.rule.name == rule and abs(page.fired - fired) <= NEAR_SECONDS
