"""Whether a repair is confirmed by an episode: at the pace of who carries it out, with nothing that is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.incident import MOST_WAITS, WATCH_SECONDS
from scenarios.proofs.harm import average_harm, find_harm
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


def list_confirmed(pair: Run, repairs: Sequence[Deeds], lasts: int) -> set[Deeds]:
    """Those of some repairs that are confirmed if they are begun now.

    After each of them, with each operation begun as soon as the one before is over, all is well when it is judged, and
    users are seen served before who waits for it gives up. None of them loses messages without need.
    """
    if not repairs:
        return set()
    spared = {repair: tuple(_leave_out_losses(repair)) for repair in repairs}
    lanes = [*repairs, *(less for some in spared.values() for less in some)]
    ended = dict(zip(lanes, _play_at_pace(pair, lanes, lasts), strict=True))
    return {
        repair
        for repair in repairs
        if ended[repair].well and ended[repair].seen and not any(ended[less].well for less in spared[repair])
    }


class _Ended(NamedTuple):
    """Whether all was well at the end of a lane, and users were seen served before."""

    well: bool
    seen: bool


def _leave_out_losses(repair: Deeds) -> Iterator[Deeds]:
    """A repair without each of its operations that lose messages for good, but for the first.

    Who begins with that knows nothing of what the others will do.
    """
    for place, (operation, _) in enumerate(repair):
        if operation == LOSES_MESSAGES and place > 0:
            yield (*repair[:place], *repair[place + 1 :])


def _play_at_pace(pair: Run, lanes: Sequence[Deeds], lasts: int) -> Iterator[_Ended]:
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
    for place in range(len(lanes)):
        harm = find_harm(opened, int(run.time), place)
        since = end - lasts / 3
        well = average_harm(harm, since, end) <= average_harm(without, since, end) + WELL
        looks = range(begins[place][-1], begins[place][-1] + MOST_WAITS * WATCH_SECONDS, WATCH_SECONDS)
        yield _Ended(well, any(_is_served(opened, harm, without, at, place) for at in looks))


def _list_begins(system: System, deeds: Deeds, begin: int) -> list[int]:
    """The second at which each operation begins, and that at which the last one is over."""
    begins = [begin]
    for deed in deeds:
        begins.append(begins[-1] + count_seconds(system, *deed))
    return begins


def _is_served(run: Run, harm: Floats, without: Floats, at: int, place: int) -> bool:
    lost, usual = (average_harm(each, at - SEEN_SECONDS, at) for each in (harm, without))
    return lost <= usual + WELL or is_well(run, at, SEEN_SECONDS, place)
