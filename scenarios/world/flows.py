"""One step of requests: what is sent, what arrives, what waits, what is answered and how late. Nothing is made or lost.

A fluid model after the usual queueing formulas. An attempt that fails is owed, and sent again in the next step. A
component works on at most `slots / holding time` requests a second, and no more than its processors can; its own queue
does not count into the holding time, or a component would never recover from a long queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenarios.world.quantiles import KNOTS, share_above, shift_quantiles
from scenarios.world.reasons import FAST_REASONS, Reason
from scenarios.world.sums import ALL, LITTLE, NOTHING, TINY, add_up, sum_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.world.access import Access, Leaving
    from scenarios.world.layout import Floats, Layout

STEP = 5.0
"""Seconds of a step."""

ATTEMPTS = 3
"""The most attempts of a call."""

HOLDING_SECONDS = 20.0
"""The time constant with which a holding time follows what requests take now, beside that time itself."""

_HALVES = np.array([[0.25], [0.2], [0.045], [0.005]])
"""Half the share of requests between two knots: the weights of a trapezoid."""
_HALF, _CROWDED, _HOLDING = np.array(0.5), np.array(0.08), np.array(HOLDING_SECONDS)
_SHORTEST, _HOUR = np.array(1e-4), np.array(3600.0)
"""Numbers as arrays without a dimension: with these numpy takes half the time that it takes with a number of Python."""

_FAST = tuple(map(int, FAST_REASONS))
_SLOW = (int(Reason.POOL), int(Reason.LOST), int(Reason.EXPIRED))
_REASONS = tuple(map(int, Reason))
"""Plain numbers, because a step looks them up often, and a member of an enumeration is slow to look up."""
_NOT_LET_IN = (int(Reason.DENIED), int(Reason.FORBIDDEN), int(Reason.FULL))
_LATE, _ERROR = int(Reason.LATE), int(Reason.ERROR)
_ON_THE_WAY = tuple(
    map(int, (Reason.POOL, Reason.BROKEN, Reason.LOST, Reason.REFUSED, Reason.UNRESOLVED, Reason.UNTRUSTED))
)
_AT_CALLEE = tuple(map(int, (Reason.REFUSED, Reason.FULL, Reason.EXPIRED)))
"""What becomes of requests at a callee that are not done."""
_SUM_OF = {int(Reason.REFUSED): 6, int(Reason.FULL): 4, int(Reason.EXPIRED): 5}
"""Where these stand in the sums of `_work`."""
_ENDS = {
    befell: np.array([0, 2, *(_SUM_OF[reason] for reason in befell)])
    for count in range(len(_AT_CALLEE) + 1)
    for befell in combinations(_AT_CALLEE, count)
}
"""Where `_Worked.ends` stand there, for each set of reasons."""


@dataclass(slots=True, eq=False)
class Flows:
    """The state of all requests. `owed` and `waiting` are counts by attempt and call.

    `users` are those of users that wait, by route. `begun` are the requests that each route began to work on in the
    step before. Of those that it answered, the share `kept` had from its calls what it needs. `latency` is at the
    knots, by route, and `holding` what the mean of it without waiting for a slot has been of late. Of the requests of a
    route a share `reached` each of its calls, and made it `times` over: `made` by a request on average.
    """

    owed: Floats
    waiting: Floats
    users: Floats
    queue: Floats
    begun: Floats
    kept: Floats
    reached: Floats
    times: Floats
    made: Floats
    latency: Floats
    holding: Floats

    @classmethod
    def start(cls, layout: Layout) -> Flows:
        _, instances, routes, calls = layout.count()
        own = layout.route_work
        return cls(
            owed=np.zeros((ATTEMPTS, calls)),
            waiting=np.zeros((ATTEMPTS, calls)),
            users=np.zeros(routes),
            queue=np.zeros(instances),
            begun=np.zeros(routes),
            kept=np.ones(routes),
            reached=np.ones(calls),
            times=np.maximum(1.0, layout.call_weight),
            made=layout.call_weight + 0.0,
            latency=own * layout.route_spread,
            holding=own * 1.6,
        )


@dataclass(slots=True, eq=False)
class Conditions:
    """What a step finds: of instances, components, routes, calls and journeys, as the other kernels have left it.

    `open_` is 1 of an instance that takes requests, `count` are those of a component. `pull` is what an instance gets
    of its requests, against the others of its component, `pulled` that of all of them. `rates` are the slots and, in
    a second row, the processors of an instance, both 0 of one that does not run, and `places` are requests that may
    wait there. `work` is a factor by component, `errors` are the shares of the requests that a route cannot answer
    well. `weights` are the calls that a request makes now. Of the attempts that failed, first and second, `again` are
    the shares that are tried again. `offered` are the requests of users in the step, by route.
    """

    access: Access
    open_: Floats
    count: Floats
    pull: Floats
    pulled: Floats
    rates: Floats
    places: Floats
    work: Floats
    errors: Floats
    again: Floats
    weights: Floats
    offered: Floats


@dataclass(slots=True, eq=False)
class Passed:
    """What happened in a step, in requests: by route, by call, and by instance where it says so.

    `arrived` are requests that reached a route, `refused` those that nobody took, of which `dropped` were waiting
    already. `barred` are requests of users that a rule at the edge kept out, a part of those `rejected`. `faulty` were
    answered with an error of the route's own. `computed` are seconds of processors, by component. `failed` are failed
    attempts by reason and call, `given_up` requests whose last attempt failed, `delay` the seconds that a call is under
    way. `users_*` is what became of requests of users: those that are answered after the deadline of their journey
    failed.
    """

    arrived: Floats
    rejected: Floats
    barred: Floats
    done: Floats
    good: Floats
    faulty: Floats
    computed: Floats
    refused: Floats
    full: Floats
    expired: Floats
    load: Floats
    waited: Floats
    sent: Floats
    reached: Floats
    succeeded: Floats
    failed: Floats
    given_up: Floats
    delay: Floats
    users_good: Floats
    users_failed: Floats
    ledger: float


def step_flows(layout: Layout, flows: Flows, found: Conditions, step: float = STEP) -> Passed:
    """Pass one step of so many seconds: the flows are changed, and what happened is returned."""
    tried = _send(layout, flows, found)
    mixture = _mix(layout, flows, found, tried)
    worked = _work(layout, flows, found, mixture, step)
    answers = _answer(layout, flows, found, tried, worked)
    users = _answer_users(layout, mixture, worked, answers)
    ended = _end_attempts(layout, found, tried, worked, answers, users.bad)
    ledger = _find_ledger(flows, tried, mixture, worked, answers, ended)

    # What of it the next step finds.
    flows.owed, flows.waiting, flows.users, flows.queue = ended.again, ended.waiting, users.waiting, worked.queue
    done = mixture.total * worked.done
    flows.begun = done * answers.right
    once = _keep(layout, flows, found, answers, ended)
    _pass_latencies(layout, flows, found, tried, worked, answers, ended, once, step)
    nothing = layout.no_requests
    refused, full, expired = nothing, nothing, nothing
    if worked.ends is not None:
        rows = mixture.total * worked.ends[2:]
        of = {reason: rows[place] for place, reason in enumerate(worked.befell)}
        refused, full, expired = (of.get(reason, nothing) for reason in _AT_CALLEE)
    return Passed(
        arrived=mixture.new,
        rejected=tried.rejected,
        barred=nothing,
        done=done,
        good=done * answers.good,
        faulty=done * found.errors,
        computed=worked.done_by_component * mixture.cpu,
        refused=refused,
        full=full,
        expired=expired,
        load=worked.load,
        waited=worked.waits,
        sent=tried.sent,
        reached=tried.reached,
        succeeded=answers.succeeded,
        failed=ended.failed,
        given_up=ended.given_up,
        delay=found.access.obstacles.delay,
        users_good=users.good,
        users_failed=users.failed,
        ledger=ledger,
    )


@dataclass(slots=True, eq=False)
class _Tried:
    """The `attempts` of a step. By attempt and call the `entering`, and the `pending` with those that wait; by call
    those that were `sent` and `reached` the callee, and the `pending_calls`. By route, `at_route` are those that came
    in, and that are pending; the others there are `rejected`, with `refusals` by reason.
    """

    attempts: Floats
    sent: Floats
    leaving: Leaving
    entering: Floats
    pending: Floats
    pending_calls: Floats
    reached: Floats
    at_route: Floats
    rejected: Floats
    refusals: list[tuple[int, Floats]]


def _send(layout: Layout, flows: Flows, found: Conditions) -> _Tried:
    """What callers send, what does not leave them, and what comes in."""
    target, access, routes = layout.call_target, found.access, len(layout.route_work)
    attempts = flows.owed
    np.multiply(flows.begun[layout.call_source], flows.made, out=attempts[0])
    sent = attempts[0] + attempts[1] + attempts[2]
    taking = np.minimum(layout.call_deadline, flows.holding[target] + access.obstacles.delay) + _SHORTEST
    leaving = access.find_leaving(sent, taking)
    entering = attempts * leaving.entering
    pending = flows.waiting + entering
    calls = np.empty((2, len(sent)))
    np.add(entering[0] + entering[1], entering[2], out=calls[0])
    np.add(pending[0] + pending[1], pending[2], out=calls[1])
    reached = sent * leaving.reaching
    shares = zip(_NOT_LET_IN, (access.denied, access.forbidden, access.turned_away), strict=True)
    refusals = [(reason, reached * share) for reason, share in shares if share is not None]
    rejected = layout.no_requests
    if refusals:
        rejected = add_up(target, sum_rows([part for _, part in refusals]), routes)
    return _Tried(
        attempts=attempts,
        sent=sent,
        leaving=leaving,
        entering=entering,
        pending=pending,
        pending_calls=calls[1],
        reached=reached,
        at_route=add_up(layout.call_target_rows[: calls.size], calls.ravel(), 2 * routes).reshape(2, routes),
        rejected=rejected,
        refusals=refusals,
    )


@dataclass(slots=True, eq=False)
class _Mixture:
    """Requests at callees: the `new` ones and the `total` with the `users` in it, by route, and both by component.

    `mixed` is at least a little, `holding` and `cpu` are seconds of a request on average over those of a component.
    """

    users: Floats
    new: Floats
    total: Floats
    new_by_component: Floats
    total_by_component: Floats
    mixed: Floats
    holding: Floats
    cpu: Floats


def _mix(layout: Layout, flows: Flows, found: Conditions, tried: _Tried) -> _Mixture:
    """What there is at each route, and what a request of each component takes on average."""
    components = len(layout.components)
    users = flows.users + found.offered
    rows = np.empty((5, len(users)))
    np.add(found.offered, tried.at_route[0], out=rows[0])
    np.add(users, tried.at_route[1], out=rows[1])
    np.add(rows[1], TINY, out=rows[2])
    np.multiply(rows[2], flows.holding, out=rows[3])
    np.multiply(rows[2], layout.route_cpu, out=rows[4])
    sums = add_up(layout.route_component_rows[: rows.size], rows.ravel(), 5 * components).reshape(5, components)
    mixed = np.maximum(sums[1:3], TINY)
    each = sums[3:] / mixed[1]
    return _Mixture(
        users=users,
        new=rows[0],
        total=rows[1],
        new_by_component=sums[0],
        total_by_component=sums[1],
        mixed=mixed[0],
        holding=each[0],
        cpu=each[1] * found.work,
    )


@dataclass(slots=True, eq=False)
class _Worked:
    """What became of requests at their callee. `ends` are the shares by route that were done, that wait, and that ended
    for the reasons that `befell` any; None if all were done. By component, `done_by_component` are requests,
    `ended_by_component` those that ended or wait, `load` is the share of slots that is in use, and `waits` are the
    seconds for which a request waits for one.
    """

    queue: Floats
    done: Floats
    ends: Floats | None
    befell: tuple[int, ...]
    done_by_component: Floats
    ended_by_component: Floats
    load: Floats
    waits: Floats


def _work(layout: Layout, flows: Flows, found: Conditions, mixture: _Mixture, step: float) -> _Worked:
    """What reaches a callee, and how much of it gets done."""
    own, components = layout.instance_component, len(layout.components)
    everywhere = np.count_nonzero(found.count) == components
    pulled = found.pulled if everywhere else np.where(found.count <= 0.0, 1.0, found.pulled)
    had = flows.queue + mixture.new_by_component[own] * (found.pull / pulled[own])
    each = np.empty((2, components))
    np.maximum(mixture.holding, LITTLE, out=each[0])
    np.maximum(mixture.cpu, LITTLE, out=each[1])
    rates = found.rates / each.take(own, axis=1)
    rate = np.minimum(rates[0], rates[1])
    capacity = rate * np.array(step)
    rows = np.empty((7, len(own)))
    done = np.minimum(had, capacity, out=rows[0])
    np.multiply(done, np.minimum(ALL, had / np.maximum(capacity, TINY)), out=rows[1])
    rest = had - done
    if everywhere and not np.count_nonzero(rest):
        return _do_all(layout, mixture, rows[:2], rest)
    room = np.minimum(found.places, rate * layout.instance["patience"])
    queue = np.minimum(rest, room, out=rows[2])
    over = rest - queue
    np.multiply(done, np.minimum(queue / np.maximum(rate, LITTLE), _HOUR), out=rows[3])
    full = np.minimum(over, np.maximum(NOTHING, rest - layout.instance["queue"]))
    np.multiply(full, found.open_, out=rows[4])
    np.multiply(over - rows[4], found.open_, out=rows[5])
    np.multiply(over, ALL - found.open_, out=rows[6])
    sums = add_up(layout.instance_component_rows, rows.ravel(), 7 * components).reshape(7, components)
    done_c, queued, full_c, expired, refused = sums[0], sums[2], sums[4], sums[5], sums[6]
    if not everywhere:
        refused += np.where(found.count <= 0.0, mixture.new_by_component, 0.0)
    befell = tuple([reason for reason in _AT_CALLEE if np.count_nonzero(sums[_SUM_OF[reason]])])
    shares = sums.take(_ENDS[befell], axis=0) / mixture.mixed
    ends = shares.take(layout.route_component, axis=1)
    some = np.maximum(done_c, TINY)
    return _Worked(
        queue=queue.copy(),
        done=ends[0],
        ends=ends,
        befell=befell,
        done_by_component=done_c,
        ended_by_component=done_c + full_c + expired + refused + queued,
        load=sums[1] / some,
        waits=np.minimum(sums[3] / some, layout.component["patience"]),
    )


def _do_all(layout: Layout, mixture: _Mixture, rows: Floats, nothing: Floats) -> _Worked:
    """Everything is done in its step, and nothing waits."""
    components = len(layout.components)
    sums = add_up(layout.instance_component_rows[: rows.size], rows.ravel(), 2 * components)
    done, busy = sums[:components], sums[components:]
    return _Worked(
        queue=nothing,
        done=(done / mixture.mixed)[layout.route_component],
        ends=None,
        befell=(),
        done_by_component=done,
        ended_by_component=done,
        load=busy / np.maximum(done, TINY),
        waits=layout.memory.get((), _find_no_waits, layout),
    )


@dataclass(slots=True, eq=False)
class _Answers:
    """What was answered. By route, the shares that are `right` of the route's own and `good` with what its calls gave,
    and of users, by entry, those that are `too_late`. By call, the `latency` at the knots with the way there, the share
    that is `late`, what was `answered`, of this what is `correct`, and of this what `succeeded` in time. `done_there`
    and `good_there` are the shares at the callee.
    """

    right: Floats
    good: Floats
    too_late: Floats
    latency: Floats
    late: Floats
    done_there: Floats
    good_there: Floats
    answered: Floats
    correct: Floats
    succeeded: Floats


def _answer(layout: Layout, flows: Flows, found: Conditions, tried: _Tried, worked: _Worked) -> _Answers:
    target, calls = layout.call_target, len(layout.call_target)
    right = ALL - found.errors
    good = right * flows.kept
    latency = flows.latency.take(layout.late_route, axis=1) + found.access.delays
    late = share_above(latency, layout.late_deadline)
    in_time = ALL - late[:calls]
    done_there, good_there = worked.done[target], good[target]
    answered = tried.pending_calls * done_there
    correct = answered * good_there
    return _Answers(
        right=right,
        good=good,
        too_late=late[calls:],
        latency=latency[:, :calls],
        late=ALL - in_time,
        done_there=done_there,
        good_there=good_there,
        answered=answered,
        correct=correct,
        succeeded=correct * in_time,
    )


@dataclass(slots=True, eq=False)
class _Users:
    """Requests of users by route: those answered well, failed and `waiting`, and the `bad` share of all at a route."""

    good: Floats
    failed: Floats
    waiting: Floats
    bad: Floats


def _answer_users(layout: Layout, mixture: _Mixture, worked: _Worked, answers: _Answers) -> _Users:
    bad = worked.done * (ALL - answers.good)
    waiting = layout.no_requests
    if worked.ends is not None:
        if worked.befell:
            bad += sum_rows(worked.ends[2:])
        waiting = mixture.users * worked.ends[1]
    answered = mixture.users * (worked.done * answers.good)
    too_late = np.zeros(len(answered))
    too_late[layout.entry_route] = answers.too_late
    return _Users(
        good=answered * (ALL - too_late),
        failed=mixture.users * bad + answered * too_late,
        waiting=waiting,
        bad=bad,
    )


@dataclass(slots=True, eq=False)
class _Ended:
    """How attempts ended: `failed` by reason and call, and which reasons `befell` some of them; those that are sent
    `again` and that are `waiting` by attempt and call, and the requests that were `given_up`.
    """

    failed: Floats
    befell: list[bool]
    again: Floats
    waiting: Floats
    given_up: Floats


def _end_attempts(
    layout: Layout, found: Conditions, tried: _Tried, worked: _Worked, answers: _Answers, bad: Floats
) -> _Ended:
    ends = None if worked.ends is None else worked.ends.take(layout.call_target, axis=1)
    failed, befell = _find_failed(found, tried, answers, worked.befell, ends)
    # Shares that are lost are added up, not left over: what is left over of doubles may be less than nothing.
    lost_share = bad[layout.call_target] + answers.done_there * answers.good_there * answers.late
    lost = (tried.attempts - tried.entering) + tried.pending * lost_share
    again = np.zeros(lost.shape)
    np.multiply(lost[:2], found.again, out=again[1:])
    left = lost[:2] - again[1:]
    return _Ended(
        failed=failed,
        befell=befell,
        again=again,
        waiting=np.zeros(lost.shape) if ends is None else tried.pending * ends[1],
        given_up=lost[2] + left[0] + left[1],
    )


def _find_failed(
    found: Conditions, tried: _Tried, answers: _Answers, ended: tuple[int, ...], ends: Floats | None
) -> tuple[Floats, list[bool]]:
    """Failed attempts by reason and call, and for which reasons any failed.

    `ends` are shares at the callee, of which the last ones `ended` for some reasons.
    """
    sent, leaving = tried.sent, tried.leaving
    failed = np.zeros((len(_REASONS), len(sent)))
    befell = [False] * len(_REASONS)
    np.multiply(answers.correct, answers.late, out=failed[_LATE])
    np.multiply(answers.answered, ALL - answers.good_there, out=failed[_ERROR])
    befell[_LATE] = befell[_ERROR] = True
    # In the order of `_ON_THE_WAY`.
    shares = (
        leaving.unpooled,
        found.access.dead,
        leaving.lost,
        leaving.unheard,
        leaving.unresolved,
        leaving.untrusted,
    )
    for reason, share in zip(_ON_THE_WAY, shares, strict=True):
        if share is not None:
            np.multiply(sent, share, out=failed[reason])
            befell[reason] = True
    for reason, part in tried.refusals:
        failed[reason] = part
        befell[reason] = True
    if ends is not None and ended:
        there = tried.pending_calls * ends[2:]
        for place, reason in enumerate(ended):
            row = failed[reason]
            np.add(row, there[place], out=row)
            befell[reason] = True
    # Differences of shares that are equal may come out below nothing, by the rounding of doubles.
    np.maximum(failed, NOTHING, out=failed)
    return failed, befell


def _find_ledger(
    flows: Flows, tried: _Tried, mixture: _Mixture, worked: _Worked, answers: _Answers, ended: _Ended
) -> float:
    """The largest difference between what came and what went, in requests, at calls and at components."""
    came = tried.sent + (flows.waiting[0] + flows.waiting[1] + flows.waiting[2])
    went = answers.succeeded + (ended.waiting[0] + ended.waiting[1] + ended.waiting[2])
    calls = len(came)
    gaps = np.empty(2 * calls + len(mixture.mixed))
    np.subtract(came, went + ended.given_up + ended.again[1] + ended.again[2], out=gaps[:calls])
    for reason in _REASONS:
        if ended.befell[reason]:
            went += ended.failed[reason]
    np.subtract(came, went, out=gaps[calls : 2 * calls])
    np.subtract(mixture.total_by_component, worked.ended_by_component, out=gaps[2 * calls :])
    np.abs(gaps, out=gaps)
    return float(gaps[gaps.argmax()])


def _keep(layout: Layout, flows: Flows, found: Conditions, answers: _Answers, ended: _Ended) -> Floats:
    """Which requests got from their calls what they need, and how many calls a request makes in the next step.

    A route makes its calls one after the other, in the order of the system, and none after a required one that failed.
    All calls of one request meet the same pool; apart from that they fail by themselves. Returned is the share of the
    requests of its source that make each call.
    """
    share = ended.given_up / np.maximum(answers.succeeded + ended.given_up, TINY)
    broken, whole = found.access.broken, found.access.wholes
    if broken is None:
        harmed = np.minimum(ALL, found.weights * np.maximum(NOTHING, share)) * layout.call_required
    else:
        others = np.maximum(NOTHING, share - broken) / whole
        harmed = (broken + whole * np.minimum(ALL, found.weights * others)) * layout.call_required
        harmed = np.minimum(ALL, harmed)
    unharmed = np.empty(len(harmed) + 1)
    unharmed[-1] = 1.0
    np.subtract(ALL, harmed, out=unharmed[:-1])
    # In front of its first call a route has all its requests, and behind each those that it has still.
    most = len(layout.inputs)
    left = np.empty((most + 1, len(layout.route_work)))
    left[0] = 1.0
    unharmed.take(layout.inputs, out=left[1:], mode="clip")
    for place in range(1, most):
        np.multiply(left[place], left[place + 1], out=left[place + 1])
    flows.kept = left[-1].copy()
    flows.reached = left.ravel()[layout.call_place]
    repeats = layout.memory.get((found.weights.tobytes(),), _find_repeats, layout, found.weights)
    flows.times = repeats.most / (ALL + repeats.more * share)
    making = flows.reached * repeats.once
    flows.made = making * flows.times
    return making


class _Repeats(NamedTuple):
    """Of the calls that a request makes: whether it does at all, how often then, and how often more if it must."""

    once: Floats
    most: Floats
    more: Floats


def _find_repeats(layout: Layout, weights: Floats) -> _Repeats:
    most = np.maximum(ALL, weights)
    return _Repeats(np.minimum(ALL, weights), most, (most - ALL) * layout.call_required)


def _pass_latencies(
    layout: Layout,
    flows: Flows,
    found: Conditions,
    tried: _Tried,
    worked: _Worked,
    answers: _Answers,
    ended: _Ended,
    making: Floats,
    step: float,
) -> None:
    """Latencies of routes: own work, then each call, all of them as late as each other, then the wait for a slot."""
    sent, first, load, routes = tried.sent, tried.attempts[0], worked.load, len(layout.route_work)
    calls = np.maximum(sent, TINY)
    fast = _sum_shares(ended, _FAST, calls)
    slow = _sum_shares(ended, _SLOW, calls)
    # What is lost now and then is too rare to be seen between the last two knots, and would be smeared over them.
    others = ALL - fast
    slow = np.maximum(NOTHING, np.minimum(slow, others) - layout.call_loss)
    most = layout.memory.get((found.again.tobytes(),), _count_most_tries, found.again)
    times = flows.times * np.minimum(most, np.maximum(ALL, sent / np.maximum(first, TINY)))
    np.putmask(times, first <= TINY, flows.times)
    bounded = np.minimum(answers.latency, layout.call_deadline)
    shifted = shift_quantiles(bounded, ALL - making * others, making * slow, layout.call_deadline)
    crowded = _HALF * load * load / np.maximum(ALL - load, _CROWDED)
    own, spread = layout.memory.get((found.work.tobytes(),), _find_own_work, layout, found.work)
    rows = np.empty((len(KNOTS), routes + len(sent)))
    rows[:, :routes] = spread
    np.multiply(shifted, times, out=rows[:, routes:])
    latency = add_up(layout.latency_rows, rows.ravel(), len(KNOTS) * routes).reshape(len(KNOTS), routes)
    parts = (latency[:-1] + latency[1:]) * _HALVES
    _relax_holding(flows, parts[0] + parts[1] + parts[2] + parts[3], step)
    # Who is crowded waits for a slot and holds none: that would make a full component do less than it can.
    waits = own * crowded[layout.route_component] + worked.waits[layout.route_component]
    flows.latency = latency + waits


def _find_own_work(layout: Layout, work: Floats) -> tuple[Floats, Floats]:
    """The own work of each route, in seconds, and that at the knots."""
    own = layout.route_work * work[layout.route_component]
    return own, own * layout.route_spread


def _count_most_tries(again: Floats) -> Floats:
    """How often a call is tried at most, on average over the callers."""
    return np.asarray(1.0 + again[0] + again[1])


def _relax_holding(flows: Flows, mean: Floats, step: float) -> None:
    """Bring the holding time towards the mean of now.

    Slots are held by requests that came some time ago, so the time for which they are held lags behind by about as long
    as it takes. Were it to follow at once, a component that is full would be full in one step and empty in the next.
    """
    rate = np.array(step) / (_HOLDING + np.maximum(mean, flows.holding))
    flows.holding = flows.holding + (mean - flows.holding) * (rate / (ALL + rate))


def _sum_shares(ended: _Ended, reasons: Sequence[int], sent: Floats) -> Floats:
    """The share of what was sent that failed for some reasons, at most 1."""
    befell, failed = ended.befell, ended.failed
    rows = [failed[reason] for reason in reasons if befell[reason]]
    return np.asarray(np.minimum(ALL, sum_rows(rows) / sent)) if rows else np.zeros(len(sent))


def _find_no_waits(layout: Layout) -> Floats:
    return np.zeros(len(layout.components))
