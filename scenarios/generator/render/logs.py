"""Logs: what a node prints, from what it does every minute."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from scenarios.generator.dice import mixed, unit
from scenarios.generator.library import troubles, voices
from scenarios.generator.render.changes import names_of
from scenarios.generator.render.metrics import journey_failing
from scenarios.generator.render.paths import LATE, handed_to
from scenarios.generator.simulate import DOORS, RED, SLOW
from scenarios.generator.texts import filled
from scenarios.vocabulary import Logs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.generator.library import Voice
    from scenarios.generator.scene import Scene, View
    from scenarios.generator.simulate import Condition, Flow
    from scenarios.generator.world import Node

WINDOW = 20
"""Minutes that logs go back."""
_ROUTINE = 0.24
_CHRONIC = 0.16
_CALLEE = "{callee}"
_SIGN = 0.14
_ODD = 0.1
_LOUD = 2.6
"""How many times as often as a service is drawn at random the root is the loudest on purpose, if it logs errors."""
_REPEATED = 4
"""How many times a minute it then says so."""
_COUNTED = re.compile(r"last (?:minute|second)|in 60 s| ms\b")
"""What is counted or timed anew; any other fact in the signs of a fault is told the same each time."""
_ERRORS = frozenset({"error", "fatal"})
_LEVEL = 0.05
_LONGEST_SILENCE = 236
"""Minutes before the onset at most since when the logs of a node are lost."""
_SURE = 3
"""In one of so many minutes before on-call looks a node names each callee in trouble."""
_MOST_LINES = 42
_MOSTLY = 0.8
"""From this share of failed requests on, a node does not print requests that went well."""
_NAMED = 0.16
"""The share of complaints that name the callee."""

Message = tuple[int, int, str, str]
"""Minute, second, level, text."""


def logs(scene: Scene, view: View, index: int, end: int) -> Logs:
    node = scene.world.nodes[index]
    voice = voices()[node.voice]
    names = names_of(scene, index)
    names["request"] = _request(scene, index)
    names["ms"] = _usually(node)
    messages = sorted(_messages(scene, view, index, end, voice, names))
    if len(messages) > _MOST_LINES:
        messages = _thinned(messages)
    instances = max(1, min(node.replicas, 4))
    lines = tuple(
        voice.format.replace("{at}", scene.second(minute, second))
        .replace("{level}", voice.levels[level])
        .replace("{service}", node.name)
        .replace("{instance}", _instance(mixed(scene.key, index, (minute + second) % instances)))
        .replace("{message}", text)
        for minute, second, level, text in messages
    )
    return Logs.model_construct(service=node.name, as_of=scene.moment(end), window_minutes=WINDOW, lines=lines)


def _thinned(messages: list[Message]) -> list[Message]:
    """The earliest of each text, those of the last minutes, and of the others every so manieth, in order."""
    first: dict[str, Message] = {}
    for message in messages:
        first.setdefault(message[3].split(" ", 2)[0] + message[2], message)
    newest = messages[-1][0] - _SURE
    kept = dict.fromkeys(first.values())
    kept |= dict.fromkeys([one for one in reversed(messages) if one[0] >= newest][: _MOST_LINES - len(kept)])
    others = [one for one in messages if one not in kept]
    room = max(0, _MOST_LINES - len(kept))
    kept |= dict.fromkeys(others[number * len(others) // room] for number in range(room) if others)
    return sorted(kept)


def _usually(node: Node) -> tuple[float, float]:
    """Between what the durations of ordinary requests of a node lie, in ms."""
    return 0.6 * node.p50, 0.9 * node.p99


@lru_cache(maxsize=8192)
def _instance(key: int) -> str:
    return f"{key & 0xFFFF:04x}"


def _request(scene: Scene, index: int) -> str:
    """The request that a node is asked for most."""
    journeys = scene.world.journeys
    own = [one.request for one in journeys if index == one.entry or index in scene.world.doors_of(one)]
    if own:
        return own[0]
    name = scene.world.nodes[index].name
    for tail in ("-service", "-api", "-svc"):
        name = name.removesuffix(tail)
    return f"{'GET' if index % 2 else 'POST'} /{name.split('-')[0]}/v1"


def _messages(
    scene: Scene, view: View, index: int, end: int, voice: Voice, names: dict[str, object]
) -> Iterator[Message]:
    key = mixed(scene.key, index, 0x106)
    start = end - WINDOW
    if index in scene.background.silent:
        since = scene.clock(-5 - mixed(key, 0x105) % _LONGEST_SILENCE)
        yield end, 0, "warn", f"log collector: nothing received since {since}"
        return
    for minute in range(start + 1, end + 1):
        drawn = mixed(key, minute)
        second = drawn % 60
        if unit(drawn, 1) < _ROUTINE:
            lines = _routine(scene, view, index, minute, voice)
            level, text = _cut(lines[drawn // 64 % len(lines)])
            if _CALLEE not in text:
                yield minute, second, level, filled(text, names, drawn)
            elif (callee := _usual_callee(scene, view, index, minute, drawn)) is not None:
                said = {**names, "callee": callee.name, "callee_ms": _usually(callee)}
                yield minute, second, level, filled(text, said, drawn)
        if index in scene.background.chronic and unit(drawn, 2) < _CHRONIC:
            level, text = _cut(voice.chronic[key % len(voice.chronic)])
            callee = _usual_callee(scene, view, index, minute, key) if _CALLEE in text else None
            if callee is not None or _CALLEE not in text:
                said = {**names, "callee": callee.name if callee else ""}
                yield minute, (second + 17) % 60, level, filled(text, said, drawn)
        yield from _troubles(scene, view, index, minute, drawn, names)
    yield from _signs(scene, view, index, start + 1, end, names)
    yield from _deeds(scene, view, index, start, end, voice, names)


def _routine(scene: Scene, view: View, index: int, minute: int, voice: Voice) -> tuple[str, ...]:
    """What a node says of an ordinary minute: nothing that its metrics and its callers' complaints belie."""
    found = view.simulation.at(index, minute)
    if found is None and index not in scene.background.shadows:
        fault = scene.fault
        if index not in {fault.root, fault.shared} or view.course.level(index, minute) <= _LEVEL:
            return (*voice.routine, *voice.calm)
    if found is not None and (found.slower >= SLOW or found.errors >= _MOSTLY):
        return tuple(line for line in voice.routine if "{request}" not in line) or voice.routine
    return voice.routine


def _usual_callee(scene: Scene, view: View, index: int, minute: int, drawn: int) -> Node | None:
    """A callee to speak of in passing: never one that is in trouble, at fault or blamed. None if there is none."""
    found = view.simulation.at(index, minute)
    ill = found.flows if found is not None else {}
    calls = [
        call.callee
        for call in scene.world.calls[index]
        if not call.platform and call.callee not in scene.touched and call.callee not in ill
    ]
    return scene.world.nodes[calls[drawn % len(calls)]] if calls else None


def _cut(line: str) -> tuple[str, str]:
    level, _, text = line.partition(": ")
    return level, text


def _troubles(
    scene: Scene, view: View, index: int, minute: int, drawn: int, names: dict[str, object]
) -> Iterator[Message]:
    """What a node says of its callees, or of its own work, at a minute."""
    fault = scene.fault
    found = view.simulation.at(index, minute)
    if found is not None:
        spared = {call.callee for call in scene.world.calls[index] if not call.hard}
        for number, (callee, flow) in enumerate(found.flows.items()):
            sure = minute >= view.end - _SURE and minute == _sure_minute(scene, view, index, callee)
            if sure or unit(drawn, 3, number) < min(0.95, 0.3 + 0.9 * flow.fail):
                named = sure or unit(drawn, 7, number) < _NAMED
                if not named and callee in spared:
                    continue
                said = {**names, "took": _took(found, drawn)}
                yield _trouble(scene, view, index, minute, callee, flow, mixed(drawn, 4, number), said, named=named)
        held = fault.family.spread in {"subscribers", "tenants"} and index in fault.strained
        strain = view.course.strain(index, minute)
        if held and index not in fault.blames and max(strain.errors, strain.level) > _LEVEL and unit(drawn, 5) < 0.5:
            own = troubles()[fault.family.trouble].own
            level, text = _cut(own[drawn % len(own)])
            yield minute, (drawn // 7) % 60, level, filled(text, {**names, "took": _took(found, drawn)}, drawn)
    for worker in handed_to(scene, index):
        lag = view.simulation.lag(worker, minute) if minute >= 0 else 0.0
        if lag > LATE and unit(drawn, 6, worker) < 0.35:
            name = scene.world.nodes[worker].name
            yield minute, (drawn // 11) % 60, "warn", f"consumer group {name} is behind: oldest message {lag:.0f} s"


def _took(found: Condition, drawn: int) -> str:
    """How long a slow request of a node took, in ms."""
    return f"{found.p99 * (0.8 + 0.6 * unit(drawn, 8)):.0f}"


def _sure_minute(scene: Scene, view: View, index: int, callee: int) -> int:
    """A minute in which a node names a callee in trouble, so that its logs tell of it at every time of looking."""
    return view.end - 1 - mixed(scene.key, index, callee, view.end) % _SURE


def _trouble(
    scene: Scene,
    view: View,
    index: int,
    minute: int,
    callee: int,
    flow: Flow,
    drawn: int,
    said: dict[str, object],
    *,
    named: bool,
) -> Message:
    node = scene.world.nodes[callee]
    entry = troubles()[flow.trouble]
    lines = entry.logs if named else entry.vague

    timeout, again = next(
        ((call.timeout, call.retries) for call in scene.world.calls[index] if call.callee == callee), (1000, 0)
    )
    said |= {
        "callee": node.name,
        "request": _failing_request(scene, view, index, minute, callee, drawn) or said["request"],
        "tries": 1 + again,
        "timeout": min(timeout, round(flow.p99)),
        "p99": f"{min(flow.p99, timeout * 3):.0f}",
        "usual": f"{node.p99:.0f}",
        "lag": f"{view.simulation.lag(index, minute):.0f}",
    }
    level, text = _cut(lines[drawn % len(lines)])
    return minute, (drawn // 16) % 60, level, filled(text, said, drawn)


def _failing_request(scene: Scene, view: View, index: int, minute: int, callee: int, drawn: int) -> str | None:
    """A request that a door sees fail at a callee: of a journey in trouble, and of one that goes that way if it can."""
    if scene.world.nodes[index].kind not in DOORS:
        return None
    failing = []
    for journey in scene.world.journeys:
        doors = scene.world.doors_of(journey)
        if index in doors:
            fails, slower = journey_failing(scene, view, journey, minute)
            if fails >= RED or slower >= SLOW:
                failing.append((journey.request, callee == journey.entry or callee in doors))
    failing = [one for one in failing if one[1]] or failing
    return failing[drawn // 32 % len(failing)][0] if failing else None


def _signs(scene: Scene, view: View, index: int, start: int, end: int, names: dict[str, object]) -> Iterator[Message]:
    """The signs of a fault at its root and where it strains, of shadows and of oddities."""
    fault, course = scene.fault, view.course
    key = mixed(scene.key, index, 0x516)
    own = fault.family.root.logs if index == fault.root else fault.family.focal.logs if index == fault.shared else ()
    loud = index == fault.root and unit(scene.key, 0x10D) < _LOUD / len(scene.world.nodes)
    for number, line in enumerate(own):
        level, text = _cut(line)
        level = "error" if loud and level == "warn" else level
        minutes = [
            minute
            for minute in range(max(0, start), end + 1)
            if course.level(index, minute) > _LEVEL and course.strength(index, minute) > _LEVEL
        ]
        if not minutes:
            continue
        sure = minutes[min(len(minutes) - 1, 1 + mixed(key, number) % max(1, len(minutes) // 2))]
        for minute in minutes:
            drawn = mixed(key, number, minute)
            told = drawn if _COUNTED.search(text) else mixed(key, number)
            if minute == sure or unit(drawn) < _SIGN:
                yield minute, drawn % 60, level, filled(text, {**names, "share": _share(view, minute)}, told)
            if loud and level in _ERRORS:
                for again in range(_REPEATED):
                    said = {**names, "share": _share(view, minute)}
                    yield minute, (drawn // 8 + 11 * again) % 60, level, filled(text, said, told)
    shadow = scene.background.shadows.get(index)
    odd = scene.background.anomalies.get(index)
    lines = shadow.root.logs if shadow else odd.logs if odd else ()
    names = {**names, "mild": True, "share": 1}
    for number, line in enumerate(lines):
        level, text = _cut(line)
        sure = start + mixed(key, 50 + number) % max(1, end - start)
        for minute in range(start, end + 1):
            drawn = mixed(key, 60 + number, minute)
            if minute == sure or unit(drawn) < _ODD:
                told = drawn if _COUNTED.search(text) else mixed(key, 60 + number)
                yield minute, drawn % 60, level, filled(text, names, told)


def _share(view: View, minute: int) -> int:
    """What a fault refuses or fails at a minute, in per cent of what it strains."""
    fault = view.course.fault
    return max(1, round(100 * max(view.course.strain(index, minute).errors for index in fault.focal)))


def _deeds(
    scene: Scene, view: View, index: int, start: int, end: int, voice: Voice, names: dict[str, object]
) -> Iterator[Message]:
    """What a node says of what was done to it."""
    course, name = view.course, scene.world.nodes[index].name
    key = mixed(scene.key, index, 0xDEED)
    repaired_at = 0
    for at, step in course.done:
        if step.verify or not start < at <= end:
            continue
        repaired_at = at
        if step.target == name and step.action in {"restart_service", "rollback_deploy"}:
            level, text = _cut(voice.restarted[mixed(key, at) % len(voice.restarted)])
            yield at, 4, level, filled(text, names, mixed(key, at, 1))
        elif step.target == name:
            yield at, 4, "info", f"{step.action.replace('_', ' ')} by on-call"
        elif index == scene.fault.root:
            yield at, 4, "info", f"{step.target.replace('_', ' ')}: done by on-call"
    if course.repaired and repaired_at and index in view.simulation.touched:
        level, text = _cut(voice.recovered[key % len(voice.recovered)])
        yield min(end, repaired_at + 1), 30, level, filled(text, names, key)
    setback = course.setback
    if setback is not None and start < course.set_back_at <= end:
        target = setback.target if setback.target is not None else scene.fault.root
        if target == index:
            for number, line in enumerate(setback.tempting.logs):
                level, text = _cut(line)
                yield course.set_back_at, 20 + number, level, filled(text, names, mixed(key, 9, number))
