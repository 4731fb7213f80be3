"""The honest searcher: who knows only what it has seen, and follows calls that it has seen to be unwell."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from scenarios.world.chance import hash_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scenarios.incident import Item
    from scenarios.proofs.rivals import Suspect
    from scenarios.world import AlertRule, System

ORDERS = 32
"""Hashed orders of which the median is taken."""
LONGEST = 40
"""Looks after which the searcher is taken to fail."""


class Plan(NamedTuple):
    """Which diagnostics the searcher takes `first`, of everything on its way, and which then, of what is suspected.

    `shows_calls` is the one of the first by which it knows where its way goes on. They are taken in an order hashed
    from the name of the component, or as they stand.
    """

    first: tuple[str, ...]
    more: tuple[str, ...]
    shows_calls: str
    hashed: bool

    def order(self, names: Sequence[str], component: str, seed: int) -> Sequence[str]:
        """Some diagnostics in the order in which they are taken at a component."""
        return _order(names, component, seed) if self.hashed else names


HASHED = Plan(
    ("check_metrics", "query_logs", "check_dependencies"),
    ("check_recent_deploys", "check_service_status"),
    "check_dependencies",
    hashed=True,
)
"""Of somebody who does not know what tells most."""
LOGS_FIRST = Plan(
    ("query_logs",), ("check_metrics", "check_recent_deploys", "check_service_status"), "query_logs", hashed=False
)
"""Of somebody who knows that the logs of a component tell what becomes of its calls."""


class Search(NamedTuple):
    """What there is to be found out, and what looks show of it.

    `masks` says which of the `suspects` a look excludes; those that are `alike`, a mask, no look does. At a component
    its `unwell` callees are seen.
    """

    system: System
    rule: AlertRule
    suspects: Sequence[Suspect]
    masks: Mapping[Item, int]
    unwell: Mapping[str, Sequence[str]]
    alike: int


def count_looks(search: Search, seed: int) -> int:
    """The looks after which one class is left, in the median of all orders; `LONGEST` if that does not come to be."""
    searched = [search_once(search, seed * ORDERS + order) for order in range(ORDERS)]
    counts = sorted(LONGEST if left else len(looks) for looks, left in searched)
    return counts[ORDERS // 2]


def search_once(search: Search, seed: int, most: int = LONGEST, plan: Plan = HASHED) -> tuple[tuple[Item, ...], int]:
    """The looks of one order until one class is left, at most so many, and the other suspects left, as a mask."""
    left = ((1 << len(search.suspects)) - 1) & ~search.alike
    looks: list[Item] = []
    for diagnostic, component, suspected in _walk(search, seed, plan):
        if not left or len(looks) >= most:
            break
        if suspected and not _is_suspected(search, component, left):
            continue
        left &= ~search.masks.get((diagnostic, component), 0)
        looks.append((diagnostic, component))
    return tuple(looks), left


def _is_suspected(search: Search, component: str, left: int) -> bool:
    return any(left >> number & 1 for number, (name, _) in enumerate(search.suspects) if name == component)


def _walk(search: Search, seed: int, plan: Plan) -> Iterator[tuple[str, str, bool]]:
    """The looks in their order, and whether a look is taken only if its component is still suspected.

    From where users feel it, the searcher follows what is shown unwell; then it goes to what is suspected, the nearest
    first.
    """
    entries = _list_entries(search.system, search.rule)
    queue, seen = deque(entries), set(entries)
    while queue:
        name = queue.popleft()
        for diagnostic in plan.order(plan.first, name, seed):
            yield diagnostic, name, False
            if diagnostic == plan.shows_calls:
                for callee in _order(search.unwell.get(name, ()), name, seed):
                    if callee not in seen:
                        seen.add(callee)
                        queue.append(callee)
    nearest = _list_nearest(search.system, entries)
    for name in nearest:
        looks = plan.more if name in seen else (*plan.first, *plan.more)
        for diagnostic in plan.order(looks, name, seed):
            yield diagnostic, name, True


def _list_entries(system: System, rule: AlertRule) -> list[str]:
    """The components that page: where journeys enter, or what the rule is on."""
    if rule.on is not None:
        return [group.route.partition("/")[0] for group in system.groups if group.name == rule.on] or [rule.on]
    entries = [each.entry.partition("/")[0] for each in system.journeys if each.name in rule.journeys]
    return list(dict.fromkeys(entries))


def _order(names: Sequence[str], component: str, seed: int) -> list[str]:
    if not names:
        return []
    keys = hash_names(seed, [f"{component}/{name}" for name in names], "searcher").tolist()
    return [name for _, name in sorted(zip(keys, names, strict=True))]


def _list_nearest(system: System, entries: Sequence[str]) -> list[str]:
    """All components, those that are fewest calls away from the first ones first."""
    order = list(dict.fromkeys(entries))
    for name in order:
        for call in system.calls:
            callee = call.target.partition("/")[0]
            if call.source.partition("/")[0] == name and callee not in order:
                order.append(callee)
    return [*order, *(each.name for each in system.components if each.name not in order)]
