"""Whether the greatest sum of rewards is play with the greatest score: `scripts/exact-check [N]`.

RP-001 and RCA-001, and N listed draws (100) over difficulties and both tasks, by exact search within a stated set of
actions (`benchmarks.exact.moves`). Ends with status 1 if a play with the greatest sum has not the greatest score.
"""

from __future__ import annotations

import os
import random
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import chain, zip_longest

from benchmarks.exact.checking import Checked, Named, check
from scenarios.running import list_proved_for
from scenarios.running.listed import list_calm
from scenarios.vocabulary import POINT, REMEDIATION_PLANNING, ROOT_CAUSE_ANALYSIS

CURATED = (Named(scenario_id="RP-001"), Named(scenario_id="RCA-001"))


def choose_draws(count: int) -> list[Named]:
    """So many listed draws: of each difficulty in turn while there are, for one task and the other in turn.

    In all of them something is to be repaired.
    """
    chance = random.Random(0)  # noqa: S311 - the same draws in every run
    listed = defaultdict(list)
    for seed, difficulty in sorted(set(list_proved_for(ROOT_CAUSE_ANALYSIS.id)) - list_calm()):
        listed[difficulty].append((seed, difficulty))
    for draws in listed.values():
        chance.shuffle(draws)
    turns = zip_longest(*(listed[difficulty] for difficulty in sorted(listed)))
    drawn = [each for each in chain.from_iterable(turns) if each is not None]
    tasks = (REMEDIATION_PLANNING.id, ROOT_CAUSE_ANALYSIS.id)
    return [Named(tasks[place % 2], *each) for place, each in enumerate(drawn[:count])]


def main(count: int = 100) -> int:
    """Search, print, and return how many incidents have a counter-example."""
    checked = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for pending in as_completed([pool.submit(check, named) for named in (*CURATED, *choose_draws(count))]):
            checked.append(pending.result())
            _print(checked[-1])
    for by_deeds in (False, True):
        _sum_up([each for each in checked if each.by_deeds is by_deeds], "by deeds" if by_deeds else "by minutes")
    against = [each for each in checked if not each.is_greatest]
    print(f"\n{len(checked)} incidents, {len(against)} counter-examples")
    return len(against)


def _sum_up(checked: list[Checked], how: str) -> None:
    def total(name: str) -> int:
        return int(sum(getattr(each, name) for each in checked))

    print(
        f"\n{len(checked)} incidents {how}: {total('states')} states, {total('plays')} plays of a greatest sum, "
        f"{total('seconds')} s of a core\n  By the real rules {total('other_plays')} of {total('replayed')} plays "
        f"earn something else, {total('against')} of them against the rule; {total('other_verdicts')} of "
        f"{total('judged')} verdicts are others at other minutes.\n  Of {total('deeds')} deeds done at several minutes "
        f"{total('variously')} were judged in more than one way."
    )


def _print(checked: Checked) -> None:
    print(
        f"{checked.name:36} sum {checked.best / POINT:.4f}  score {checked.least / POINT:.4f} of "
        f"{checked.greatest / POINT:.4f}  {checked.plays:7} plays  {checked.states:6} states  "
        f"{'by deeds' if checked.by_deeds else 'by minutes'}  other: {checked.other_plays}/{checked.replayed} plays, "
        f"{checked.other_verdicts}/{checked.judged} verdicts, {checked.variously}/{checked.deeds} deeds  "
        f"{checked.seconds:.0f} s{'' if checked.is_greatest else '  COUNTER-EXAMPLE'}",
        flush=True,
    )
    if not checked.is_greatest:
        print("\n".join(f"    {line}" for line in checked.told), flush=True)


if __name__ == "__main__":
    sys.exit(1 if main(*map(int, sys.argv[1:2])) else 0)
