"""Ways to name a root that need no learning: by the newest change, by errors, along calls that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.attackers.reading import WORST, get_newest, read_share

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.attackers.collecting import Sighting
    from benchmarks.attackers.reading import Features, Groups

Score = dict[str, float]
"""How likely each component is the root. Those with the highest share the guess."""
Told = dict[str, "Groups"]

_UNWELL = 1.0


def walk(seen: Sighting) -> list[str]:
    """The components from the first one of the page on: each time the callee that fails most."""
    names = [name for name in seen.alert["affected_services"] if name in seen.looks]
    path = [names[0] if names else next(iter(seen.looks))]
    while True:
        bad = [
            (read_share(call), WORST[call.health], call.service)
            for call in seen.looks[path[-1]].dependencies.calls
            if WORST[call.health] >= _UNWELL and call.service not in path and call.service in seen.looks
        ]
        if not bad:
            return path
        path.append(max(bad)[2])


def describe_places(seen: Sighting, told: Told) -> dict[str, Features]:
    """Where each component stands among those that fail: what takes knowing who calls whom."""
    path, depths = walk(seen), _measure_depths(seen)
    found = {}
    for name, looks in seen.looks.items():
        unwell = [call.service for call in looks.dependencies.calls if WORST[call.health] >= _UNWELL]
        callers = [call.service for call in looks.dependencies.called_by if WORST[call.health] >= _UNWELL]
        calls = told[name]["own calls"]
        found[name] = {
            "on the walk": float(name in path),
            "place on the walk": float(path.index(name) + 1) if name in path else 0.0,
            "end of the walk": float(name == path[-1]),
            "steps from the end": float(len(path) - path.index(name)) if name in path else 0.0,
            "calls from the page": float(depths.get(name, -1)),
            "callees well": float(not unwell),
            "deepest that fails": calls["callers failing"] * (not unwell),
            "callers on the walk": float(sum(caller in path for caller in callers)),
            "callees on the walk": float(sum(callee in path for callee in unwell)),
            "changed on the walk": float(name in path) * told[name]["change times"]["changed within 20 min of page"],
            "changed beside the walk": float(bool({*unwell, *callers} & {*path}))
            * told[name]["change times"]["changed within 20 min of page"],
        }
    return found


def add_places(seen: Sighting, told: Told) -> None:
    """Tell of each component where it stands, too, as the group `places`."""
    for name, places in describe_places(seen, told).items():
        told[name]["places"] = places


def _measure_depths(seen: Sighting) -> dict[str, int]:
    """How many calls each component is away from those that the page names."""
    depths: dict[str, int] = {}
    left = [(name, 0) for name in seen.alert["affected_services"] if name in seen.looks]
    for name, depth in left:
        if name not in depths:
            depths[name] = depth
            left += [
                (call.service, depth + 1) for call in seen.looks[name].dependencies.calls if call.service in seen.looks
            ]
    return depths


def _follow_walk(seen: Sighting, _: Told) -> Score:
    return {name: float(name == walk(seen)[-1]) for name in seen.looks}


def _take_newest(seen: Sighting, _: Told) -> Score:
    return {name: -get_newest(looks, seen.alert["fired_at"]) for name, looks in seen.looks.items()}


def _take_newest_on_walk(seen: Sighting, told: Told) -> Score:
    path, newest = walk(seen), _take_newest(seen, told)
    return {name: newest[name] if name in path else -9999.0 for name in newest}


def _prefer_changed(seen: Sighting, told: Told) -> Score:
    """What was changed within twenty minutes before the page; of several, what fails most for its callers."""
    return {
        name: told[name]["change times"]["changed within 20 min of page"]
        * (0.01 + told[name]["own calls"]["callers failing"])
        for name in seen.looks
    }


def _take_most(group: str, *features: str) -> Callable[[Sighting, Told], Score]:
    def take(_: Sighting, told: Told) -> Score:
        return {name: sum(groups[group].get(feature, 0.0) for feature in features) for name, groups in told.items()}

    return take


def _take_deepest(seen: Sighting, told: Told) -> Score:
    places = describe_places(seen, told)
    return {name: places[name]["deepest that fails"] for name in places}


RULES: dict[str, Callable[[Sighting, Told], Score]] = {
    "chance": lambda seen, _: dict.fromkeys(seen.looks, 0.0),
    "newest change before the page": _take_newest,
    "most errors in logs": _take_most("logs", "lines of errors", "lines with 5xx"),
    "highest share of errors in metrics": _take_most("metrics", "error share"),
    "most metrics that moved": _take_most("metrics", "metrics moved"),
    "fails most for its callers": _take_most("own calls", "callers failing"),
    "fails callers, calls nobody unwell": _take_deepest,
    "walk along failing calls, the last": _follow_walk,
    "newest change on that walk": _take_newest_on_walk,
    "changed in 20 min, fails callers most": _prefer_changed,
}
