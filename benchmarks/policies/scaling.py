"""A scale-up that helps a little, of what stands between the pager and what is struck."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from scenarios.progress import PlanStep
from scenarios.vocabulary import SCALE_SERVICE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from benchmarks.policies.case import Case
    from scenarios.proofs.operating import Deed


def find_scaling(case: Case) -> Deed | None:
    """The first component on the way from the pager to the root of which more instances help users, if there is one."""
    room = {each.name for each in case.incident.system.components if each.most > each.instances}
    deeds = [(SCALE_SERVICE.name, name) for name in list_way(case) if name in room]
    return next(iter(case.find_helping(deeds)), None)


def plan_scaling(case: Case, service: str) -> PlanStep:
    """A scale-up by half of the instances that there are by then, as it was tried.

    That may be fewer than were planned. Who asks for many more than that may overload the store behind them.
    """
    count = case.count_instances(service)
    part = next(each for each in case.incident.system.components if each.name == service)
    more = min(part.most, count + max(1, (count + 1) // 2))
    return PlanStep(SCALE_SERVICE.name, service, replicas=(more, more))


def list_way(case: Case) -> list[str]:
    """The service that pages, those by which its calls come to the root, the nearest first, and the root."""
    root, pager = case.incident.truth.service, case.alerted[0]
    calls: dict[str, list[str]] = {each.name: [] for each in case.incident.system.components}
    called: dict[str, list[str]] = {each.name: [] for each in case.incident.system.components}
    for call in case.incident.system.calls:
        source, target = call.source.partition("/")[0], call.target.partition("/")[0]
        calls[source].append(target)
        called[target].append(source)
    to_root = _reach([root], called)
    return list(dict.fromkeys([pager, *(name for name in _reach(case.alerted, calls) if name in to_root), root]))


def _reach(begin: Collection[str], onward: Mapping[str, Collection[str]]) -> list[str]:
    """What is reached from somewhere, the nearest first."""
    queue, reached = deque(begin), list(dict.fromkeys(begin))
    while queue:
        for name in onward[queue.popleft()]:
            if name not in reached:
                reached.append(name)
                queue.append(name)
    return reached
