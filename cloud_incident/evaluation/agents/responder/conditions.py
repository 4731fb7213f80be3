"""What an engineer knows of the conditions that systems get into: their signs at the place itself, and what mends them.

The signs are words of common software and of the trade. A text that shows them is taken for what it says.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a service.

    `signs` stand in its logs, its state and its owner's notes. `seen` are the classes of trouble that its callers meet
    (`Path.trouble`). With `client` one of its clients does it, whoever shows the signs. `mends` is what is done about
    it, in order: runbook steps, and `undo` (the change), `restart`, `scale` or `clear` (the cause), `holders` (restart
    who was hit).
    """

    said: str
    signs: tuple[str, ...]
    seen: tuple[str, ...]
    mends: tuple[str, ...] = ("undo",)
    client: bool = False


_SLOW = ("slow", "errors", "unreachable")
_LEAST = 2
"""One sign may be chance."""

CONDITIONS = (
    Condition(
        "one client takes nearly all of its connections",
        ("slots in use", "too many connections", "too many clients", "idle"),
        ("unreachable", "errors"),
        ("undo", "terminate_idle_db_sessions"),
        client=True,
    ),
    Condition(
        "one batch client takes what everybody shares, an unbounded query or flood of work",
        (
            "one client",
            "backfill",
            "temporary file",
            "same statement",
            "select *",
        ),
        ("slow", "late"),
        ("undo", "pause_batch_producers", "restart", "terminate_idle_db_sessions"),
        client=True,
    ),
    Condition(
        "a client fills the cache, so that it evicts what others need",
        (
            "maxmemory",
            "keys evicted",
            "allkeys-lru",
        ),
        _SLOW,
        ("undo", "warm_caches"),
        client=True,
    ),
    Condition(
        "a retry storm: repeats without pause amplify its load",
        (
            "same request id",
            "one client",
            "retry storm",
        ),
        _SLOW,
        ("enable_retry_budget", "shed_optional_traffic", "undo"),
        client=True,
    ),
    Condition(
        "one client uses up the rate limit that all share",
        ("quota",),
        ("throttled",),
        ("undo", "switch_third_party_fallback"),
        client=True,
    ),
    Condition(
        "its disk is full, no space left",
        (
            "no space left",
            "watermark",
            "disk full",
            "enospc",
        ),
        ("errors",),
        ("undo", "expand_db_volume", "restart"),
    ),
    Condition(
        "it is in read-only mode",
        (
            "read-only",
            "read only",
        ),
        ("errors",),
        ("undo", "terminate_idle_db_sessions"),
    ),
    Condition(
        "a migration holds a lock that others wait for",
        (
            "exclusivelock",
            "holding the lock",
            "lock wait",
        ),
        _SLOW,
        ("release_migration_locks", "terminate_idle_db_sessions"),
    ),
    Condition(
        "an index is missing since the schema change and queries read whole tables",
        ("access path", "collscan", "seq scan", "full scan", "slow operation"),
        _SLOW,
        ("rebuild_missing_indexes",),
    ),
    Condition(
        "maintenance of its tables, vacuum or compaction, takes its disk time",
        (
            "vacuum",
            "compaction",
            "maintenance",
        ),
        _SLOW,
        ("pause_table_maintenance",),
    ),
    Condition(
        "a stale replica answers: replication lag",
        (
            "replica",
            "replication",
            "promoted",
        ),
        ("stale",),
        ("undo", "pause_batch_producers", "resync_db_replicas"),
    ),
    Condition(
        "a member cannot be scheduled, its volume is in another zone",
        ("volume node affinity", "failedscheduling"),
        _SLOW,
        ("undo", "restart"),
    ),
    Condition(
        "a hot partition takes most of the load",
        (
            "hot partition",
            "hot shard",
        ),
        _SLOW,
        ("shed_optional_traffic", "split_hot_partitions"),
    ),
    Condition(
        "its keys expire at the same time, a cache stampede",
        (
            "expire",
            "avg_ttl",
        ),
        _SLOW,
        ("undo", "enable_retry_budget", "warm_caches"),
    ),
    Condition(
        "a thundering herd of clients reconnects to a cold cache after its restart",
        ("accept queue", "listen backlog", "connection attempts", "reconnect"),
        ("unreachable", "slow"),
        ("enable_retry_budget", "shed_optional_traffic", "warm_caches"),
    ),
    Condition(
        "its cache was filled with outdated entries",
        ("lifetime",),
        ("stale",),
        ("undo", "clear", "warm_caches"),
    ),
    Condition(
        "its roles lost privileges, a revoked grant",
        ("privilege", "permission denied", "grant"),
        ("refused",),
        ("restore_db_grants",),
    ),
    Condition(
        "its role bindings were narrowed and permissions are missing",
        ("bindings", "denied", "rbac"),
        ("refused",),
        ("restore_role_bindings", "holders"),
    ),
    Condition(
        "its certificate has expired",
        (
            "bad certificate",
            "certificate renewal",
            "notafter",
            "x509",
            "certificate has expired",
        ),
        ("refused", "unreachable"),
        ("reissue_tls_certificates", "restart"),
    ),
    Condition(
        "a rotated secret was not published to its holders, which keep stale credentials",
        ("rotation", "leases", "notif"),
        ("refused",),
        ("undo", "trigger_credential_rotation", "holders"),
    ),
    Condition(
        "it signs with a signing key that verifiers do not know",
        ("signing key", "jwks", "kid"),
        ("refused",),
        ("publish_signing_keys", "holders"),
    ),
    Condition(
        "its clock is ahead, clock skew makes its tokens invalid",
        ("chronyd", "ntp", "nbf", "clock skew"),
        ("refused",),
        ("resync_host_clocks", "restart"),
    ),
    Condition(
        "it issues tokens with an audience that resources do not accept",
        ("aud=", "aud ", "audience"),
        ("refused",),
        ("undo", "clear"),
    ),
    Condition(
        "its DNS zone is not loaded, so that names do not resolve",
        ("not loaded", "servfail", "nxdomain"),
        ("unresolved",),
        ("undo", "reload_dns_zones", "flush_dns_resolvers"),
    ),
    Condition(
        "it serves a stale DNS record",
        ("transfer", "serial", "notify"),
        ("unreachable", "stale"),
        ("reload_dns_zones", "flush_dns_resolvers", "holders"),
    ),
    Condition(
        "network policies deny what was allowed",
        ("verdict=drop", "default-deny", "policy"),
        ("unreachable",),
        ("restore_network_policies", "reset_conntrack_tables"),
    ),
    Condition(
        "its routes are no longer advertised",
        ("outbound prefix", "routes advertised", "withdrawn", "bgp: peer"),
        ("unreachable",),
        ("undo", "restore_bgp_routes"),
    ),
    Condition(
        "its NAT has no address translation ports left",
        ("snat", "allocations failed", "port exhaust"),
        ("unreachable",),
        ("widen_nat_pool",),
    ),
    Condition(
        "packets above the MTU of a tunnel are discarded",
        ("with df", "mtu", "fragmentation needed"),
        ("slow", "unreachable"),
        ("restore_link_settings", "holders"),
    ),
    Condition(
        "a bad link loses packets, packet loss",
        (
            "crc",
            "input errors",
        ),
        ("slow", "unreachable"),
        ("rebalance_network_paths", "holders"),
    ),
    Condition(
        "traffic between zones takes a longer path, a network delay",
        ("round trip", "hops"),
        ("slow",),
        ("undo", "rebalance_network_paths"),
    ),
    Condition(
        "its load balancer drains healthy targets",
        ("draining", "deregistration"),
        ("errors",),
        ("undo", "failover_load_balancer"),
    ),
    Condition(
        "its pod subnet has run out of IP addresses",
        ("ipam", "no addresses left", "failedcreatepodsandbox"),
        ("crash",),
        ("extend_pod_subnet", "holders"),
    ),
    Condition(
        "the registry pull secret is gone and images cannot be pulled",
        ("pull image", "image pull", "imagepullbackoff", "errimagepull"),
        ("crash",),
        ("restore_registry_credentials", "holders"),
    ),
    Condition(
        "its nodes are under disk pressure and pods are evicted",
        ("low on resource", "eviction manager", "diskpressure"),
        ("crash",),
        ("cordon_unhealthy_nodes", "reclaim_node_disk", "holders"),
    ),
    Condition(
        "its admission webhook is down and pods cannot be created",
        ("failed calling webhook", "failurepolicy"),
        ("crash",),
        ("restore_admission_webhooks", "holders"),
    ),
    Condition(
        "its API server is overloaded and endpoints are out of date",
        ("priority and fairness", "list url", "endpoint slices"),
        ("unreachable",),
        ("undo", "restart", "holders"),
    ),
    Condition(
        "configuration drift: it pushed a wrong configuration to its subscribers",
        ("drift",),
        ("errors",),
        ("undo", "resync_config_snapshot", "holders"),
    ),
    Condition(
        "a memory leak fills its heap and garbage collection takes its time",
        (
            "full collection",
            "pause full",
        ),
        ("slow", "crash"),
        ("restart",),
    ),
    Condition(
        "it is killed, out of memory",
        (
            "status 137",
            "oomkilled",
            "out of memory",
        ),
        ("crash",),
        ("undo", "warm_caches"),
    ),
    Condition(
        "its thread pool is exhausted, tasks wait for tasks behind them",
        ("executor", "parked", "threads busy"),
        _SLOW,
        ("shed_optional_traffic", "undo", "restart"),
    ),
    Condition(
        "its connection pool is exhausted by leaked connections",
        ("no connection within", "pool exhausted"),
        _SLOW,
        ("undo", "terminate_idle_db_sessions"),
    ),
    Condition(
        "it has no file descriptors left",
        ("too many open files", "nofile", "emfile"),
        ("unreachable", "slow"),
        ("undo",),
    ),
    Condition(
        "it has no ephemeral ports left",
        ("cannot assign requested address", "time_wait"),
        ("errors", "unreachable"),
        ("scale", "undo"),
    ),
    Condition(
        "a regular expression that backtracks takes its CPU",
        ("backtrack", "re_match", "matcher", "nfa"),
        _SLOW,
        ("undo", "restart"),
    ),
    Condition(
        "verbose logging fills its log volume and writers wait",
        (
            "log rotation",
            "log directory",
            "appender",
        ),
        _SLOW,
        ("undo", "reclaim_node_disk"),
    ),
    Condition(
        "a bad release answers with errors, a code regression",
        ("unhandled", "exception", "traceback", "panic:", "keyerror", "typeerror"),
        ("errors",),
        ("undo",),
    ),
    Condition(
        "a feature flag switched on a branch that fails",
        ("=on", "flag "),
        ("errors",),
        ("undo",),
    ),
    Condition(
        "its release and the schema of its store differ, schema drift",
        ("in schema", "no such column", "unknown column"),
        ("errors",),
        ("undo", "restart"),
    ),
    Condition(
        "its new version lacks a required environment variable and crash loops at start",
        ("is unset", "required variable", "environment variable", "back-off"),
        ("crash",),
        ("undo", "restart"),
    ),
    Condition(
        "its health probes restart instances that are well",
        ("healthz", "sigterm", "probe"),
        ("crash",),
        ("restore_probe_settings",),
    ),
    Condition(
        "a poison message blocks the head of its queue",
        (
            "acknowledged",
            "redeliver",
        ),
        ("late",),
        ("move_poison_messages", "drain_message_backlog"),
    ),
    Condition(
        "its consumer group rebalances again and again",
        ("rebalance", "heartbeat expired"),
        ("late",),
        ("undo", "rebalance_consumer_groups", "drain_message_backlog"),
    ),
    Condition(
        "its dead-letter queue is full",
        ("dlq", "max-length", "dead-letter"),
        ("late",),
        ("purge_dead_letters", "drain_message_backlog"),
    ),
    Condition(
        "its consumer handles messages more slowly than they arrive",
        ("batch of", "commit"),
        ("late",),
        ("undo", "drain_message_backlog"),
    ),
    Condition(
        "load shedding turns the wrong traffic away",
        (
            "admission",
            "shed",
        ),
        ("throttled",),
        ("undo",),
    ),
    Condition(
        "its rate limit has a wrong unit",
        ("limiter", "refill", "bucket"),
        ("throttled",),
        ("restore_resource_limits", "restart"),
    ),
    Condition(
        "a rule of its web application firewall (WAF) blocks users",
        ("action: block", "rule set"),
        ("throttled",),
        ("revert_waf_rules",),
    ),
    Condition(
        "bot traffic takes its capacity",
        ("fingerprint", "user agent", "crawler"),
        _SLOW,
        ("enable_bot_protection",),
    ),
    Condition(
        "a flood of repeated webhook deliveries takes its capacity",
        ("delivery id", "x-attempt"),
        _SLOW,
        ("shed_optional_traffic", "scale"),
    ),
    Condition(
        "the third party has a vendor outage",
        ("status page",),
        ("errors", "slow"),
        ("switch_third_party_fallback",),
    ),
    Condition(
        "its CPU limit is too low, CPU throttling",
        (
            "cpu limit",
            "throttl",
        ),
        _SLOW,
        ("restore_resource_limits", "restart"),
    ),
    Condition(
        "its autoscaler is capped below what the load needs",
        ("scalinglimited", "toomanyreplicas", "autoscaler"),
        _SLOW,
        ("raise_autoscaler_ceiling", "scale"),
    ),
    Condition(
        "its traffic split sends requests to a canary without instances",
        ("canary", "traffic split"),
        ("errors",),
        ("undo",),
    ),
)
"""What is wrong where it is wrong."""

ALARMS = (
    Condition("a false alarm: planned maintenance", ("maintenance",), (), ("extend_maintenance_silence",)),
    Condition(
        "a false alarm: it has recovered already", ("has passed", "checks pass"), (), ("resolve_recovered_alerts",)
    ),
    Condition("a false alarm: a flapping alert", ("alert changed state",), (), ("tune_alert_thresholds",)),
    Condition("a false alarm: noisy but healthy", ("objectives met",), (), ("tune_alert_thresholds",)),
    Condition(
        "a false alarm: the synthetic check fails by itself", ("probe", "checks"), (), ("repair_synthetic_checks",)
    ),
)
"""Why something alerts that is well."""


def condition_in(text: str, trouble: str = "") -> Condition | None:
    """The condition that a text shows most signs of, of those whose callers meet this class of trouble.

    One sign alone may be chance and is none.
    """
    lowered = text.casefold()
    fitting = [one for one in CONDITIONS if not trouble or trouble in one.seen]
    counted = [(sum(map(lowered.count, one.signs)), one) for one in fitting]
    most, found = max(counted, key=lambda one: one[0], default=(0, None))
    return found if most >= _LEAST else None


def alarm_in(text: str) -> Condition | None:
    """The reason that a text gives for an alert without an incident."""
    lowered = text.casefold()
    return next((one for one in ALARMS if any(sign in lowered for sign in one.signs)), None)
