"""A small market in which every family of faults can strike something, and what mends each of them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.scenarios.world.small import build

if TYPE_CHECKING:
    from scenarios.world import System

Deed = tuple[str, str] | tuple[str, str, int]


class Case(NamedTuple):
    """The component that a family strikes here, and operations of an engineer that mend it, two minutes apart."""

    component: str
    deeds: tuple[Deed, ...]


CASES: dict[str, Case] = {
    "autoscaler-capped": Case("shop", (("scale_service", "shop", 4),)),
    "backfill-starves-foreground": Case("shop", (("pause_job", "{job}"), ("cancel_sessions", "orders-db"))),
    "bad-release": Case("shop", (("rollback_deploy", "shop"),)),
    "bot-traffic": Case("gateway", (("block_client", "feed"),)),
    "cache-stampede": Case("catalog-cache", (("revert_config", "catalog-cache"), ("warm_cache", "catalog-cache"))),
    "connection-pool-exhaustion": Case("shop", (("rollback_deploy", "shop"),)),
    "cpu-throttling": Case("shop", (("revert_config", "shop"),)),
    "database-connections-taken": Case("shop", (("pause_job", "{job}"), ("cancel_sessions", "orders-db"))),
    "disk-full": Case("orders-db", (("expand_volume", "orders-db"),)),
    "dns-failure": Case("names", (("revert_config", "names"),)),
    "eviction-storm": Case(
        "catalog", (("pause_job", "{job}"), ("cancel_sessions", "catalog-cache"), ("warm_cache", "catalog-cache"))
    ),
    "expired-certificate": Case("catalog", (("reissue_certificate", "catalog"),)),
    "hot-partition": Case("bus", (("spread_partitions", "bus"),)),
    "latent-feature-flag": Case("shop", (("disable_feature_flag", "{flag}"),)),
    "memory-leak": Case("shop", (("rollback_deploy", "shop"),)),
    "mesh-authorisation-narrowed": Case("catalog", (("revert_policy", "catalog"),)),
    "migration-lock": Case("shop", (("pause_job", "{job}"), ("cancel_sessions", "orders-db"))),
    "missing-index": Case("orders-db", (("rebuild_indexes", "orders-db"),)),
    "network-policy-denies": Case("orders-db", (("revert_policy", "orders-db"),)),
    "node-pressure-eviction": Case("shop", (("scale_service", "shop", 4),)),
    "oversized-cache-heap": Case("shop", (("rollback_deploy", "shop"),)),
    "packet-loss": Case("core-router", (("restore_routes", "core-router"),)),
    "poison-message": Case("bus", (("skip_message", "orders-placed"),)),
    "producer-flood": Case("shop", (("rollback_deploy", "shop"), ("purge_queue", "orders-placed"))),
    "regex-backtracking": Case("shop", (("rollback_deploy", "shop"),)),
    "retry-storm": Case("gateway", (("rollback_deploy", "gateway"),)),
    "revoked-grant": Case("orders-db", (("revert_policy", "orders-db"),)),
    "route-withdrawal": Case("core-router", (("restore_routes", "core-router"),)),
    "slow-consumer": Case("mailer", (("rollback_deploy", "mailer"), ("purge_queue", "orders-placed"))),
    "stale-dns-record": Case("names", (("flush_resolver", "names"),)),
    "stale-secret-push": Case(
        "catalog", (("publish_secret", "catalog"), ("restart_service", "shop"), ("restart_service", "gateway"))
    ),
    "synthetic-check-failure": Case("gateway", (("unblock_client", "probe"),)),
    "third-party-outage": Case("acquirer", (("switch_provider", "acquirer"),)),
    "third-party-rate-limit": Case("acquirer", (("raise_quota", "acquirer"),)),
    "thread-pool-exhaustion": Case("shop", (("rollback_deploy", "shop"),)),
    "unbounded-export": Case(
        "shop",
        (
            ("disable_feature_flag", "{flag}"),
            ("restart_service", "shop"),
            ("restart_service", "orders-db"),
        ),
    ),
    "waf-rule": Case("gateway", (("revert_config", "gateway"),)),
    "wrong-load-shedding": Case("catalog", (("stop_shedding", "catalog"),)),
    "wrong-unit-in-limit": Case("catalog", (("revert_config", "catalog"),)),
    "zone-delay": Case("core-router", (("restore_routes", "core-router"),)),
}


def build_market(**others: Any) -> System:
    """The market, healthy and with a normal load."""
    calls = [
        _call("gateway/browse", "catalog/list", 1.5, 40),
        _call("gateway/order", "shop/buy", 4.0, 40),
        _call("gateway/feed", "catalog/list", 2.0, 40),
        _call("shop/buy", "catalog/list", 1.0, 10),
        _call("shop/buy", "acquirer/pay", 2.0, 20),
        _call("shop/buy", "orders-db/write", 1.0, 15),
        _call("shop/buy", "bus/publish", 1.0, 10),
        _call("catalog/list", "catalog-cache/get", 0.3, 20),
        {**_call("catalog/list", "catalog-db/read", 1.0, 20), "on_miss": "catalog-cache"},
    ]
    return build(_list_components(), calls, **_list_others(), **others)


def _call(source: str, target: str, deadline: float, pool: float) -> dict[str, Any]:
    return {"source": source, "target": target, "deadline": deadline, "pool": pool}


def _list_components() -> list[dict[str, Any]]:
    return [
        {
            "name": "gateway",
            "software": "envoy",
            "instances": 4,
            "routes": [
                {"name": name, "work": 0.002, "cpu": 0.0005, "method": method}
                for name, method in (("browse", "GET"), ("order", "POST"), ("feed", "GET"), ("probe", "GET"))
            ],
        },
        {
            "name": "shop",
            "software": "jvm-service",
            "instances": 4,
            "routes": [{"name": "buy", "work": 0.03, "cpu": 0.012, "method": "POST"}],
            "parameters": {"slots": 24, "cores": 0.45, "memory": 2048},
            "releases": [{"version": "4.2.0"}],
        },
        {
            "name": "catalog",
            "software": "go-service",
            "instances": 4,
            "routes": [{"name": "list", "work": 0.008, "cpu": 0.004}],
            "parameters": {"slots": 24, "cores": 0.4},
        },
        {"name": "acquirer", "software": "third-party", "instances": 2, "routes": [{"name": "pay", "work": 0.08}]},
        {
            "name": "orders-db",
            "software": "postgres",
            "spare": 1,
            "routes": [{"name": "write", "work": 0.004, "cpu": 0.002, "writes": 0.9}],
            "parameters": {"connections": 200, "disk": 40000, "disk_data": 24000, "disk_waste": 2000, "cores": 4},
        },
        {
            "name": "catalog-db",
            "software": "postgres",
            "routes": [{"name": "read", "work": 0.012, "cpu": 0.012}],
            "parameters": {"cores": 1, "slots": 32},
        },
        {
            "name": "catalog-cache",
            "software": "redis",
            "routes": [{"name": "get", "work": 0.0004, "cpu": 0.0002}],
            "parameters": {"hit_ratio": 0.9},
        },
        {
            "name": "bus",
            "software": "kafka",
            "instances": 3,
            "routes": [{"name": "publish", "work": 0.003, "cpu": 0.02}],
            "parameters": {"cores": 1, "slots": 16},
        },
        {
            "name": "mailer",
            "software": "go-service",
            "instances": 2,
            "routes": [{"name": "send", "work": 0.06, "cpu": 0.01}],
        },
        {"name": "names", "software": "coredns", "instances": 2, "routes": [{"name": "query", "work": 0.001}]},
        {"name": "core-router", "software": "router", "routes": [{"name": "forward", "work": 0.001}]},
    ]


def _list_others() -> dict[str, Any]:
    journeys = [
        {"name": "browse", "entry": "gateway/browse", "demand": 120, "deadline": 2, "worth": 0.4},
        {
            "name": "order",
            "entry": "gateway/order",
            "demand": 60,
            "deadline": 4,
            "worth": 0.6,
            "awaits": "receipts",
            "within": 60,
        },
        {"name": "feed", "entry": "gateway/feed", "demand": 10, "deadline": 5},
        {"name": "probe", "entry": "gateway/probe", "demand": 2, "deadline": 1},
    ]
    return {
        "journeys": journeys,
        "topics": [{"name": "orders-placed", "route": "bus/publish", "partitions": 8}],
        "groups": [{"name": "receipts", "topic": "orders-placed", "route": "mailer/send", "workers": 4}],
        "zones": ("zone-a", "zone-b"),
        "links": [{"between": ("zone-a", "zone-b"), "latency": 0.001, "router": "core-router"}],
        "resolver": "names",
        "alerts": [
            {"name": f"{name.capitalize()}Failing", "journeys": (name,), "above": above}
            for name, above in (("browse", 0.05), ("order", 0.05), ("probe", 0.25))
        ],
        "seed": 7,
    }
