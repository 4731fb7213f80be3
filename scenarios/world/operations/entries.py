"""What operations leave in the change log: by event, a text with {…} for its details."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTRIES: Mapping[str, str] = {
    "scale_service": "Scaled from {before} to {after} instances.",
    "scale_service_refused": "Not scaled: {before} instances, and there is room for {most} at most.",
    "scale_service_unchanged": "Not scaled: there are {before} instances already.",
    "fail_over": "Standby promoted, the former primary taken out.",
    "fail_over_refused": "Not carried out: there is no standby.",
    "clear_cache": "All entries deleted.",
    "clear_cache_empty": "Nothing to delete.",
    "warm_cache": "Filled from the copy of last night.",
    "warm_cache_refused": "Not carried out: there is no cache that runs.",
    "cordon_zone": "Zone {zone} takes no new instances.",
    "uncordon_zone": "Zone {zone} takes new instances again.",
    "restore_routes": "Saved routes loaded again; {changed} were different.",
    "restore_routes_refused": "Not carried out: the process does not run.",
    "raise_memory": "Memory limit at {factor:g} times its size, rolling restart.",
    "raise_memory_refused": "Not raised: memory limit is at its most ({factor:g} times).",
    "raise_connections": "Limit of connections at {factor:g} times its size, rolling restart.",
    "raise_connections_refused": "Not raised: limit of connections is at its most ({factor:g} times).",
    "raise_slots": "Workers at {factor:g} times their number, rolling restart.",
    "raise_slots_refused": "Not raised: workers are at their most ({factor:g} times).",
    "block_client": "Requests of {client} are refused.",
    "unblock_client": "Requests of {client} are let in.",
    "shed_load": "A share of {share:g} of all requests is turned away.",
    "stop_shedding": "No request is turned away to shed load.",
    "pause_job": "{job} paused: no new run begins.",
    "resume_job": "{job} resumed.",
    "cancel_sessions": "Sessions of jobs ended.",
    "rotate_secret": "New secret (version {version}); callers read it when they start.",
    "publish_secret": "Secret that is accepted (version {version}) handed out; callers read it when they start.",
    "revert_policy": "Access policy as before; {changed} rules were different.",
    "flush_resolver": "Cached answers dropped; {changed} of them were out of date.",
    "skip_message": "{messages} messages at the head of halted partitions skipped.",
    "purge_queue": "{messages} messages dropped.",
    "expand_volume": "Volume made half as large again.",
    "expand_volume_refused": "Not expanded: no larger volume to be had, or there is none.",
    "revert_config": "Settings of before loaded; {changed} were different.",
    "revert_config_unchanged": "Settings of before loaded; none was different.",
    "reissue_certificate": "New certificate issued and loaded.",
    "rebuild_indexes": "Missing indexes created.",
    "rebuild_indexes_unchanged": "No index of the schema is missing.",
    "spread_partitions": "Busiest partitions divided between the members.",
    "spread_partitions_refused": "Not carried out: there is no other member.",
    "switch_provider": "Requests go to the second provider.",
    "switch_provider_refused": "Not carried out: there is no other provider of this.",
    "raise_quota": "Limit of our requests raised by the partner.",
    "raise_quota_refused": "Not carried out: nobody outside sets a limit for this.",
    "clean_disk": "{megabytes} MB of old files deleted.",
}
