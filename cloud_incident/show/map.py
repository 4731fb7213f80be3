"""The service map in text: layers from the doors down, each service with what it calls."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_COLOURS = {"root": "red", "paged": "yellow", "alerted": "yellow", "affected": "magenta"}
_WEIGHT = ("root", "paged", "alerted", "affected")
_SIGNS = {"root": "◉", "paged": "▲", "alerted": "△", "affected": "●"}
_DECOY = "◇"
_WELL = "·"
_ILL = "\xa0✗"
LEGEND = "◉ root cause  ▲ paged  △ alerted too  ● affected  ◇ decoy  · well      ✗ an unhealthy call path"


def render_map(services: Sequence[Mapping[str, Any]], width: int) -> Iterator[str]:
    """The lines of the map, at most `width` columns wide unless a name is longer.

    A service stands one layer below the lowest of its callers, so that calls point down; cycles are cut.
    """
    by_name = {service["service"]: service for service in services}
    layers = _arrange_layers({name: [path["service"] for path in by_name[name]["calls"]] for name in by_name})
    longest = max(map(len, by_name))
    for depth, names in enumerate(layers):
        yield click.style(f"── layer {depth} ".ljust(width, "─"), dim=True)
        for name in names:
            yield from _render_service(by_name[name], longest, width)
    alone = sorted(set(by_name) - {name for names in layers for name in names})
    if alone:
        yield click.style("── beside the requests ".ljust(width, "─"), dim=True)
        for name in alone:
            yield from _render_service(by_name[name], longest, width)


def _render_service(service: Mapping[str, Any], longest: int, width: int) -> Iterator[str]:
    mark = next((mark for mark in _WEIGHT if mark in service["marks"]), "")
    decoy = any(mark.startswith("decoy") for mark in service["marks"])
    sign = _SIGNS.get(mark, _DECOY if decoy else _WELL)
    colour = _COLOURS.get(mark, "cyan" if decoy else None)
    head = click.style(f"{sign} {service['service'].ljust(longest)}", fg=colour, bold=mark == "root")
    margin = longest + 4
    callees = [f"{path['service']}{'' if path['health'] == 'healthy' else _ILL}" for path in service["calls"]]
    remarks = [mark for mark in service["marks"] if mark not in _SIGNS]
    about = "; ".join(filter(None, [service["kind"], *remarks]))
    text = " ".join(filter(None, [about, f"→ {', '.join(callees)}" if callees else ""]))
    lines = textwrap.wrap(text, width - margin, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
    for number, line in enumerate(lines or [""]):
        coloured = line.replace(_ILL, f" {click.style('✗', fg='red')}")
        yield f"{head}  {coloured}".rstrip() if number == 0 else f"{' ' * margin}{coloured}"


def _arrange_layers(calls: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The services of each layer, without those that call nothing and are called by nobody."""
    order: list[str] = []
    seen: set[str] = set()
    forward: dict[str, list[str]] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        seen.add(name)
        forward[name] = [callee for callee in calls[name] if callee in calls and callee not in (*above, name)]
        for callee in forward[name]:
            if callee not in seen:
                visit(callee, (*above, name))
        order.append(name)

    called = {callee for callees in calls.values() for callee in callees}
    for name in sorted(calls, key=lambda name: (name in called, name)):
        if name not in seen and (calls[name] or name in called):
            visit(name, ())
    depth = dict.fromkeys(order, 0)
    for name in reversed(order):
        for callee in forward[name]:
            if callee in depth and order.index(callee) < order.index(name):
                depth[callee] = max(depth[callee], depth[name] + 1)
    levels = range(max(depth.values(), default=-1) + 1)
    return [sorted(name for name, own in depth.items() if own == level) for level in levels]
