"""What an engineer knows about the conditions of services: the signs that a service shows itself, and what mends them.

The signs are words of common software and of the profession.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownCondition:
    """A condition of a service, and what shows it.

    `description` is prose. `signs` are words in its logs, its state and its owner's notes. `seen` are the classes of
    trouble that its callers meet (`ObservedPath.trouble`). With `client` a client causes it, whichever service shows
    the signs. `mends` lists what is done about it, in order: runbook steps, and `undo` (the change), `restart`, `scale`
    or `clear` (the cause), `holders` (restart the services that were hit).
    """

    description: str
    signs: tuple[str, ...]
    seen: tuple[str, ...]
    mends: tuple[str, ...] = ("undo",)
    client: bool = False


_SLOW = ("slow", "errors", "unreachable")
_LEAST = 2
"""Signs that a text must show: a single sign may be chance."""

CONDITIONS = (
    KnownCondition(
        "one client takes nearly all of its connections",
        ("slots in use", "too many connections", "too many clients", "idle"),
        ("unreachable", "errors"),
        ("undo", "terminate_idle_db_sessions"),
        client=True,
    ),
    KnownCondition(
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
    KnownCondition(
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
    KnownCondition(
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
    KnownCondition(
        "one client uses up the rate limit that all share",
        ("quota",),
        ("throttled",),
        ("undo", "switch_third_party_fallback"),
        client=True,
    ),
    KnownCondition(
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
    KnownCondition(
        "it is in read-only mode",
        (
            "read-only",
            "read only",
        ),
        ("errors",),
        ("undo", "terminate_idle_db_sessions"),
    ),
    KnownCondition(
        "a migration holds a lock that others wait for",
        (
            "exclusivelock",
            "holding the lock",
            "lock wait",
        ),
        _SLOW,
        ("release_migration_locks", "terminate_idle_db_sessions"),
    ),
    KnownCondition(
        "an index is missing since the schema change and queries read whole tables",
        ("access path", "collscan", "seq scan", "full scan", "slow operation"),
        _SLOW,
        ("rebuild_missing_indexes",),
    ),
    KnownCondition(
        "maintenance of its tables, vacuum or compaction, takes its disk time",
        (
            "vacuum",
            "compaction",
            "maintenance",
        ),
        _SLOW,
        ("pause_table_maintenance",),
    ),
    KnownCondition(
        "a stale replica answers: replication lag",
        (
            "replica",
            "replication",
            "promoted",
        ),
        ("stale",),
        ("undo", "pause_batch_producers", "resync_db_replicas"),
    ),
    KnownCondition(
        "a member cannot be scheduled, its volume is in another zone",
        ("volume node affinity", "failedscheduling"),
        _SLOW,
        ("undo", "restart"),
    ),
    KnownCondition(
        "a hot partition takes most of the load",
        (
            "hot partition",
            "hot shard",
        ),
        _SLOW,
        ("shed_optional_traffic", "split_hot_partitions"),
    ),
    KnownCondition(
        "its keys expire at the same time, a cache stampede",
        (
            "expire",
            "avg_ttl",
        ),
        _SLOW,
        ("undo", "enable_retry_budget", "warm_caches"),
    ),
    KnownCondition(
        "a thundering herd of clients reconnects to a cold cache after its restart",
        ("accept queue", "listen backlog", "connection attempts", "reconnect"),
        ("unreachable", "slow"),
        ("enable_retry_budget", "shed_optional_traffic", "warm_caches"),
    ),
    KnownCondition(
        "its cache was filled with outdated entries",
        ("lifetime",),
        ("stale",),
        ("undo", "clear", "warm_caches"),
    ),
    KnownCondition(
        "its roles lost privileges, a revoked grant",
        ("privilege", "permission denied", "grant"),
        ("refused",),
        ("restore_db_grants",),
    ),
    KnownCondition(
        "its role bindings were narrowed and permissions are missing",
        ("bindings", "denied", "rbac"),
        ("refused",),
        ("restore_role_bindings", "holders"),
    ),
    KnownCondition(
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
    KnownCondition(
        "a rotated secret was not published to its holders, which keep stale credentials",
        ("rotation", "leases", "notif"),
        ("refused",),
        ("undo", "trigger_credential_rotation", "holders"),
    ),
    KnownCondition(
        "it signs with a signing key that verifiers do not know",
        ("signing key", "jwks", "kid"),
        ("refused",),
        ("publish_signing_keys", "holders"),
    ),
    KnownCondition(
        "its clock is ahead, clock skew makes its tokens invalid",
        ("chronyd", "ntp", "nbf", "clock skew"),
        ("refused",),
        ("resync_host_clocks", "restart"),
    ),
    KnownCondition(
        "it issues tokens with an audience that resources do not accept",
        ("aud=", "aud ", "audience"),
        ("refused",),
        ("undo", "clear"),
    ),
    KnownCondition(
        "its DNS zone is not loaded, so that names do not resolve",
        ("not loaded", "servfail", "nxdomain"),
        ("unresolved",),
        ("undo", "reload_dns_zones", "flush_dns_resolvers"),
    ),
    KnownCondition(
        "it serves a stale DNS record",
        ("transfer", "serial", "notify"),
        ("unreachable", "stale"),
        ("reload_dns_zones", "flush_dns_resolvers", "holders"),
    ),
    KnownCondition(
        "network policies deny what was allowed",
        ("verdict=drop", "default-deny", "policy"),
        ("unreachable",),
        ("restore_network_policies", "reset_conntrack_tables"),
    ),
    KnownCondition(
        "its routes are no longer advertised",
        ("outbound prefix", "routes advertised", "withdrawn", "bgp: peer"),
        ("unreachable",),
        ("undo", "restore_bgp_routes"),
    ),
    KnownCondition(
        "its NAT has no address translation ports left",
        ("snat", "allocations failed", "port exhaust"),
        ("unreachable",),
        ("widen_nat_pool",),
    ),
    KnownCondition(
        "packets above the MTU of a tunnel are discarded",
        ("with df", "mtu", "fragmentation needed"),
        ("slow", "unreachable"),
        ("restore_link_settings", "holders"),
    ),
    KnownCondition(
        "a bad link loses packets, packet loss",
        (
            "crc",
            "input errors",
        ),
        ("slow", "unreachable"),
        ("rebalance_network_paths", "holders"),
    ),
    KnownCondition(
        "traffic between zones takes a longer path, a network delay",
        ("round trip", "hops"),
        ("slow",),
        ("undo", "rebalance_network_paths"),
    ),
    KnownCondition(
        "its load balancer drains healthy targets",
        ("draining", "deregistration"),
        ("errors",),
        ("undo", "failover_load_balancer"),
    ),
    KnownCondition(
        "its pod subnet has run out of IP addresses",
        ("ipam", "no addresses left", "failedcreatepodsandbox"),
        ("crash",),
        ("extend_pod_subnet", "holders"),
    ),
    KnownCondition(
        "the registry pull secret is gone and images cannot be pulled",
        ("pull image", "image pull", "imagepullbackoff", "errimagepull"),
        ("crash",),
        ("restore_registry_credentials", "holders"),
    ),
    KnownCondition(
        "its nodes are under disk pressure and pods are evicted",
        ("low on resource", "eviction manager", "diskpressure"),
        ("crash",),
        ("cordon_unhealthy_nodes", "reclaim_node_disk", "holders"),
    ),
    KnownCondition(
        "its admission webhook is down and pods cannot be created",
        ("failed calling webhook", "failurepolicy"),
        ("crash",),
        ("restore_admission_webhooks", "holders"),
    ),
    KnownCondition(
        "its API server is overloaded and endpoints are out of date",
        ("priority and fairness", "list url", "endpoint slices"),
        ("unreachable",),
        ("undo", "restart", "holders"),
    ),
    KnownCondition(
        "configuration drift: it pushed a wrong configuration to its subscribers",
        ("drift",),
        ("errors",),
        ("undo", "resync_config_snapshot", "holders"),
    ),
    KnownCondition(
        "a memory leak fills its heap and garbage collection takes its time",
        (
            "full collection",
            "pause full",
        ),
        ("slow", "crash"),
        ("restart",),
    ),
    KnownCondition(
        "it is killed, out of memory",
        (
            "status 137",
            "oomkilled",
            "out of memory",
        ),
        ("crash",),
        ("undo", "warm_caches"),
    ),
    KnownCondition(
        "its thread pool is exhausted, tasks wait for tasks behind them",
        ("executor", "parked", "threads busy"),
        _SLOW,
        ("shed_optional_traffic", "undo", "restart"),
    ),
    KnownCondition(
        "its connection pool is exhausted by leaked connections",
        ("no connection within", "pool exhausted"),
        _SLOW,
        ("undo", "terminate_idle_db_sessions"),
    ),
    KnownCondition(
        "it has no file descriptors left",
        ("too many open files", "nofile", "emfile"),
        ("unreachable", "slow"),
        ("undo",),
    ),
    KnownCondition(
        "it has no ephemeral ports left",
        ("cannot assign requested address", "time_wait"),
        ("errors", "unreachable"),
        ("scale", "undo"),
    ),
    KnownCondition(
        "a regular expression that backtracks takes its CPU",
        ("backtrack", "re_match", "matcher", "nfa"),
        _SLOW,
        ("undo", "restart"),
    ),
    KnownCondition(
        "verbose logging fills its log volume and writers wait",
        (
            "log rotation",
            "log directory",
            "appender",
        ),
        _SLOW,
        ("undo", "reclaim_node_disk"),
    ),
    KnownCondition(
        "a bad release answers with errors, a code regression",
        ("unhandled", "exception", "traceback", "panic:", "keyerror", "typeerror"),
        ("errors",),
        ("undo",),
    ),
    KnownCondition(
        "a feature flag switched on a branch that fails",
        ("=on", "flag "),
        ("errors",),
        ("undo",),
    ),
    KnownCondition(
        "its release and the schema of its store differ, schema drift",
        ("in schema", "no such column", "unknown column"),
        ("errors",),
        ("undo", "restart"),
    ),
    KnownCondition(
        "its new version lacks a required environment variable and crash loops at start",
        ("is unset", "required variable", "environment variable", "back-off"),
        ("crash",),
        ("undo", "restart"),
    ),
    KnownCondition(
        "its health probes restart instances that are well",
        ("healthz", "sigterm", "probe"),
        ("crash",),
        ("restore_probe_settings",),
    ),
    KnownCondition(
        "a poison message blocks the head of its queue",
        (
            "acknowledged",
            "redeliver",
        ),
        ("late",),
        ("move_poison_messages", "drain_message_backlog"),
    ),
    KnownCondition(
        "its consumer group rebalances again and again",
        ("rebalance", "heartbeat expired"),
        ("late",),
        ("undo", "rebalance_consumer_groups", "drain_message_backlog"),
    ),
    KnownCondition(
        "its dead-letter queue is full",
        ("dlq", "max-length", "dead-letter"),
        ("late",),
        ("purge_dead_letters", "drain_message_backlog"),
    ),
    KnownCondition(
        "its consumer handles messages more slowly than they arrive",
        ("batch of", "commit"),
        ("late",),
        ("undo", "drain_message_backlog"),
    ),
    KnownCondition(
        "load shedding turns the wrong traffic away",
        (
            "admission",
            "shed",
        ),
        ("throttled",),
        ("undo",),
    ),
    KnownCondition(
        "its rate limit has a wrong unit",
        ("limiter", "refill", "bucket"),
        ("throttled",),
        ("restore_resource_limits", "restart"),
    ),
    KnownCondition(
        "a rule of its web application firewall (WAF) blocks users",
        ("action: block", "rule set"),
        ("throttled",),
        ("revert_waf_rules",),
    ),
    KnownCondition(
        "bot traffic takes its capacity",
        ("fingerprint", "user agent", "crawler"),
        _SLOW,
        ("enable_bot_protection",),
    ),
    KnownCondition(
        "a flood of repeated webhook deliveries takes its capacity",
        ("delivery id", "x-attempt"),
        _SLOW,
        ("shed_optional_traffic", "scale"),
    ),
    KnownCondition(
        "the third party has a vendor outage",
        ("status page",),
        ("errors", "slow"),
        ("switch_third_party_fallback",),
    ),
    KnownCondition(
        "its CPU limit is too low, CPU throttling",
        (
            "cpu limit",
            "throttl",
        ),
        _SLOW,
        ("restore_resource_limits", "restart"),
    ),
    KnownCondition(
        "its autoscaler is capped below what the load needs",
        ("scalinglimited", "toomanyreplicas", "autoscaler"),
        _SLOW,
        ("raise_autoscaler_ceiling", "scale"),
    ),
    KnownCondition(
        "its traffic split sends requests to a canary without instances",
        ("canary", "traffic split"),
        ("errors",),
        ("undo",),
    ),
)
"""The conditions of services in an incident."""

ALARMS = (
    KnownCondition("a false alarm: planned maintenance", ("maintenance",), (), ("extend_maintenance_silence",)),
    KnownCondition(
        "a false alarm: it has recovered already", ("has passed", "checks pass"), (), ("resolve_recovered_alerts",)
    ),
    KnownCondition("a false alarm: a flapping alert", ("alert changed state",), (), ("tune_alert_thresholds",)),
    KnownCondition("a false alarm: noisy but healthy", ("objectives met",), (), ("tune_alert_thresholds",)),
    KnownCondition(
        "a false alarm: the synthetic check fails by itself", ("probe", "checks"), (), ("repair_synthetic_checks",)
    ),
)
"""The reasons for an alert without an incident."""


def find_condition(text: str, trouble: str = "") -> KnownCondition | None:
    """Find the condition that a text shows the most signs of, two at least; None if there is none.

    With a class of `trouble`, only conditions whose callers meet this class are considered.
    """
    lowered = text.casefold()
    fitting = [condition for condition in CONDITIONS if not trouble or trouble in condition.seen]
    counted = [(sum(map(lowered.count, condition.signs)), condition) for condition in fitting]
    most, found = max(counted, key=lambda pair: pair[0], default=(0, None))
    return found if most >= _LEAST else None


def find_alarm(text: str) -> KnownCondition | None:
    """Find the reason that a text gives for an alert without an incident; None if it gives none."""
    lowered = text.casefold()
    return next((alarm for alarm in ALARMS if any(sign in lowered for sign in alarm.signs)), None)
