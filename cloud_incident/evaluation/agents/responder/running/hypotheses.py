"""What can be wrong in a system that runs: what callers meet, what was changed before, how it is said, what mends it.

The signs are words of common software and of the profession, and of the notes that teams write with changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloud_incident.evaluation.agents.responder.running import calls as met

ITSELF, CLIENT, CACHE, RESOLVER, PATH, DOOR = "itself", "client", "cache", "resolver", "path", "door"
"""Where a cause lies, seen from the last component that fails: there, in who calls it, in a cache that spares it calls
no longer, in who resolves its name, in the network beneath, or at the door that users come through."""
SERVER, STORE, PARTNER = "server", "store", "partner"
"""What fails: a service, something that keeps data, or a third party."""

_ANY = frozenset({SERVER, STORE})
_LATE = met.LATE | {met.FAILING}


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Something that can be wrong.

    `said` says it in plain words. `met` is what callers of the last failing component meet (`calls.py`), `lies` where
    the cause lies, `fails` what kind of component fails. `change` is the kind of change that brings it, empty if it
    comes without one. `words` are those of the note of that change (a pattern); one that is `spoken` needs them.
    `signs` are words of its status, logs and metrics; one that is `bare` needs a sign. `mends` are ways to mend it, the
    best first: each is what is done, in order.
    """

    name: str
    said: str
    met: frozenset[str]
    lies: str = ITSELF
    fails: frozenset[str] = _ANY
    change: str = ""
    words: str = ""
    spoken: bool = False
    signs: str = ""
    bare: bool = False
    mends: tuple[tuple[str, ...], ...] = (("restart_service",),)

    def speaks_of(self, note: str) -> bool:
        """Whether the note of a change, or the name of a flag, has words of it."""
        return bool(self.words) and re.search(self.words, note.casefold()) is not None

    def shows_in(self, text: str) -> bool:
        """Whether some evidence has a sign of it."""
        return bool(self.signs) and re.search(self.signs, text.casefold()) is not None


_ROLLBACK = (("rollback_deploy",), ("restart_service",))
_CONFIG = (("revert_config",),)
_JOB = (("pause_job", "restart_service"), ("disable_feature_flag", "restart_service"))
_READS = "a job began to read a store"
_LIMIT = r"limit|sizing|values taken|requests and|quota|profile"
_POLICY = r"access|polic|grant|privilege|service account"
_EDGE = r"firewall|rule set|priorit|request class|anonymous|shed|threshold"
_SCHEMA = r"column|\btable|field|identifier|schema|index"
_LIFETIME = r"lifetime|\bttl|\bkeys? get|of the cache|expir"
_ZONE = r"record|alias|serial|transfer|\bzone"
_RENEWED = r"secret|password|signing key|credential|rotat"
_PATTERN = r"pattern|\brules?\b|format|saniti|parser|regular exp|regex"
_POOL = r"pool|parallel|subtask|blocking|thread|worker"
_KEPT = r"\bkept\b|cache|loaded at start|in the process"

HYPOTHESES = (
    Hypothesis(
        "expired certificate",
        "the TLS certificate that it presents has expired, so its clients refuse the handshake",
        frozenset({met.CERTIFICATE}),
        mends=(("reissue_certificate",),),
    ),
    Hypothesis(
        "stale secret",
        "its credentials were rotated without telling their holders, which still use the stale password",
        frozenset({met.UNAUTHENTICATED}),
        change="config",
        words=_RENEWED,
        mends=(("publish_secret", "restart_callers"), ("rotate_secret", "restart_callers")),
    ),
    Hypothesis(
        "narrowed policy",
        "a mesh authorisation policy was changed wrongly and no longer admits its callers, which are denied",
        frozenset({met.FORBIDDEN}),
        fails=frozenset({SERVER}),
        change="config",
        words=_POLICY,
        mends=(("revert_policy",), ("revert_config",)),
    ),
    Hypothesis(
        "revoked grant",
        "the grants of the role of a service were revoked, so the store denies its statements",
        frozenset({met.FORBIDDEN}),
        fails=frozenset({STORE}),
        change="config",
        words=_POLICY,
        mends=(("revert_policy",), ("revert_config",)),
    ),
    Hypothesis(
        "firewall rule",
        "a new WAF rule matches legitimate requests and blocks them",
        frozenset({met.FORBIDDEN}),
        fails=frozenset({SERVER}),
        change="config",
        words=r"firewall|rule set|anonymous",
        signs="blocked by rule|waf",
        mends=_CONFIG,
    ),
    Hypothesis(
        "wrong unit",
        "a limit was configured in the wrong unit, milliseconds read as seconds, so ordinary traffic is throttled",
        frozenset({met.THROTTLED}),
        fails=frozenset({SERVER}),
        change="config",
        words=_LIMIT,
        mends=(("stop_shedding",), ("revert_config",)),
    ),
    Hypothesis(
        "wrong shedding",
        "its load shedding has the priority classes reversed and turns away interactive requests instead of batch "
        "traffic",
        frozenset({met.THROTTLED}),
        fails=frozenset({SERVER}),
        change="config",
        words=_EDGE,
        mends=(("stop_shedding",), ("revert_config",)),
    ),
    Hypothesis(
        "used up quota",
        "the shared API quota of the third party is used up, so all callers are rate limited",
        frozenset({met.THROTTLED}),
        fails=frozenset({PARTNER}),
        mends=(("raise_quota",), ("switch_provider",)),
    ),
    Hypothesis(
        "vendor outage",
        "the third party itself has an outage and answers most calls with errors",
        _LATE,
        fails=frozenset({PARTNER}),
        mends=(("switch_provider",),),
    ),
    Hypothesis(
        "bad release",
        "its latest release has a code regression and answers a share of the requests with exceptions",
        frozenset({met.FAILING}),
        fails=frozenset({SERVER}),
        change="deploy",
        mends=_ROLLBACK,
    ),
    Hypothesis(
        "feature flag",
        "a feature flag was turned on and activates a dormant code path that fails for a share of the requests",
        frozenset({met.FAILING}),
        fails=frozenset({SERVER}),
        change="flag",
        mends=(("disable_feature_flag",),),
    ),
    Hypothesis(
        "processor limit",
        "its CPU limit was lowered too far, so the kernel throttles it most of the time",
        met.LATE,
        fails=frozenset({SERVER}),
        change="config",
        words=_LIMIT,
        mends=(("revert_config",), ("scale_service",)),
    ),
    Hypothesis(
        "capped autoscaler",
        "its autoscaler reached the maximum number of replicas, so capacity could not follow the load",
        met.LATE,
        fails=frozenset({SERVER}),
        change="config",
        words=_LIMIT,
        signs=r"scalinglimited|toomanyreplicas|rescale",
        bare=True,
        mends=(("revert_config", "scale_service"), ("scale_service",)),
    ),
    Hypothesis(
        "thread pool",
        "its thread pool is exhausted because every thread waits for a subtask that is queued in the same pool",
        met.LATE,
        fails=frozenset({SERVER}),
        change="deploy",
        words=_POOL,
        mends=_ROLLBACK,
    ),
    Hypothesis(
        "regular expression",
        "a new input rule contains a regex with catastrophic backtracking that burns the CPU on ordinary inputs",
        met.LATE,
        fails=frozenset({SERVER}),
        change="deploy",
        words=_PATTERN,
        signs="processor rose",
        mends=_ROLLBACK,
    ),
    Hypothesis(
        "large cache",
        "its in-process cache was configured too large for the memory limit, so instances are OOM-killed again and "
        "again",
        met.LATE | {met.UNCONNECTED},
        fails=frozenset({SERVER}),
        change="deploy",
        words=_KEPT,
        signs=r"oomkilled|out of memory|memory rose",
        bare=True,
        mends=(("rollback_deploy",), ("raise_memory",)),
    ),
    Hypothesis(
        "memory leak",
        "it leaks memory: the heap is full of objects that are never released, until it is OOM-killed",
        met.LATE | {met.UNCONNECTED},
        fails=frozenset({SERVER}),
        change="deploy",
        signs=r"oomkilled|out of memory|memory rose",
        bare=True,
        mends=_ROLLBACK,
    ),
    Hypothesis(
        "evicted pods",
        "its nodes ran short of disk and evicted pods under node pressure",
        met.LATE | {met.UNCONNECTED},
        fails=frozenset({SERVER}),
        signs=r"evicted|node was low",
        bare=True,
        mends=(("scale_service",), ("restart_service",)),
    ),
    Hypothesis(
        "bot traffic",
        "bot traffic from a scraper on thousands of addresses floods it and leaves little capacity for users",
        met.LATE,
        lies=DOOR,
        signs="requests rose",
        bare=True,
        mends=(("block_client",), ("scale_service",)),
    ),
    Hypothesis(
        "connection pool",
        "the new release leaks connections, so its own connection pool is exhausted and requests wait in vain for one",
        _LATE,
        lies=CLIENT,
        change="deploy",
        signs=r"pool rose|pool exhausted|pool empty",
        bare=True,
        mends=_ROLLBACK,
    ),
    Hypothesis(
        "retry storm",
        "it retries failed calls several times at once, and this retry storm keeps the shared callee overloaded",
        met.LATE,
        lies=CLIENT,
        fails=frozenset({SERVER}),
        change="deploy",
        words=r"retry|retries|client library",
        signs="calls rose",
        bare=True,
        mends=_ROLLBACK,
    ),
    Hypothesis(
        "migration lock",
        "a schema migration waits for an exclusive table lock and every statement queues behind it",
        met.LATE,
        lies=CLIENT,
        fails=frozenset({STORE}),
        change="flag",
        words=r"migration|rewrite",
        signs=_READS,
        bare=True,
        mends=_JOB,
    ),
    Hypothesis(
        "backfill",
        "its backfill runs unpaced and saturates the shared store with writes, so that foreground requests starve",
        met.LATE,
        lies=CLIENT,
        fails=frozenset({STORE}),
        change="flag",
        words=r"backfill|reindex|compact",
        signs=_READS,
        bare=True,
        mends=_JOB,
    ),
    Hypothesis(
        "unbounded export",
        "its export runs an unbounded query over the full history and starves the shared database",
        met.LATE | {met.UNCONNECTED},
        lies=CLIENT,
        fails=frozenset({STORE}),
        change="flag",
        words=r"export|feed|dump|full",
        signs=_READS,
        bare=True,
        mends=_JOB,
    ),
    Hypothesis(
        "taken connections",
        "it opens hundreds of database connections for its parallel tasks and takes up all connection slots of the "
        "shared database",
        frozenset({met.CROWDED}) | met.LATE,
        lies=CLIENT,
        fails=frozenset({STORE}),
        change="flag",
        words=r"import|settlement|sync|parallel",
        signs=_READS,
        bare=True,
        mends=_JOB,
    ),
    Hypothesis(
        "eviction storm",
        "it fills the shared cache with huge per-visitor entries, which evicts the keys of everyone else",
        met.LATE,
        lies=CLIENT,
        change="flag",
        words=r"profile|prefetch|page|wide",
        signs=r"a job began to read a cache",
        bare=True,
        mends=(("pause_job", "warm_caches", "restart_service"),),
    ),
    Hypothesis(
        "cache stampede",
        "all cache entries have the same TTL and expired at once, a cache stampede on the stores behind",
        met.LATE,
        lies=CACHE,
        fails=frozenset({STORE}),
        change="config",
        words=_LIFETIME,
        spoken=True,
        mends=(("revert_config",), ("warm_cache",)),
    ),
    Hypothesis(
        "missing index",
        "the last schema change left it with a missing index, so each lookup reads the whole table",
        met.LATE,
        fails=frozenset({STORE}),
        change="config",
        words=_SCHEMA,
        mends=(("rebuild_indexes",), ("revert_config",)),
    ),
    Hypothesis(
        "hot partition",
        "a hot partition takes most of the load, since nearly all traffic goes to keys that live in one shard",
        met.LATE,
        fails=frozenset({STORE}),
        mends=(("spread_partitions",), ("restart_service",)),
    ),
    Hypothesis(
        "full disk",
        "its data volume is full, so writes fail with no space left on device",
        frozenset({met.FULL}),
        mends=(("expand_volume",), ("clean_disk",)),
    ),
    Hypothesis(
        "network policy",
        "a network policy change removed allow rules, so the default deny drops connections between services",
        frozenset({met.SLOW, met.UNCONNECTED}),
        change="config",
        words=_POLICY,
        mends=(("revert_policy",), ("revert_config",)),
    ),
    Hypothesis(
        "unloaded zone",
        "the internal DNS zone has an invalid record and fails to load, so name lookups are answered with SERVFAIL",
        frozenset({met.UNRESOLVED}),
        lies=RESOLVER,
        change="config",
        words=_ZONE,
        mends=(("revert_config",), ("flush_resolver",)),
    ),
    Hypothesis(
        "stale record",
        "DNS serves stale records because its zone was not transferred, so clients connect to old addresses",
        frozenset({met.UNCONNECTED}),
        lies=RESOLVER,
        change="config",
        words=_ZONE,
        mends=(("flush_resolver",), ("revert_config",)),
    ),
    Hypothesis(
        "withdrawn routes",
        "a prefix set change made the border routers withdraw the routes of a zone, so its addresses are unreachable",
        frozenset({met.UNCONNECTED, met.SLOW}),
        lies=PATH,
        change="config",
        words=r"prefix|route|inventory|firmware|border",
        spoken=True,
        mends=(("restore_routes",), ("revert_config",)),
    ),
    Hypothesis(
        "lossy link",
        "one link of a bundle has CRC errors from a failing optic and drops a part of the packets: packet loss",
        met.LATE,
        lies=PATH,
        change="config",
        words=r"line card|back in service|optic",
        spoken=True,
        mends=(("restore_routes",), ("revert_config",)),
    ),
    Hypothesis(
        "longer path",
        "traffic between the zones takes a long detour since the routing cost of a link was raised, so network latency "
        "between zones is many times higher",
        met.LATE,
        lies=PATH,
        change="config",
        words=r"cost|capacity review",
        spoken=True,
        mends=(("restore_routes",), ("revert_config",)),
    ),
)
"""What is thought of. Where two fit equally, the first is believed."""
