"""One step of requests: what is sent, what arrives, what waits, what is answered and how late. Nothing is made or lost.

A fluid model after the usual queueing formulas. An attempt that fails is owed, and sent again in the next step. A
component works on at most `slots / holding time` requests a second, and no more than its processors can; its own queue
does not count into the holding time, or a component would never recover from a long queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.world.layout import Floats, Indices, Layout

STEP = 5.0
"""Seconds of a step."""

ATTEMPTS = 3
"""The most attempts of a call."""

HOLDING_SECONDS = 20.0
"""The time constant with which a holding time follows what requests take now, beside that time itself."""

KNOTS = (0.0, 0.5, 0.9, 0.99, 1.0)
"""The quantiles at which latencies are known."""
_HALVES = np.array([[0.25], [0.2], [0.045], [0.005]])
"""Half the share of requests between two knots: the weights of a trapezoid."""
_AT = np.array([[knot] for knot in KNOTS])
_BEGINS = np.array([[[knot] for knot in KNOTS[:-1]]])
_WIDTHS = np.array([[[after - knot] for knot, after in pairwise(KNOTS)]])
_TINY = 1e-12


class Reason(IntEnum):
    """Why an attempt of a call failed.

    `POOL`: the caller had no connection free. `BROKEN`: the connections of its pool are dead. `LOST`: nothing came back
    from the network. `REFUSED`: nobody listened. `FULL`: the callee took no more. `EXPIRED`: it waited in the callee
    for too long. `LATE`: it was answered after the deadline. `ERROR`: it was answered with an error. `DENIED`: the
    callee did not accept who called. `UNRESOLVED`: the caller has found no address of the callee. `FORBIDDEN`: the
    callee knew the caller, and did not let it do this. `UNTRUSTED`: the certificate of the callee was not valid.
    """

    POOL = 0
    BROKEN = 1
    LOST = 2
    REFUSED = 3
    FULL = 4
    EXPIRED = 5
    LATE = 6
    ERROR = 7
    DENIED = 8
    UNRESOLVED = 9
    FORBIDDEN = 10
    UNTRUSTED = 11


FAST_REASONS = (
    Reason.BROKEN,
    Reason.REFUSED,
    Reason.FULL,
    Reason.DENIED,
    Reason.UNRESOLVED,
    Reason.FORBIDDEN,
    Reason.UNTRUSTED,
)
"""Reasons for which a caller does not wait for an answer."""
_SLOW = (Reason.POOL, Reason.LOST, Reason.EXPIRED)


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


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """What a step finds: of instances, components, routes, calls and journeys, as the other kernels have left it.

    `open_` is 1 of an instance that takes requests, and `pull` is what it gets of them, against the others of its
    component. `speed` multiplies slots and processors of an instance and is 0 of one that does not run. `work` and
    `errors` are factors and shares by component. `pools` are the free connections of a call, `broken` the share of
    callers whose pool is dead, of it `unopened` of those that never had a connection, `turned_away` the share of calls
    that find no connection at the callee. `weights` are the calls that a request makes now, `delay` the seconds that a
    call is under way. Of callers, the shares that are `stale` call where nobody listens, those that are `unresolved`
    have no address, those that are `distrusted` by the caller end before a request is sent. Of the attempts that
    failed, first and second, `again` are the shares that are tried again. `processors` multiplies those of an
    instance. `denied` are not accepted, `forbidden` are those of the others who may not do it. `refusals` are the
    shares of requests that a route cannot work on, `offered` are the requests of users in the step, by route.
    """

    speed: Floats
    open_: Floats
    pull: Floats
    processors: Floats
    work: Floats
    errors: Floats
    pools: Floats
    broken: Floats
    unopened: Floats
    turned_away: Floats
    loss: Floats
    denied: Floats
    forbidden: Floats
    distrusted: Floats
    again: Floats
    weights: Floats
    delay: Floats
    stale: Floats
    unresolved: Floats
    refusals: Floats
    offered: Floats


@dataclass(frozen=True, slots=True, eq=False)
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


def add_up(index: Indices, weights: Floats, size: int) -> Floats:
    """Sums of weights by index, in the order in which they stand."""
    return np.asarray(np.bincount(index, weights=weights, minlength=size))


def add_rows(rows: Indices, weights: Sequence[Floats], size: int) -> Floats:
    """Several sums by one index at once. `rows` has the index once for each, `size` places further on each time."""
    count = len(weights)
    joined = np.concatenate(weights)
    return add_up(rows[: len(joined)], joined, count * size).reshape(count, size)


def step_flows(layout: Layout, flows: Flows, found: Conditions, step: float = STEP) -> Passed:
    """Pass one step of so many seconds: the flows are changed, and what happened is returned."""
    components, _, routes, _ = layout.count()
    source, target = layout.call_source, layout.call_target
    of_instance, of_route = layout.instance_component, layout.route_component

    # What callers send, and what does not leave them.
    attempts = flows.owed
    np.multiply(flows.begun[source], flows.made, out=attempts[0])
    sent = attempts[0] + attempts[1] + attempts[2]
    taking = np.minimum(layout.call_deadline, flows.holding[target] + found.delay) + 1e-4
    free = found.pools * step / taking
    whole = 1.0 - found.broken
    has_connection = np.minimum(1.0, free / np.maximum(sent * whole, _TINY))
    usable = whole * has_connection
    found_place = 1.0 - found.stale - found.unresolved
    arriving = (1.0 - found.loss) * found_place * (1.0 - found.distrusted)
    entering = attempts * (
        usable * arriving * (1.0 - found.denied) * (1.0 - found.forbidden) * (1.0 - found.turned_away)
    )
    reached = sent * (usable * arriving)
    not_accepted = reached * found.denied
    not_allowed = reached * ((1.0 - found.denied) * found.forbidden)
    full_up = reached * ((1.0 - found.denied) * (1.0 - found.forbidden) * found.turned_away)

    # What reaches a callee, and how much of it gets done.
    pending = flows.waiting + entering
    pending_calls = pending[0] + pending[1] + pending[2]
    offered = found.offered
    pending_users = flows.users + offered
    entering_calls = entering[0] + entering[1] + entering[2]
    rejected_calls = not_accepted + not_allowed + full_up
    at_route = add_rows(layout.call_target_rows, (entering_calls, pending_calls, rejected_calls), routes)
    new = offered + at_route[0]
    total = pending_users + at_route[1]
    weights_of_mix = total + _TINY
    new_c, total_c, mixed, holding_c, cpu_c = add_rows(
        layout.route_component_rows,
        (new, total, weights_of_mix, weights_of_mix * flows.holding, weights_of_mix * layout.route_cpu),
        components,
    )
    open_c = add_up(of_instance, found.open_, components)
    nobody = open_c <= 0.0
    pull_c = add_up(of_instance, found.pull, components)
    share = found.pull / np.where(nobody, 1.0, pull_c)[of_instance]
    had = flows.queue + new_c[of_instance] * share
    mix = np.maximum(total_c, _TINY)
    mixed = np.maximum(mixed, _TINY)
    holding_c = holding_c / mixed
    cpu_c = cpu_c / mixed * found.work
    rate = np.minimum(
        layout.instance["slots"] * found.speed / np.maximum(holding_c, 1e-9)[of_instance],
        layout.instance["cores"] * found.speed * found.processors / np.maximum(cpu_c, 1e-9)[of_instance],
    )
    capacity = rate * step
    done_i = np.minimum(had, capacity)
    rest = had - done_i
    room = np.minimum(layout.instance["queue"] * found.open_, rate * layout.instance["patience"])
    queue = np.minimum(rest, room)
    over = rest - queue
    full_i = np.minimum(over, np.maximum(0.0, rest - layout.instance["queue"])) * found.open_
    expired_i = (over - full_i) * found.open_
    dropped_i = over * (1.0 - found.open_)
    busy = done_i * np.minimum(1.0, had / np.maximum(capacity, _TINY))
    waiting_time = done_i * np.minimum(queue / np.maximum(rate, 1e-9), 3600.0)
    at_component = add_rows(
        layout.instance_component_rows,
        (done_i, full_i, expired_i, dropped_i, queue, busy, waiting_time),
        components,
    )
    ends_c = at_component[:5]
    ends_c[3] += np.where(nobody, new_c, 0.0)
    ends = (ends_c / mix).take(of_route, axis=1)
    done_c, full_c, expired_c, refused_c, queued_c = ends_c
    done_s, full_s, expired_s, refused_s, queued_s = ends

    # What became of each attempt.
    errors = np.minimum(1.0, layout.route_errors + found.errors[of_route] + found.refusals)
    good_s = (1.0 - errors) * flows.kept
    latency_t = flows.latency.take(target, axis=1) + found.delay
    in_time = 1.0 - share_above(latency_t, layout.call_deadline)
    per_call = pending_calls
    ends_t = ends.take(target, axis=1)
    done_t, good_t = ends_t[0], good_s[target]
    answered = per_call * done_t
    correct = answered * good_t
    succeeded = correct * in_time
    late = 1.0 - in_time
    waiting = pending * ends_t[4]
    failed = np.empty((len(Reason), len(sent)))
    failed[Reason.POOL] = sent * (whole * (1.0 - has_connection))
    failed[Reason.BROKEN] = sent * (found.broken - found.unopened)
    failed[Reason.LOST] = sent * (usable * found_place * found.loss)
    failed[Reason.REFUSED] = per_call * ends_t[3] + sent * (usable * found.stale + found.unopened)
    failed[Reason.FULL] = per_call * ends_t[1] + full_up
    failed[Reason.EXPIRED] = per_call * ends_t[2]
    failed[Reason.LATE] = correct * late
    failed[Reason.ERROR] = answered * (1.0 - good_t)
    failed[Reason.DENIED] = not_accepted
    failed[Reason.FORBIDDEN] = not_allowed
    failed[Reason.UNRESOLVED] = sent * (usable * found.unresolved)
    failed[Reason.UNTRUSTED] = sent * (usable * (1.0 - found.loss) * found_place * found.distrusted)
    # Differences of shares that are equal may come out below nothing, by the rounding of doubles.
    np.maximum(failed, 0.0, out=failed)
    # Shares that are lost are added up, not left over: what is left over of doubles may be less than nothing.
    bad_share = done_s * (1.0 - good_s) + (refused_s + full_s + expired_s)
    lost_share = bad_share[target] + done_t * good_t * late
    lost = (attempts - entering) + pending * lost_share
    again = np.zeros_like(lost)
    np.multiply(lost[:2], found.again, out=again[1:])
    given_up = lost[2] + (lost[0] - again[1]) + (lost[1] - again[2])
    came = sent + (flows.waiting[0] + flows.waiting[1] + flows.waiting[2])
    went = succeeded + (waiting[0] + waiting[1] + waiting[2])
    ledger = max(
        _find_gap(came, went + given_up + again[1] + again[2]),
        _find_gap(came, _sum_rows(failed, went)),
    )
    ledger = max(ledger, _find_gap(total_c, done_c + full_c + expired_c + refused_c + queued_c))
    answered_users = pending_users * (done_s * good_s)
    too_late = np.zeros(routes)
    too_late[layout.entry_route] = share_above(flows.latency.take(layout.entry_route, axis=1), layout.entry_deadline)
    users_good = answered_users * (1.0 - too_late)
    users_failed = pending_users * bad_share + answered_users * too_late

    # What of it the next step finds.
    flows.owed, flows.waiting, flows.users, flows.queue = again, waiting, pending_users * queued_s, queue
    done = total * done_s
    flows.begun = done * (1.0 - errors)
    some = np.maximum(done_c, _TINY)
    load = at_component[5] / some
    waits = np.minimum(at_component[6] / some, layout.component["patience"])
    _keep(layout, flows, succeeded, given_up, found)
    _pass_latencies(layout, flows, found, waits, load, sent, attempts[0], failed, latency_t, step)
    return Passed(
        arrived=new,
        rejected=at_route[2],
        barred=np.zeros(routes),
        done=done,
        good=done * good_s,
        faulty=done * errors,
        computed=done_c * cpu_c,
        refused=total * refused_s,
        full=total * full_s,
        expired=total * expired_s,
        load=load,
        waited=waits,
        sent=sent,
        reached=reached,
        succeeded=succeeded,
        failed=failed,
        given_up=given_up,
        delay=found.delay,
        users_good=users_good,
        users_failed=users_failed,
        ledger=ledger,
    )


def _keep(layout: Layout, flows: Flows, succeeded: Floats, given_up: Floats, found: Conditions) -> None:
    """Which requests got from their calls what they need, and how many calls a request makes in the next step.

    A route makes its calls one after the other, in the order of the system, and none after a required one that failed.
    All calls of one request meet the same pool; apart from that they fail by themselves.
    """
    share = given_up / np.maximum(succeeded + given_up, _TINY)
    broken = found.broken
    whole = np.maximum(1.0 - broken, _TINY)
    others = np.maximum(0.0, share - broken) / whole
    harmed = (broken + whole * np.minimum(1.0, found.weights * others)) * layout.call_required
    whole_again = np.ones(len(harmed) + 1)
    np.subtract(1.0, np.minimum(1.0, harmed), out=whole_again[:-1])
    kept = np.ones(len(layout.route_work))
    reached = np.ones(len(harmed) + 1)
    for column in layout.inputs:
        reached[column] = kept
        kept = kept * whole_again[column]
    flows.kept = kept
    flows.reached = reached[:-1]
    most = np.maximum(1.0, found.weights)
    times = most / (1.0 + (most - 1.0) * share * layout.call_required)
    flows.times = times
    flows.made = flows.reached * np.minimum(1.0, found.weights) * times


def _pass_latencies(
    layout: Layout,
    flows: Flows,
    found: Conditions,
    waits: Floats,
    load: Floats,
    sent: Floats,
    first: Floats,
    failed: Floats,
    latency_t: Floats,
    step: float,
) -> None:
    """Latencies of routes: own work, then each call, all of them as late as each other, then the wait for a slot."""
    of_route = layout.route_component
    calls = np.maximum(sent, _TINY)
    fast = sum_shares(failed, FAST_REASONS, calls)
    slow = np.minimum(sum_shares(failed, _SLOW, calls), 1.0 - fast)
    # What is lost now and then is too rare to be seen between the last two knots, and would be smeared over them.
    slow = np.maximum(0.0, slow - layout.call_loss)
    made = np.minimum(1.0, found.weights) * flows.reached
    tries = np.minimum(1.0 + found.again[0] + found.again[1], np.maximum(1.0, sent / np.maximum(first, _TINY)))
    times = flows.times * np.where(first > _TINY, tries, 1.0)
    bounded = np.minimum(latency_t, layout.call_deadline)
    taken = shift_quantiles(bounded, 1.0 - made * (1.0 - fast), made * slow, layout.call_deadline) * times
    crowded = 0.5 * load * load / np.maximum(1.0 - load, 0.08)
    own = layout.route_work * found.work[of_route]
    latency = own * layout.route_spread
    padded = np.zeros((len(KNOTS), len(sent) + 1))
    padded[:, :-1] = taken
    for column in layout.inputs:
        latency += padded.take(column, axis=1)
    parts = (latency[:-1] + latency[1:]) * _HALVES
    _relax_holding(flows, parts[0] + parts[1] + parts[2] + parts[3], step)
    # Who is crowded waits for a slot and holds none: that would make a full component do less than it can.
    flows.latency = latency + (own * crowded[of_route] + waits[of_route])


def _relax_holding(flows: Flows, mean: Floats, step: float) -> None:
    """Bring the holding time towards the mean of now.

    Slots are held by requests that came some time ago, so the time for which they are held lags behind by about as long
    as it takes. Were it to follow at once, a component that is full would be full in one step and empty in the next.
    """
    rate = step / (HOLDING_SECONDS + np.maximum(mean, flows.holding))
    flows.holding = flows.holding + (mean - flows.holding) * (rate / (1.0 + rate))


def shift_quantiles(values: Floats, lead: Floats, tail: Floats, top: Floats) -> Floats:
    """Quantiles of a mixture: a share `lead` of zeros, then what `values` are quantiles of, then `tail` of `top`."""
    inside = (_AT - lead) / np.maximum(1.0 - lead - tail, _TINY)
    parts = np.minimum(1.0, np.maximum(0.0, (inside[:, None, :] - _BEGINS) / _WIDTHS))
    parts *= values[1:] - values[:-1]
    found = values[0] + parts[:, 0] + parts[:, 1] + parts[:, 2] + parts[:, 3]
    found = np.where(lead > _AT, 0.0, found)
    return np.where((1.0 - tail < _AT) & (tail > 0.0), top, found)


def share_above(latency: Floats, limit: Floats) -> Floats:
    """The share of requests that take longer than a limit, interpolated between the knots."""
    low, high = latency[:-1], latency[1:]
    parts = np.minimum(1.0, np.maximum(0.0, (high - limit) / np.maximum(high - low, 1e-9))) * _WIDTHS[0]
    return np.asarray(np.minimum(1.0, parts[0] + parts[1] + parts[2] + parts[3]))


def sum_shares(failed: Floats, reasons: Sequence[Reason], sent: Floats) -> Floats:
    """The share of what was sent that failed for some reasons, at most 1."""
    total = failed[reasons[0]] + failed[reasons[1]]
    for reason in reasons[2:]:
        total += failed[reason]
    return np.asarray(np.minimum(1.0, total / sent))


def _sum_rows(rows: Floats, first: Floats) -> Floats:
    total = first + 0.0
    for row in rows:
        total += row
    return total


def _find_gap(came: Floats, went: Floats) -> float:
    """The largest difference between what came and what went, in requests."""
    return float(np.abs(came - went).max(initial=0.0))
