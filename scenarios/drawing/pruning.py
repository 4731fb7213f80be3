"""Taking away what nobody asks for: routes without a caller, and components that are left without a route."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenarios.drawing.sketch import Sketch


def prune(sketch: Sketch) -> None:
    """Take away what no journey leads to, neither by calls nor by messages."""
    reached = find_reached(sketch, [journey.entry for journey in sketch.journeys])
    network = {sketch.resolver, *(link.router for link in sketch.links)}
    for part in sketch.parts.values():
        if part.name not in network:
            part.routes = {name: route for name, route in part.routes.items() if f"{part.name}/{name}" in reached}
    sketch.calls = [call for call in sketch.calls if call.source in reached]
    sketch.groups = [group for group in sketch.groups if group.route in reached]
    sketch.topics = [topic for topic in sketch.topics if topic.route in reached]
    sketch.parts = {name: part for name, part in sketch.parts.items() if part.routes}
    for part in sketch.parts.values():
        part.jobs = [job for job in part.jobs if job.store in sketch.parts]


def find_reached(sketch: Sketch, begin: list[str], *, by_messages: bool = True) -> set[str]:
    """The routes that some routes lead to, by calls and, if wanted, by messages, themselves among them."""
    after: dict[str, list[str]] = {}
    for call in sketch.calls:
        after.setdefault(call.source, []).append(call.target)
    topics = {topic.name: topic.route for topic in sketch.topics}
    for group in sketch.groups if by_messages else ():
        after.setdefault(topics[group.topic], []).append(group.route)
    reached: set[str] = set()
    left = list(begin)
    while left:
        end = left.pop()
        if end not in reached:
            reached.add(end)
            left += after.get(end, [])
    return reached
