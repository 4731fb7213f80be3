"""What an engineer knows about failures: their signs, the changes that cause them, and how to repair them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FailureSigns:
    """A way to fail, and what shows it.

    `description` is prose. `signs` are words in logs and error details, `changes` words in the notes of changes
    that cause it. `domains` are the domains of the runbook catalogue with its repairs. With `refusal` a caller is
    turned away, and the logs of the caller say why. With `crash` processes die, and have to be restarted when the cause
    is gone. With `held` the clients of the cause keep what it gave them until they are restarted.
    """

    name: str
    description: str
    signs: tuple[str, ...]
    changes: tuple[str, ...]
    domains: tuple[str, ...] = ()
    refusal: bool = False
    crash: bool = False
    held: bool = False


UNREACHABLE = FailureSigns(
    "unreachable",
    "routes were lost, so that hosts cannot reach each other",
    ("no route to host", "host unreachable", "ehostunreach", "network is unreachable", "i/o timeout", "etimedout"),
    ("route", "bgp", "prefix", "peer", "firewall", "network policy", "security group", "subnet", "vlan", "nat "),
    ("network",),
)
"""The paths between the services fail, not the services."""

UNKNOWN = FailureSigns("unknown", "it stopped serving its callers", (), (), ())

FAILURES = (
    UNREACHABLE,
    FailureSigns(
        "memory",
        "memory was exhausted and processes were killed",
        ("out of memory", "oomkilled", "oom-kill", "killed process", "heap space", "cannot allocate memory"),
        ("memory", "heap", "buffer", "cache size", "batch size", "limit"),
        crash=True,
    ),
    FailureSigns(
        "credentials",
        "clients were given stale credentials and are refused",
        ("authentication failed", "28p01", "access denied", "invalid credentials", "unauthorized", "bad password"),
        ("credential", "secret", "password", "vault", "token", "rotation", "signing key"),
        ("secrets",),
        refusal=True,
        held=True,
    ),
    FailureSigns(
        "certificate",
        "the certificate that it presents is no longer accepted",
        ("x509", "certificate has expired", "tls handshake", "certificate verify failed", "unknown authority"),
        ("certificate", "tls", "issuer", "acme"),
        ("secrets",),
        refusal=True,
    ),
    FailureSigns(
        "names",
        "names no longer resolve",
        ("no such host", "nxdomain", "servfail", "name resolution", "getaddrinfo"),
        ("dns", "resolver", "zone file", "record", "ttl"),
        ("network",),
    ),
    FailureSigns(
        "connections",
        "all of its connections are in use",
        ("too many clients", "too many connections", "connection pool", "query_wait_timeout", "idle in transaction"),
        ("pool", "connection", "session", "timeout"),
        ("databases",),
    ),
    FailureSigns(
        "disk",
        "its disk is full",
        ("no space left", "disk full", "read-only file system", "enospc"),
        ("log level", "retention", "volume", "disk", "debug", "archive"),
        ("databases",),
    ),
    FailureSigns(
        "locks",
        "statements wait for locks that are not released",
        ("deadlock", "lock timeout", "waiting for accesssharelock", "lock wait", "waiting for exclusivelock"),
        ("migration", "index", "alter table", "schema", "lock"),
        ("databases",),
    ),
    FailureSigns(
        "backlog",
        "its queue grows faster than it is consumed",
        ("consumer behind", "lag=", "rebalanc", "poison", "dead-letter", "max.poll"),
        ("consumer", "partition", "topic", "batch", "queue", "serial"),
        ("messaging",),
    ),
    FailureSigns(
        "processor",
        "it has used up its processor time",
        ("cpu throttl", "throttled", "cpu starv", "event loop blocked", "backtrack"),
        ("cpu", "regex", "regular expression", "quota", "limit"),
        ("compute",),
    ),
    FailureSigns(
        "quota",
        "its calls are turned away by a rate limit",
        ("too many requests", "rate limit", "quota exceeded", "status=429"),
        ("limit", "quota", "retry", "retries"),
    ),
    FailureSigns(
        "misses",
        "its cache no longer spares what stands behind it",
        ("cache miss", "purge", "invalidat", "evict"),
        ("cache", "ttl", "purge", "invalidat", "key"),
        ("edge",),
    ),
    FailureSigns(
        "nodes",
        "its pods cannot be scheduled or are evicted",
        ("evicted", "nodenotready", "failedscheduling", "diskpressure", "memorypressure"),
        ("node", "taint", "affinity", "probe", "kubelet", "webhook"),
        ("compute",),
    ),
    FailureSigns(
        "release",
        "its new release answers with errors",
        ("exception", "traceback", "panic:", "segfault", "undefined", "nullpointer"),
        ("refactor", "rewrite", "handler", "parser", "upgrade", "migrat"),
    ),
)

_DOMAIN_WORDS = {
    "databases": ("sqlstate", "postgres", "mysql", "mariadb", "database", "jdbc"),
    "messaging": ("kafka", "rabbitmq", "amqp", "consumer group"),
    "edge": ("points of presence", "cdn", "cache_hit"),
    "compute": ("kubelet", "node pool"),
}


def find_failure(text: str) -> FailureSigns | None:
    """Find the failure that a text shows the most signs of; None if it shows no sign."""
    lowered = text.casefold()
    found = [(sum(map(lowered.count, failure.signs)), failure) for failure in FAILURES]
    most, failure = max(found, key=lambda counted: counted[0])
    return failure if most else None


def find_domain(text: str) -> str:
    """Find the domain that a text speaks of most, such as `databases`; empty if it speaks of none."""
    lowered = text.casefold()
    most, domain = max((sum(map(lowered.count, words)), domain) for domain, words in _DOMAIN_WORDS.items())
    return domain if most else ""
