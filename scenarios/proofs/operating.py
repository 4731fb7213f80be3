"""Which operations a search tries: those that touch what differs from the system without the fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.standing import RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.world import Run
    from scenarios.world.layout import Floats, Indices

Deed = tuple[str, str]
"""An operation and its target."""

LOSES_MESSAGES = "purge_queue"
"""The operation after which messages are lost for good."""
_BUSY = 0.85
"""The load from which more room helps."""
_MUCH = 1.2
"""A load that is so many times the usual one."""


def list_deeds(struck: Run, spared: Run) -> tuple[Deed, ...]:
    """The operations that touch what differs between two runs of one system at one moment: with a fault and without.

    The set that a search covers: an operation that only makes users suffer otherwise is not in it.
    """
    return tuple(dict.fromkeys(_find_deeds(struck, spared)))


def _find_deeds(struck: Run, spared: Run) -> Iterator[Deed]:
    layout, state, healthy = struck.layout, struck.state, spared.state
    names = layout.component_names
    own = layout.instance_component

    def name(places: Indices) -> list[str]:
        return [names[place] for place in sorted(set(places.tolist()))]

    def differ(one: Floats, other: Floats, least: float = 1e-9) -> Indices:
        return np.nonzero(np.abs(one - other) > least)[0]

    released = name(own[np.nonzero(state.release != healthy.release)[0]])
    yield from (("rollback_deploy", each) for each in released)
    stopped = np.nonzero((state.phase == RUNNING) != (healthy.phase == RUNNING))[0]
    leaking = differ(state.leaked, healthy.leaked, 8.0)
    dead = layout.link_instance[differ(state.usable, healthy.usable, 0.02)]
    yield from (("restart_service", each) for each in name(own[np.concatenate([stopped, leaking, dead])]))
    accepted = differ(state.credentials.accepted, healthy.credentials.accepted)
    issued = differ(state.credentials.issued, healthy.credentials.issued)
    for each in name(np.concatenate([accepted, issued])):
        yield from (("publish_secret", each), ("rotate_secret", each))
    holders = layout.link_instance[
        np.nonzero(state.credentials.held != state.credentials.accepted[state.credentials.callee])
    ]
    yield from (("restart_service", each) for each in name(own[holders]))
    barred = np.concatenate([differ(state.denied, healthy.denied), differ(state.loss, healthy.loss)])
    yield from (("revert_policy", each) for each in name(layout.call_component[barred]))
    yield from (("stop_shedding", each) for each in name(differ(state.shed, healthy.shed)))
    yield from _find_settings(struck, spared)
    yield from _find_jobs(struck, spared)
    yield from _find_paths(struck, spared)
    yield from _find_clients(struck, spared)
    if struck.state.passed is not None and spared.state.passed is not None:
        load, usual = struck.state.passed.load, spared.state.passed.load
        strained = name(np.nonzero((load > _BUSY) & (load > _MUCH * usual))[0])
        for each in strained:
            kernel = layout.components[names.index(each)].kind.kernel
            if kernel == "server":
                yield from (("scale_service", each), ("raise_slots", each))
    limits = name(differ(state.memory_limit, healthy.memory_limit))
    yield from (("raise_memory", each) for each in limits)


def _find_settings(struck: Run, spared: Run) -> Iterator[Deed]:
    layout, state, healthy = struck.layout, struck.state, spared.state
    names = layout.component_names
    own = layout.instance_component

    def name(*parts: tuple[Floats, Floats]) -> list[str]:
        places = [place for struck_, spared_ in parts for place in np.nonzero(np.abs(struck_ - spared_) > 1e-9)[0]]
        return [names[place] for place in sorted({int(place) for place in places})]

    blocked = np.zeros(len(names))
    blocked[layout.route_component[layout.journey_entry]] += state.blocked != healthy.blocked
    yield from (
        ("revert_config", each)
        for each in name(
            (state.cores, healthy.cores),
            (state.shed, healthy.shed),
            (state.together, healthy.together),
            (state.addresses.unanswered, healthy.addresses.unanswered),
            (blocked, np.zeros(len(names))),
        )
    )
    finds, known = state.caches.finds, healthy.caches.finds
    yield from (("warm_cache", names[each]) for each in sorted(set(own[finds < 0.9 * known].tolist())))
    yield from (("reissue_certificate", each) for each in name((state.expired, healthy.expired)))
    yield from (("rebuild_indexes", each) for each in name((state.scans, healthy.scans)))
    yield from (("spread_partitions", each) for each in name((state.skew, healthy.skew)))
    for each in name((state.errors, healthy.errors), (state.shed, healthy.shed)):
        if layout.components[names.index(each)].software == "third-party":
            yield from (("switch_provider", each), ("raise_quota", each))
    moved = state.addresses.told != state.addresses.moves
    yield from (("flush_resolver", names[each]) for each in sorted(set(state.addresses.resolver[moved].tolist())))
    standing = sorted(set(state.queues.lane_topic[state.queues.stands].tolist()))
    yield from (("skip_message", layout.topic_names[each]) for each in standing)
    backlog, usual = state.queues.find_backlog(), healthy.queues.find_backlog()
    behind = state.queues.group_topic[backlog > 2.0 * usual + 100.0]
    yield from ((LOSES_MESSAGES, layout.topic_names[each]) for each in sorted(set(behind.tolist())))
    gone = sorted(set(own[healthy.wanted & ~state.wanted].tolist()))
    yield from (("scale_service", names[each]) for each in gone)
    full = sorted(set(own[state.disks.is_full()].tolist()))
    for place in full:
        yield from (("expand_volume", names[place]), ("clean_disk", names[place]))


def _find_jobs(struck: Run, spared: Run) -> Iterator[Deed]:
    names = struck.layout.component_names
    known = {(job.component, job.job.name) for job in spared.state.jobs if job.since is not None}
    for job in struck.state.jobs:
        if (job.component, job.job.name) in known or (job.since is None and job.held == 0.0 and not job.planned):
            continue
        if job.since is None and job.next_at > struck.time + 3600.0:
            continue
        yield ("pause_job", job.job.name)
        yield ("cancel_sessions", names[job.store])
        yield ("disable_feature_flag", job.job.flag)
        yield ("restart_service", names[job.component])


def _find_paths(struck: Run, spared: Run) -> Iterator[Deed]:
    paths, usual = struck.state.paths, spared.state.paths
    names = struck.layout.component_names
    for router, system, begin, end in paths.routers:
        place = (system, begin, end)
        if paths.loss[place] != usual.loss[place] or paths.latency[place] != usual.latency[place]:
            yield ("restore_routes", names[router])


def _find_clients(struck: Run, spared: Run) -> Iterator[Deed]:
    state, healthy = struck.state, spared.state
    journeys = [journey for system in struck.layout.systems for journey in system.journeys]
    for place, journey in enumerate(journeys):
        if state.blocked[place] != healthy.blocked[place]:
            yield ("unblock_client", journey.name)
        if abs(state.demand[place] - healthy.demand[place]) > 0.2 and journey.worth == 0.0:
            yield ("block_client", journey.name)
