"""Proving a draw: it is run, and either everything that a score rests on is known, or it is rejected."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

from scenarios.faults import Fault, strike
from scenarios.proofs.calm import LEAST_AVOIDABLE, admits_calm, find_calm
from scenarios.proofs.certifying import count_left_by_component, find_certificates, find_least_left, find_left
from scenarios.proofs.confirming import find_least_loss, list_confirmed
from scenarios.proofs.operating import list_deeds
from scenarios.proofs.pairs import OneOfTwo, Paging, Told
from scenarios.proofs.proof import Proof, Rejection
from scenarios.proofs.reading import find_first_page, open_run
from scenarios.proofs.repairs import LASTINGS, SPACING, accept_repairs, order_stages, play_lanes, search_repairs
from scenarios.proofs.rivals import Rivals, find_rivals
from scenarios.proofs.searching import Search, count_looks
from scenarios.proofs.second import (
    SecondCause,
    count_looks_at_both,
    hides,
    list_first_before_second,
)
from scenarios.proofs.serving import find_needed, find_saved, keep
from scenarios.proofs.severity import JUDGED_SECONDS, judge_severity
from scenarios.vocabulary import REMEDIATION_PLANNING, ROOT_CAUSE_ANALYSIS
from scenarios.world import Run
from scenarios.world.flows import STEP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from scenarios.incident import Certificate, Item
    from scenarios.proofs.calm import Calm
    from scenarios.proofs.operating import Deed
    from scenarios.proofs.repairs import Deeds, Found, Lane
    from scenarios.proofs.rivals import Suspect
    from scenarios.telemetry.pages import Page
    from scenarios.vocabulary import Severity, Task
    from scenarios.world import System

LONGEST_WAIT = 30 * 60
"""Seconds after the onset within which the page has to fire."""
ANSWERED_AFTER = 180
"""Seconds from the page to the first look."""
LOOK_SECONDS = 60
STEP_SECONDS = 120
"""Seconds that a look takes, and a step on average, of all that a task has."""
_STRETCH = 60
"""Seconds after which it is asked again whether a page has fired."""
_APART = 60
"""Seconds that a page may come earlier or later with half the step."""
_LEAST_RIVALS = 8
SPARE_STEPS = 2
"""Steps of a task that are left at the end."""
_CLOSING_STEPS = 3
"""Who has repaired it waits, looks once more, and submits."""
_MOST_ALIKE = 2
"""Families that may strike the same component and look the same: to name any of them is right."""
_LEAST_LEFT = {1: 3, 2: 3, 3: 3, 4: 4, 5: 5}
"""How many suspects the looks at one component have to leave, by difficulty."""
_MOST_BY_ONE = 0.9
"""The share of what can be saved that may be saved by repairing one of two causes."""
_LEAST_OF_ONE = 2
"""How many suspects of one of two causes the looks at one component have to leave."""
_SOON, _BETWEEN = (0, 4), (0, 1)
"""Looks before a repair, and between its operations, whatever of which it has to mend: none may hang on a minute."""
_LEAST_LEFT_TO_SAVE = 0.1
"""The part of what a repair saves who begins it early that has to be left to who is last."""


class _RefusalError(Exception):
    """Carries a rejection out of the parts of a proof."""

    def __init__(self, reason: str, **figures: float) -> None:
        super().__init__(reason)
        self.rejection = Rejection(reason, figures)


class _Paged(NamedTuple):
    """That on-call was paged: by a rule, at a second, and how severe it is."""

    rule: str
    fired: int
    severity: Severity

    @property
    def first_look(self) -> int:
        return find_first_look(self.fired)


def find_first_look(fired: int) -> int:
    """The second at which on-call looks for the first time after a page: a whole minute."""
    return -(-(fired + ANSWERED_AFTER) // 60) * 60


def find_last_start(fired: int) -> int:
    """The second at which the steps of a task are used up, if they take as long as usual: until then a repair mends."""
    return fired + REMEDIATION_PLANNING.max_steps * STEP_SECONDS


class _Told(NamedTuple):
    """How the cause can be told from its rivals."""

    rivals: Rivals
    certificates: tuple[Certificate, ...]
    least_left: int
    alike: tuple[str, ...]
    searcher: int

    @property
    def fewest_looks(self) -> int:
        return len(self.certificates[0])


class _Mended(NamedTuple):
    """What mends it: the accepted repairs, the best first, what doing nothing costs, and for how long both were run.

    `mending` are all that mend it, whatever they cost. Where nothing is to be repaired there are none, and `calm` says
    why.
    """

    accepted: tuple[Lane, ...]
    nothing: Lane
    lasts: int
    found: Found
    mending: Sequence[Deeds]
    calm: Calm | None = None

    @property
    def best(self) -> Lane:
        return self.accepted[0] if self.accepted else self.nothing

    def order_stages(self) -> tuple[Deeds, ...]:
        return order_stages(self.accepted, self.mending) if self.accepted else ()


def prove(background: System, fault: Fault, difficulty: int, second: Fault | None = None) -> Proof | Rejection:
    """Run an incident in all its lanes. The same draw gives the same proof or rejection, however long it takes.

    `second` is its other cause, if it has two.
    """
    try:
        if second is not None:
            return _prove_two(background, (fault, second), difficulty)
        struck = strike(background, fault)
        paged, pair = _find_page(Run(struck, background), fault)
        _check_step(struck, paged)
        told = _tell_cause(background, fault, paged, difficulty)
        mended = _find_repairs(pair, paged, told.searcher, told.fewest_looks, fault)
        longest = max((lane.count_steps() for lane in mended.accepted), default=0)
        _check_steps(told.fewest_looks + longest + _CLOSING_STEPS, REMEDIATION_PLANNING)
    except _RefusalError as refusal:
        return refusal.rejection
    return _write_proof(paged, told, mended)


def _write_proof(paged: _Paged, told: _Told, mended: _Mended) -> Proof:
    return Proof(
        page=paged.rule,
        fired=paged.fired,
        first_look=paged.first_look,
        severity=paged.severity,
        lasts=mended.lasts,
        longest=max((lane.count_steps() for lane in mended.accepted), default=0),
        repairs=tuple(lane.deeds for lane in mended.accepted),
        stages=mended.order_stages(),
        searched=mended.found.lanes,
        harm_of_nothing=round(mended.nothing.harm, 3),
        harm_of_best=round(mended.best.harm, 3),
        suspects=told.rivals.suspects,
        masks=_write_masks(told.rivals.masks),
        certificates=_write_certificates(told.certificates),
        least_left=told.least_left,
        alike=told.alike,
        searcher=told.searcher,
        calm=mended.calm,
    )


def _prove_two(background: System, causes: tuple[Fault, Fault], difficulty: int) -> Proof:
    """The proof of an incident with two causes.

    The first can be told at once, and the second at once or when the first is repaired. Each has operations of its own,
    and who repairs one of them is far from having saved all that can be saved.
    """
    alone = [_find_page_alone(background, fault) for fault in causes]
    struck = reduce(strike, causes, background)
    paged, looking = _find_page(Run(struck, background), causes[0])
    _check_step(struck, paged)
    both = Paging(paged.rule, paged.fired, paged.first_look)
    rule = next(each for each in background.alerts if each.name == paged.rule)
    places, at_once, searchers = list[OneOfTwo](), list[Told](), list[int]()
    for cause, other, page in zip(causes, reversed(causes), alone, strict=True):
        one = OneOfTwo(background, cause, other, page, both)
        told = one.look_at_once()
        _check_rivals(one.suspects, told.masks)
        search = Search(
            background, rule, one.suspects, told.masks, told.unwell, find_left(told.masks, len(one.suspects))
        )
        places.append(one)
        at_once.append(told)
        searchers.append(count_looks(search, background.seed))
    _check_pairs(places, at_once, difficulty)
    mended = _find_repairs(looking, paged, sum(searchers), _count_first_looks(places, at_once), causes[0])
    if mended.calm is not None:
        raise _RefusalError("nothing_to_repair", harm=mended.nothing.harm)
    knowing = looking.fork()
    knowing.advance(min(sum(searchers) * LOOK_SECONDS, find_last_start(paged.fired) - knowing.time))
    serving = _divide_repairs(background, causes, knowing, mended)
    best = mended.accepted[0].deeds
    begin = paged.first_look + LOOK_SECONDS * _SOON[1]
    found = []
    for number, (cause, one) in enumerate(zip(causes, places, strict=True)):
        later = one.look_later(keep(best, serving[1 - number]), begin)
        _check_rivals(one.suspects, later.masks)
        found.append(_tell_one_of_two(cause, one, at_once[number], later, searchers[number]))
    return _write_two(paged, (found[0], found[1]), mended, serving[1])


def _count_first_looks(places: Sequence[OneOfTwo], at_once: Sequence[Told]) -> int:
    """The fewest looks after which somebody begins to repair: those that tell both causes, or else the first."""
    found = []
    for one, told in zip(places, at_once, strict=True):
        count = len(one.suspects)
        found.append(find_certificates(told.masks, count, find_left(told.masks, count)))
    first, second = found
    return min((len(each | other) for each in first for other in second or first), default=_SOON[1])


def _check_rivals(suspects: Sequence[Suspect], masks: Mapping[Item, int]) -> None:
    """Refuse a cause of two that has too few rivals, or that looks at one component tell whatever the other is."""
    count = len(suspects)
    if count < _LEAST_RIVALS:
        raise _RefusalError("few_rivals", rivals=count)
    least_left = find_least_left(masks, count, find_left(masks, count))
    if least_left < _LEAST_OF_ONE:
        raise _RefusalError("given_away", rivals=count, left=least_left)


def _check_pairs(places: Sequence[OneOfTwo], at_once: Sequence[Told], difficulty: int) -> None:
    """Refuse what looks at one component tell: of two causes an explanation is a pair, and enough have to be left."""
    left = []
    for one, told in zip(places, at_once, strict=True):
        count = len(one.suspects)
        alike = find_left(told.masks, count)
        names = dict.fromkeys((part.name for part in one.background.components), 1 + count - alike.bit_count())
        left.append(names | count_left_by_component(told.masks, count, alike))
    pairs = min(first * left[1][name] for name, first in left[0].items())
    if pairs < _LEAST_LEFT[difficulty]:
        raise _RefusalError("given_away", left=pairs)


class _ToldOne(NamedTuple):
    """How one of two causes can be told: `told` says it of who looks at once, `later` when the other is repaired."""

    told: _Told
    later: Mapping[Item, int]
    later_certificates: tuple[Certificate, ...]


def _tell_one_of_two(cause: Fault, one: OneOfTwo, at_once: Told, later: Told, searcher: int) -> _ToldOne:
    count = len(one.suspects)
    alike = find_left(at_once.masks, count) & find_left(later.masks, count)
    same = [suspect for n, suspect in enumerate(one.suspects) if alike >> n & 1]
    certificates, after = (find_certificates(told.masks, count, alike) for told in (at_once, later))
    if not (certificates or after) or len(same) > _MOST_ALIKE or any(name != cause.component for name, _ in same):
        raise _RefusalError("not_identifiable", rivals=count, left=len(same))
    rivals = Rivals(one.suspects, at_once.masks, at_once.unwell)
    least_left = find_least_left(at_once.masks, count, alike)
    told = _Told(rivals, certificates, least_left, tuple(family for _, family in same), searcher)
    return _ToldOne(told, later.masks, after)


def _divide_repairs(
    background: System, causes: tuple[Fault, Fault], knowing: Run, mended: _Mended
) -> tuple[set[Deed], set[Deed]]:
    """Which operations of the accepted repairs serve which cause: each serves one, and each cause is served by some."""
    repairs = [lane.deeds for lane in mended.accepted]
    begin = int(knowing.time)
    first, second = (find_needed(background, fault, repairs, begin, mended.lasts) for fault in causes)
    every = {deed for repair in repairs for deed in repair}
    if first is None or second is None or first & second or first | second != every:
        raise _RefusalError("entangled", repairs=len(repairs))
    parts = [keep(repairs[0], some) for some in (first, second)]
    saved = max(find_saved(knowing, repairs[0], parts, mended.lasts))
    if saved > _MOST_BY_ONE:
        raise _RefusalError("overshadowed", saved=saved)
    return first, second


def _write_two(paged: _Paged, found: tuple[_ToldOne, _ToldOne], mended: _Mended, serving: Collection[Deed]) -> Proof:
    (told, later, _), (other, other_later, other_after) = found
    if not told.certificates:
        raise _RefusalError("not_identifiable", rivals=len(told.rivals.suspects), at_once=0)
    second = SecondCause(
        operations=tuple(sorted(serving)),
        suspects=other.rivals.suspects,
        masks=_write_masks(other.rivals.masks),
        later=_write_masks(other_later),
        certificates=_write_certificates(other.certificates),
        later_certificates=_write_certificates(other_after),
        least_left=other.least_left,
        alike=other.alike,
        searcher=other.searcher,
    )
    update = {"later": _write_masks(later), "second": second}
    proof = _write_proof(paged, told, mended).model_copy(update=update)
    if hides(proof):
        # Nobody can know of the second before the first is repaired, so nobody is to repair it first.
        repairs = list_first_before_second(proof.repairs, serving)
        if not repairs:
            raise _RefusalError("entangled", repairs=len(proof.repairs))
        stages = tuple((deed,) for deed in repairs[0])
        proof = proof.model_copy(update={"repairs": repairs, "stages": stages})
    _check_steps(count_looks_at_both(proof) + proof.longest + _CLOSING_STEPS, REMEDIATION_PLANNING)
    return proof


def _write_masks(masks: Mapping[Item, int]) -> dict[str, str]:
    return {f"{look} {component}": f"{mask:x}" for (look, component), mask in masks.items()}


def _write_certificates(certificates: Sequence[Certificate]) -> tuple[tuple[Item, ...], ...]:
    return tuple(tuple(sorted(each)) for each in certificates)


def _find_page_alone(background: System, fault: Fault) -> Paging:
    """What pages where a fault is the only cause."""
    run = Run(strike(background, fault))
    end = int(fault.at) + LONGEST_WAIT
    run.advance(fault.at - run.time)
    page: Page | None = None
    while page is None and run.time < end - run.state.step:
        run.advance(min(_STRETCH, end - run.time))
        page = find_first_page(open_run(run), int(run.time), 0)
    if page is None or page.fired < fault.at:
        raise _RefusalError("not_felt")
    return Paging(page.rule.name, page.fired, find_first_look(page.fired))


def _find_page(pair: Run, fault: Fault) -> tuple[_Paged, Run]:
    """What paged, and the two systems of a run as they stand when somebody may begin to repair."""
    end = int(fault.at) + LONGEST_WAIT
    pair.advance(fault.at - pair.time)
    page: Page | None = None
    while page is None and pair.time < end - pair.state.step:
        pair.advance(min(_STRETCH, end - pair.time))
        page = find_first_page(open_run(pair), int(pair.time), 0)
    if page is not None:
        pair.advance(find_first_look(page.fired) - pair.time)
    looking = pair.fork()
    pair.advance(max(end, 0 if page is None else page.fired + JUDGED_SECONDS) - pair.time)
    if find_first_page(open_run(pair), end, 1) is not None:
        raise _RefusalError("pages_without")
    if page is None or page.fired < fault.at:
        raise _RefusalError("not_felt")
    severity = judge_severity(pair, page.fired)
    if severity is None:
        raise _RefusalError("unclear_severity")
    return _Paged(page.rule.name, page.fired, severity), looking


def _check_step(struck: System, paged: _Paged) -> None:
    """Refuse what is so near a threshold that with half the step another rule would have fired, or another minute."""
    run = Run(struck, step=STEP / 2.0)
    run.advance(paged.fired + _APART)
    page = find_first_page(open_run(run), int(run.time), 0)
    if page is None or page.rule.name != paged.rule or abs(page.fired - paged.fired) > _APART:
        raise _RefusalError("unclear_page")


def _tell_cause(background: System, fault: Fault, paged: _Paged, difficulty: int) -> _Told:
    rivals = find_rivals(background, fault, paged.rule, paged.fired, paged.first_look)
    count = len(rivals.suspects)
    if count < _LEAST_RIVALS:
        raise _RefusalError("few_rivals", rivals=count)
    alike = find_left(rivals.masks, count)
    same = [suspect for n, suspect in enumerate(rivals.suspects) if alike >> n & 1]
    certificates = find_certificates(rivals.masks, count, alike)
    if not certificates or len(same) > _MOST_ALIKE or any(component != fault.component for component, _ in same):
        raise _RefusalError("not_identifiable", rivals=count, left=len(same))
    least_left = find_least_left(rivals.masks, count, alike)
    if least_left < _LEAST_LEFT[difficulty]:
        raise _RefusalError("given_away", rivals=count, left=least_left)
    rule = next(each for each in background.alerts if each.name == paged.rule)
    search = Search(background, rule, rivals.suspects, rivals.masks, rivals.unwell, alike)
    looks = count_looks(search, background.seed)
    told = _Told(rivals, certificates, least_left, tuple(family for _, family in same), looks)
    _check_steps(told.fewest_looks + 1, ROOT_CAUSE_ANALYSIS)
    return told


def _check_steps(fewest: int, task: Task) -> None:
    """Refuse what leaves no steps to spare to who looks where it tells most.

    The honest searcher is no measure of it: who takes every look at what is on the way needs more than a task has.
    """
    if fewest > task.max_steps - SPARE_STEPS:
        raise _RefusalError("too_long", fewest=fewest, limit=task.max_steps)


def _find_repairs(looking: Run, paged: _Paged, searcher: int, fewest_looks: int, fault: Fault) -> _Mended:
    """The repairs of a system that runs with the same without the fault behind it, as it is first looked at.

    They are searched from the moment on at which an honest searcher knows the cause, and have to mend it as well for
    who begins at once and for who is the last.
    """
    last = find_last_start(paged.fired)
    knowing = looking.fork()
    knowing.advance(min(searcher * LOOK_SECONDS, last - knowing.time))
    late = knowing.fork()
    late.advance(last - late.time)
    deeds = list_deeds(knowing.pick([0]), knowing.pick([1]))
    found = search_repairs(knowing, deeds)
    if found.judged[LASTINGS[-1]][()].well:
        may_be_calm = admits_calm(looking.layout.systems[0].seed)
        calm = find_calm(knowing, paged.rule, fault.at, paged.first_look) if may_be_calm else None
        if calm is None:
            raise _RefusalError("nothing_to_repair", harm=found.judged[LASTINGS[-1]][()].harm)
        return _Mended((), found.judged[LASTINGS[0]][()], LASTINGS[0], found, (), calm)
    if not found.mending:
        raise _RefusalError("not_solvable", deeds=len(deeds), lanes=found.lanes)
    beginnings = list_beginnings(fewest_looks, int(knowing.time - looking.time) // LOOK_SECONDS)
    for lasts in filter(found.shows_relapses, LASTINGS):
        mended = _choose_lasting(found, looking, late, lasts, beginnings)
        if mended is not None:
            return mended
    raise _RefusalError("nothing_to_repair", harm=found.judged[LASTINGS[-1]][()].harm)


def _try_soon(looking: Run, repairs: Sequence[Deeds], lasts: int) -> Iterator[dict[Deeds, Lane]]:
    """What comes of repairs that are begun at the first look or some looks later, in haste or with a look between."""
    for looks in _SOON:
        run = looking.fork()
        run.advance(looks * LOOK_SECONDS)
        for between in _BETWEEN:
            yield play_lanes(run, repairs, lasts, SPACING + between * LOOK_SECONDS)


def find_confirmed(
    looking: Run, repairs: Sequence[Deeds], lasts: int, saved: float, looks: Iterable[int]
) -> set[Deeds]:
    """Those of some repairs that an episode confirms, after each of some numbers of looks.

    The best of them has `saved` users so many minutes. `looking` runs the system and, behind it, the same without the
    fault; both are at the first look.
    """
    confirmed, least_loss = set(repairs), find_least_loss(saved)
    for number in looks:
        run = looking.fork()
        run.advance(number * LOOK_SECONDS)
        confirmed = list_confirmed(run, [each for each in repairs if each in confirmed], lasts, least_loss)
    return confirmed


def list_beginnings(fewest: int, searcher: int) -> list[int]:
    """After how many looks somebody may begin to repair: the fewest that tell the cause, some more, a searcher's."""
    return sorted({fewest, max(fewest, *_SOON), searcher})


def _choose_lasting(found: Found, looking: Run, late: Run, lasts: int, beginnings: Sequence[int]) -> _Mended | None:
    """What mends it when it is judged after so many seconds; None if too little is left to save by then."""
    lanes, nothing = found.judged[lasts], found.judged[lasts][()]
    last = play_lanes(late, found.mending, lasts)
    tried = [last, *_try_soon(looking, found.mending, lasts)]
    mending = [each for each in found.mending if all(played[each].well for played in tried)]
    saved = nothing.harm - min((lanes[each].harm for each in mending), default=nothing.harm)
    refused = set(mending) - find_confirmed(looking, mending, lasts, saved, beginnings)
    mending = [each for each in mending if each not in refused]
    if not mending:
        raise _RefusalError("not_solvable", lanes=found.lanes, lasts=lasts, refused=len(refused))
    accepted = accept_repairs([lanes[each] for each in mending], nothing)
    saved, left = (run[()].harm - max(run[lane.deeds].harm for lane in accepted) for run in (lanes, last))
    if min(saved, left) < max(LEAST_AVOIDABLE, _LEAST_LEFT_TO_SAVE * saved):
        return None
    return _Mended(accepted, nothing, lasts, found, [each for each in found.mending if each not in refused])
