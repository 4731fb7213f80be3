"""The background: what happens in a world beside the fault. Changes, oddities and noise that look like a cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from scenarios.generator.library import Anomaly, DecoyChange, decoys, families

if TYPE_CHECKING:
    from scenarios.generator.dice import Dice
    from scenarios.generator.family import Family
    from scenarios.generator.fault import Fault
    from scenarios.generator.world import World

NEAR_CHANGES = {1: (1, 2), 2: (2, 3), 3: (3, 5), 4: (5, 8), 5: (7, 11)}
"""Innocent changes near the onset, by difficulty, from and to."""
ANOMALIES = {1: (0, 1), 2: (1, 2), 3: (2, 3), 4: (3, 4), 5: (4, 6)}
SHADOWS = {1: (0, 1), 2: (1, 1), 3: (1, 2), 4: (2, 3), 5: (3, 4)}
"""Nodes that show the signs of another fault which hurts nobody."""
CHRONIC = {1: (1, 2), 2: (1, 3), 3: (2, 4), 4: (3, 6), 5: (4, 8)}
SILENT = {1: (0, 0), 2: (0, 1), 3: (1, 2), 4: (2, 4), 5: (4, 7)}
"""Nodes whose logs were lost on the way, by difficulty."""

DARK = {1: 0.0, 2: 0.22, 3: 0.26, 4: 0.32, 5: 0.46}
"""The share of nodes on the way of a fault whose calls are not traced, by difficulty."""

_KNOWN_TROUBLES = frozenset({"errors", "slow", "none"})


class PastChange(NamedTuple):
    """A change of a node. `minute` counts from the onset; `flag` is the name of one and what it was set to; with
    `restarts` instances were started anew."""

    minute: int
    kind: Literal["deploy", "config", "flag", "migration", "infra"]
    note: str
    flag: tuple[str, str] | None = None
    restarts: bool = False


@dataclass(frozen=True)
class Background:
    """What goes on beside the fault, by node."""

    changes: dict[int, list[PastChange]]
    anomalies: dict[int, Anomaly]
    shadows: dict[int, Family]
    chronic: frozenset[int]
    silent: frozenset[int]
    dark: frozenset[int]

    flags: dict[int, list[tuple[str, str]]]


def draw_background(
    world: World, fault: Fault, touched: frozenset[int], paged: int, fired: int, difficulty: int, dice: Dice
) -> Background:
    """Draw what goes on beside a fault. `touched` are the nodes that its effects reach."""
    others = [node.index for node in world.nodes if node.index != fault.root]
    calm = [index for index in others if index not in touched]
    shadows = _shadows(world, fault, calm, paged, dice.whole(*SHADOWS[difficulty]), dice)
    odd = [index for index in dice.shuffled(calm) if index not in shadows]
    anomalies = {
        index: dice.pick(found)
        for index in odd[: dice.whole(*ANOMALIES[difficulty])]
        if (found := decoys().anomalies.get(world.nodes[index].kind))
    }
    dark = frozenset(
        index for index in sorted(touched) if index not in {fault.root, paged} and dice.chance(DARK[difficulty])
    )
    silent = frozenset(
        dice.sample(
            [index for index in others if index != paged and index not in dark], dice.whole(*SILENT[difficulty])
        )
    )
    unnamed = [one for one in calm if one not in anomalies]
    changes = _changes(world, fault, shadows, unnamed, fired, dice.whole(*NEAR_CHANGES[difficulty]), dice)
    return Background(
        changes=changes,
        anomalies=anomalies,
        shadows=shadows,
        chronic=frozenset(dice.sample(others, dice.whole(*CHRONIC[difficulty]))),
        silent=silent,
        dark=dark,
        flags=_flags(world, fault, changes, dice),
    )


def _shadows(world: World, fault: Fault, calm: list[int], paged: int, count: int, dice: Dice) -> dict[int, Family]:
    """Signs of faults that hurt nobody, on nodes that the real one does not reach.

    They are never of a class in which victims see the real one, so that signs and victims together tell them apart.
    """
    near = {call.callee for call in world.calls[paged]}
    found: dict[int, Family] = {}
    for index in dice.shuffled(calm):
        if len(found) == count:
            break
        kind = world.nodes[index].kind
        fitting = [
            family
            for family in families().values()
            if kind in family.strikes.kinds
            and family.trouble not in _KNOWN_TROUBLES
            and family.trouble != fault.family.trouble
            and family.root.restarts is None
        ]
        if fitting and index not in near:
            found[index] = dice.pick(fitting)
    return found


def _changes(
    world: World, fault: Fault, shadows: dict[int, Family], unnamed: list[int], fired: int, near: int, dice: Dice
) -> dict[int, list[PastChange]]:
    """Changes by node, newest first. `unnamed` are nodes that an alert does not name."""
    notes = decoys().notes
    found: dict[int, list[PastChange]] = {}
    changed = [node.index for node in world.nodes if node.kind in notes]
    for index in changed:
        count = dice.whole(0, 2)
        if count:
            minutes = sorted((-dice.whole(700, 18000) for _ in range(count)), reverse=True)
            chosen = dice.sample(notes[world.nodes[index].kind], count)
            found[index] = [_past(minute, one) for minute, one in zip(minutes, chosen, strict=True)]
    innocent = [index for index in changed if index != fault.root]
    for index in dice.sample(innocent, near):
        known = {change.note for change in found.get(index, ())}
        one = dice.pick([note for note in notes[world.nodes[index].kind] if note.note not in known])
        minute = dice.whole(-150, 5) if dice.chance(0.7) else dice.whole(-40, 2)
        _put(found, index, _past(minute, one))
    for index, family in shadows.items():
        if family.root.change is not None:
            change = family.root.change
            _put(found, index, PastChange(-dice.whole(20, 600), change.kind, change.note, restarts=change.restarts))
    own = fault.family.root.change
    if own is not None:
        found[fault.root] = [one for one in found.get(fault.root, []) if one.minute < -400]
        _put(found, fault.root, PastChange(-dice.whole(0, 2), own.kind, own.note, restarts=own.restarts))
    quiet = [index for index in innocent if index in unnamed] or innocent
    _tell_no_cause(world, found, fault, quiet, fired, 1.1 / len(world.nodes), dice)
    return found


def _put(found: dict[int, list[PastChange]], index: int, change: PastChange) -> None:
    every = [*found.get(index, []), change]
    every.sort(key=lambda one: -one.minute)
    found[index] = every


def _past(minute: int, one: DecoyChange) -> PastChange:
    return PastChange(minute, one.kind, one.note, one.flag)


def _tell_no_cause(
    world: World,
    found: dict[int, list[PastChange]],
    fault: Fault,
    calm: list[int],
    fired: int,
    chance: float,
    dice: Dice,
) -> None:
    """The latest change of all, and the last before the alert, are the root's about as often as any other node's."""
    if not found.get(fault.root):
        return
    mine = found[fault.root][0].minute
    if dice.chance(chance) and fault.family.root.change is not None:
        for index in list(found):
            if index != fault.root:
                found[index] = [one for one in found[index] if one.minute < mine]
    elif not any(mine < one.minute < fired for index in calm for one in found.get(index, ())):
        index = dice.pick(calm)
        one = dice.pick(decoys().notes[world.nodes[index].kind])
        _put(found, index, _past(dice.whole(mine + 1, fired - 1), one))


_FLAG_NAMES = (
    "new_layout",
    "beta_ranking",
    "parallel_reads",
    "strict_totals",
    "soft_limits",
    "lazy_images",
    "batch_writes",
    "compact_payloads",
    "dual_write",
    "smart_timeouts",
    "next_page_prefetch",
    "async_audit",
)
_FLAG_STATES = ("off", "on", "5 %", "25 %")


def _flags(
    world: World, fault: Fault, changes: dict[int, list[PastChange]], dice: Dice
) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    names = dice.shuffled(_FLAG_NAMES)
    for node in world.nodes:
        if names and node.kind in {"service", "worker", "cron"} and dice.chance(0.3):
            found[node.index] = [(names.pop(), dice.pick(_FLAG_STATES))]
    for index, history in changes.items():
        for change in history:
            if change.flag is not None and change.flag[0] not in dict(found.get(index, ())):
                found[index] = [*found.get(index, []), change.flag]
    if fault.flag:
        found[fault.root] = [*found.get(fault.root, []), (fault.flag, "on")]
    return found
