"""What an engineer knows of how systems fail: by which signs, after which changes, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """A way to fail.

    `signs` stand in logs and error details, `changes` in the notes of changes that bring it about. `domains` are those
    of the runbook catalogue in which its repairs are found. With `refusal` it is the caller that is turned away, so
    that the caller's logs say why; with `crash` processes die of it, and what died is restarted once the cause is gone;
    with `held` whoever was served by the cause keeps the bad thing until it is restarted.
    """

    name: str
    said: str
    signs: tuple[str, ...]
    changes: tuple[str, ...]
    domains: tuple[str, ...] = ()
    refusal: bool = False
    crash: bool = False
    held: bool = False


UNREACHABLE = Failure(
    "unreachable",
    "routes were lost, so that hosts cannot reach each other",
    ("no route to host", "host unreachable", "ehostunreach", "network is unreachable", "i/o timeout", "etimedout"),
    ("route", "bgp", "prefix", "peer", "firewall", "network policy", "security group", "subnet", "vlan", "nat "),
    ("network",),
)
"""Not the services fail but the paths between them."""

UNKNOWN = Failure("unknown", "it stopped serving its callers", (), (), ())

FAILURES = (
    UNREACHABLE,
    Failure(
        "memory",
        "memory was exhausted and processes were killed",
        ("out of memory", "oomkilled", "oom-kill", "killed process", "heap space", "cannot allocate memory"),
        ("memory", "heap", "buffer", "cache size", "batch size", "limit"),
        crash=True,
    ),
    Failure(
        "credentials",
        "clients were given stale credentials and are refused",
        ("authentication failed", "28p01", "access denied", "invalid credentials", "unauthorized", "bad password"),
        ("credential", "secret", "password", "vault", "token", "rotation", "signing key"),
        ("secrets",),
        refusal=True,
        held=True,
    ),
    Failure(
        "certificate",
        "the certificate that it presents is no longer accepted",
        ("x509", "certificate has expired", "tls handshake", "certificate verify failed", "unknown authority"),
        ("certificate", "tls", "issuer", "acme"),
        ("secrets",),
        refusal=True,
    ),
    Failure(
        "names",
        "names no longer resolve",
        ("no such host", "nxdomain", "servfail", "name resolution", "getaddrinfo"),
        ("dns", "resolver", "zone file", "record", "ttl"),
        ("network",),
    ),
    Failure(
        "connections",
        "all of its connections are in use",
        ("too many clients", "too many connections", "connection pool", "query_wait_timeout", "idle in transaction"),
        ("pool", "connection", "session", "timeout"),
        ("databases",),
    ),
    Failure(
        "disk",
        "its disk is full",
        ("no space left", "disk full", "read-only file system", "enospc"),
        ("log level", "retention", "volume", "disk", "debug", "archive"),
        ("databases",),
    ),
    Failure(
        "locks",
        "statements wait for locks that are not released",
        ("deadlock", "lock timeout", "waiting for accesssharelock", "lock wait", "waiting for exclusivelock"),
        ("migration", "index", "alter table", "schema", "lock"),
        ("databases",),
    ),
    Failure(
        "backlog",
        "its queue grows faster than it is consumed",
        ("consumer behind", "lag=", "rebalanc", "poison", "dead-letter", "max.poll"),
        ("consumer", "partition", "topic", "batch", "queue", "serial"),
        ("messaging",),
    ),
    Failure(
        "processor",
        "it has used up its processor time",
        ("cpu throttl", "throttled", "cpu starv", "event loop blocked", "backtrack"),
        ("cpu", "regex", "regular expression", "quota", "limit"),
        ("compute",),
    ),
    Failure(
        "quota",
        "its calls are turned away by a rate limit",
        ("too many requests", "rate limit", "quota exceeded", "status=429"),
        ("limit", "quota", "retry", "retries"),
    ),
    Failure(
        "misses",
        "its cache no longer spares what stands behind it",
        ("cache miss", "purge", "invalidat", "evict"),
        ("cache", "ttl", "purge", "invalidat", "key"),
        ("edge",),
    ),
    Failure(
        "nodes",
        "its pods cannot be scheduled or are evicted",
        ("evicted", "nodenotready", "failedscheduling", "diskpressure", "memorypressure"),
        ("node", "taint", "affinity", "probe", "kubelet", "webhook"),
        ("compute",),
    ),
    Failure(
        "release",
        "its new release answers with errors",
        ("exception", "traceback", "panic:", "segfault", "undefined", "nullpointer"),
        ("refactor", "rewrite", "handler", "parser", "upgrade", "migrat"),
    ),
)

_THINGS = {
    "databases": ("sqlstate", "postgres", "mysql", "mariadb", "database", "jdbc"),
    "messaging": ("kafka", "rabbitmq", "amqp", "consumer group"),
    "edge": ("points of presence", "cdn", "cache_hit"),
    "compute": ("kubelet", "node pool"),
}


def failure_in(text: str) -> Failure | None:
    """The failure that a text shows the most signs of."""
    lowered = text.casefold()
    found = [(sum(map(lowered.count, failure.signs)), failure) for failure in FAILURES]
    most, failure = max(found, key=lambda one: one[0])
    return failure if most else None


def thing_in(text: str) -> str:
    """The domain of what a text speaks of most, such as `databases`; empty if it cannot be told."""
    lowered = text.casefold()
    most, domain = max((sum(map(lowered.count, words)), domain) for domain, words in _THINGS.items())
    return domain if most else ""
