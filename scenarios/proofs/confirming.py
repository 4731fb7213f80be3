"""Whether a repair is confirmed by an episode: at the pace of who carries it out, with nothing that is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.incident import MOST_WAITS, WATCH_SECONDS
from scenarios.proofs.harm import average_harm, find_harm, measure_harm
from scenarios.proofs.operating import LOSES_MESSAGES
from scenarios.proofs.reading import open_run
from scenarios.proofs.repairs import WELL, begin_deed
from scenarios.telemetry.pages import is_well
from scenarios.world import OPERATIONS
from scenarios.world.flows import STEP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.proofs.repairs import Deeds
    from scenarios.world import Run, System
    from scenarios.world.layout import Floats

SEEN_SECONDS = 30
"""For how long users have to be served before a look shows it."""
_LEAST_LOSS = 0.1
_LOSS_SHARE = 0.02
"""A remediation is wrong by which users lose more minutes than both, this and this share of what a repair saves."""
_MINUTE = 60


def count_seconds(system: System, operation: str, target: str) -> int:
    """How long on-call is busy with an operation: until the last instance should have been restarted, in minutes.

    That is a minute at least.
    """
    declared = OPERATIONS.get(operation)
    seconds = 0.0 if declared is None else declared.seconds + STEP
    if declared is not None and declared.rolls:
        rolled = [component for component in system.components if component.name == target]
        seconds += max((part.instances * part.get("start_seconds") for part in rolled), default=0.0)
    return max(_MINUTE, -int(-seconds // _MINUTE) * _MINUTE)


def find_least_loss(saved: float) -> float:
    """The minutes that users may lose by an operation, before it is wrong, where a repair saves so many."""
    return max(_LEAST_LOSS, _LOSS_SHARE * saved)


def list_confirmed(pair: Run, repairs: Sequence[Deeds], lasts: int, least_loss: float) -> set[Deeds]:
    """Those of some repairs that are confirmed if they are begun now.

    After each of them, with each operation begun as soon as the one before is over, all is well when it is judged, and
    users are seen served before who waits for it gives up. None of its operations does harm without need.
    """
    lanes = {lane for repair in repairs for lane in (repair, *_list_parts(repair))}
    ended = _play_at_pace(pair, sorted(lanes), lasts) if lanes else {}

    def is_needless(repair: Deeds, place: int) -> bool:
        if not ended[_leave_out(repair, place)].well:
            return False
        lost = ended[repair[: place + 1]].harm - ended[repair[:place]].harm
        return lost > least_loss or repair[place][0] == LOSES_MESSAGES

    return {
        repair
        for repair in repairs
        if ended[repair].well and ended[repair].seen and not any(is_needless(repair, n) for n in range(1, len(repair)))
    }


class _Ended(NamedTuple):
    """What users lost in a lane until its end, whether all was well then, and whether they were seen served before."""

    harm: float
    well: bool
    seen: bool


def _list_parts(repair: Deeds) -> Iterator[Deeds]:
    """The parts of a repair that tell whether each of its operations is needed.

    The first always is: who begins with it knows nothing of what the others will do.
    """
    for place in range(1, len(repair)):
        yield repair[:place]
        yield _leave_out(repair, place)


def _leave_out(repair: Deeds, place: int) -> Deeds:
    return (*repair[:place], *repair[place + 1 :])


def _play_at_pace(pair: Run, lanes: Sequence[Deeds], lasts: int) -> dict[Deeds, _Ended]:
    """How lanes end. `pair` runs the system and, behind it, the same without the fault."""
    begin, system = int(pair.time), pair.layout.systems[0]
    begins = [_list_begins(system, deeds, begin) for deeds in lanes]
    run = pair.pick([*[0] * len(lanes), 1])
    for at in sorted({at for each in begins for at in each[:-1]}):
        run.advance(at - run.time)
        for place, deeds in enumerate(lanes):
            if at in begins[place][:-1]:
                begin_deed(run, deeds[begins[place].index(at)], place)
    end = begin + lasts
    run.advance(max(end, max(each[-1] for each in begins) + MOST_WAITS * WATCH_SECONDS) - run.time)
    opened = open_run(run)
    without = find_harm(opened, int(run.time), len(lanes))
    ended = {}
    for place, deeds in enumerate(lanes):
        harm = find_harm(opened, int(run.time), place)
        since = end - lasts / 3
        well = average_harm(harm, since, end) <= average_harm(without, since, end) + WELL
        looks = range(begins[place][-1], begins[place][-1] + MOST_WAITS * WATCH_SECONDS, WATCH_SECONDS)
        seen = any(_is_served(opened, harm, without, at, place) for at in looks)
        ended[deeds] = _Ended(measure_harm(harm, begin, end), well, seen)
    return ended


def _list_begins(system: System, deeds: Deeds, begin: int) -> list[int]:
    """The second at which each operation begins, and that at which the last one is over."""
    begins = [begin]
    for deed in deeds:
        begins.append(begins[-1] + count_seconds(system, *deed))
    return begins


def _is_served(run: Run, harm: Floats, without: Floats, at: int, place: int) -> bool:
    lost, usual = (average_harm(each, at - SEEN_SECONDS, at) for each in (harm, without))
    return lost <= usual + WELL or is_well(run, at, SEEN_SECONDS, place)
