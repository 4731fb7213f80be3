"""The shape of a fault family: one YAML file that says where a fault strikes, how, what shows it, and what mends it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from scenarios.document import Prose

Kind = Literal[
    "edge",
    "gateway",
    "service",
    "worker",
    "cron",
    "cache",
    "sql",
    "document",
    "search",
    "queue",
    "identity",
    "secrets",
    "config",
    "dns",
    "network",
    "cdn",
    "third_party",
    "cluster",
    "monitor",
]
"""What a node of a world is."""

Group = Literal[
    "change", "identity", "capacity", "network", "stores", "messaging", "control", "metastable", "edge", "none"
]
"""The ten groups of fault families."""

Spread = Literal["callers", "neighbours", "subscribers", "tenants", "alert"]
"""Who meets the fault first.

`callers` of the root. `neighbours`: the other callers of a node that the root overloads. `subscribers`: services that
hold what the root hands out. `tenants`: services that run or route through the root. `alert`: nobody, only the alert.
"""

Trouble = Literal[
    "errors", "slow", "unreachable", "refused", "throttled", "unresolved", "stale", "crash", "late", "none"
]
"""How those who meet the fault first see it: the class that their logs and their call paths carry (data/troubles.yaml).

They see no more than that: several families share each class, and a victim cannot tell which it is.
"""

MechanismName = Literal[
    "bad_change",
    "exhaustion",
    "leak",
    "latency",
    "loss",
    "refusal",
    "backlog",
    "staleness",
    "contention",
    "amplification",
    "withdrawal",
    "capacity_loss",
    "misses",
    "throttling",
    "flood",
    "false_alarm",
]

Range = Annotated[tuple[float, float], Field(description="Drawn evenly between the two.")]
Line = Annotated[str, StringConstraints(pattern=r"^(debug|info|warn|error|fatal): .+$")]
"""A log message with its level: `error: x509: certificate has expired`."""

Step = Annotated[str, StringConstraints(pattern=r"^[a-z_]+ (\{[a-z]+\}|[a-z0-9_-]+)( \+[1-9]\.\.[1-9]\d?)?$")]
"""A remediation and its target: `restart_service {root}`; for `scale_service` the replicas to add: `+2..8`."""


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Strikes(_Model):
    """Where the fault can be."""

    kinds: tuple[Kind, ...] = Field(min_length=1, description="Kinds of the root.")
    through: tuple[Kind, ...] = Field(
        default=(),
        description="`neighbours`: kinds of the overloaded node. Others: kinds that the world has to have as well.",
    )
    victims: tuple[Kind, ...] = Field(
        default=("service", "worker"), description="`subscribers`, `tenants`: kinds of those who meet it first."
    )
    into: tuple[Kind, ...] = Field(default=(), description="Kinds of what their failing calls go to; any if not given.")


class ChangeShown(_Model):
    """The change that brought the fault, at its onset."""

    kind: Literal["deploy", "config", "flag", "migration", "infra"]
    note: str = Field(min_length=8, description="As its author wrote it: what was meant, not what it broke.")
    restarts: bool = Field(default=False, description="Instances were started anew with it, as with every deploy.")


class Shows(_Model):
    """What the diagnostics of one node show of the fault, beyond what the simulation moves by itself."""

    logs: tuple[Line, ...] = Field(default=(), description="Messages; each may stand in the window several times.")
    metrics: dict[str, float] = Field(
        default_factory=dict,
        description="Dimension of data/kinds.yaml → value at full strength; of `rate`, how many times the usual.",
    )
    change: ChangeShown | None = None
    state: str = Field(default="", description="State in the status, where it is not simply running.")
    notes: tuple[str, ...] = Field(default=(), description="Status notes.")
    missing: int = Field(default=0, ge=0, description="Instances that are not ready.")
    restarts: Range | None = Field(default=None, description="Restarts in 24 h, where the process dies of it.")


class Stage(_Model):
    """One stage of the plan: steps that commute."""

    do: Annotated[tuple[Step, ...], BeforeValidator(_as_list)] = Field(min_length=1)
    leaves: float | None = Field(
        default=None, ge=0, lt=1, description="Share of the fault's strength left afterwards; none for verifications."
    )


class Tempting(_Model):
    """A wrong move that is near at hand, and the harm it does."""

    do: Step
    worsens: float = Field(default=0.0, ge=0, le=1, description="Share by which the fault's strength grows.")
    logs: Annotated[tuple[Line, ...], Field(min_length=1)] = Field(description="What its target logs afterwards.")
    means: Prose = Field(description="What it did, for the debrief.")


class Words(_Model):
    """How people say what failed."""

    answer: str = Field(min_length=20, max_length=300, description="A good answer; it affirms every concept.")
    also: tuple[str, ...] = Field(min_length=2, max_length=4, description="Other honest answers, in other words.")
    concepts: tuple[Annotated[tuple[str, ...], Field(min_length=3)], ...] = Field(
        min_length=1, max_length=3, description="Groups of synonyms, each one idea that a right failure mode affirms."
    )
    families: tuple[str, ...] = Field(
        min_length=1, description="Entries of scenarios/data/failures.yaml: the cause's and its consequences'."
    )


class Family(_Model):
    """A fault family."""

    family: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)]
    group: Group
    title: str = Field(min_length=5)
    strikes: Strikes
    spread: Spread
    trouble: Trouble
    mechanism: MechanismName
    numbers: dict[str, Range] = Field(default_factory=dict, description="What the mechanism asks for.")
    flag: str = Field(default="", pattern=r"^([a-z][a-z0-9_]*)?$", description="The feature flag that does it.")
    root: Shows = Field(description="At the root.")
    focal: Shows = Field(default_factory=Shows, description="At the node that the root overloads (`neighbours`).")
    plan: tuple[Stage, ...] = Field(min_length=1)
    tempting: tuple[Tempting, ...] = Field(min_length=1, max_length=3)
    words: Words
    chain: tuple[str, ...] = Field(min_length=2, max_length=5, description="The causal chain, for the debrief.")

    def shows(self) -> dict[str, Shows]:
        """What is shown, by the role of the node that shows it."""
        return {"root": self.root, "focal": self.focal}
