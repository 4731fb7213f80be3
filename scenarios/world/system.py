"""What there is: components and their routes, calls, journeys of users, jobs, and what changes at which time.

Times are in seconds of the run. Rates are per second, work is in seconds, memory in MB.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from scenarios.errors import CloudIncidentError
from scenarios.shipped import read_yaml
from scenarios.world.software import SOFTWARE

if TYPE_CHECKING:
    from pathlib import Path

    from scenarios.world.software import Software

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]*$", max_length=64)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class InvalidSystemError(CloudIncidentError):
    """A system that names what it does not have."""

    code = "invalid_document"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Route(_Part):
    """What a component is asked for. `work` is the median of its own time, `cpu` what of that is spent computing."""

    name: Name
    work: Positive
    cpu: NotNegative = 0.0
    errors: Share = 0.0
    writes: Share = 0.0
    """The share of its requests that write to the disk."""
    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    tail: Literal["short", "even", "usual", "wide", "long"] | None = None
    """How much longer than the median its slow requests take; if that is not said, it follows from its name."""
    path: str = ""
    """Where it is reached over HTTP; `/v1/` and its name, if that is not said."""


class Release(_Part):
    """A version of a component's software, and what it does otherwise: factors of its parameters."""

    version: str
    work: Positive = 1.0
    errors: Share = 0.0
    leak: NotNegative = 0.0
    """MB that each instance loses in a second."""
    slots: Positive = 1.0
    """A factor too: of the requests that an instance works on at once."""
    keeps: NotNegative = 0.0
    """Connections of each of its pools that an instance takes in a second and never gives back."""
    sends: Positive = 1.0
    """A factor: of the messages that it sends to brokers."""
    attempts: Annotated[int, Field(ge=0, le=3)] = 0
    """How often it tries each of its calls at most; 0 if that is as the call says."""


class Feature(_Part):
    """What a component does otherwise while a `flag` is on: a factor of its work, and the share that fails."""

    flag: Name
    work: Positive = 1.0
    errors: Share = 0.0


class Job(_Part):
    """A run of a batch that a component starts by itself, and that works on a store through a session of its own.

    The first run begins `first` seconds after the start of the system, and after a restart of its process one begins in
    `after_start` seconds, or else `every` so many. A run keeps the `flag` as it stood when it was planned: at the
    start of its process, and then after each run. With the flag on, the store holds `memory_rate` MB more each second
    for it, and serves others `slow` times as slowly; it has `sessions` of its own, as a share of all that the store may
    have, and of a cache it throws out the share `evicts` of what others have put there.
    """

    name: Name
    store: Name
    flag: Name
    every: Positive
    first: NotNegative
    lasts: Positive
    after_start: Positive | None = None
    retry: Positive = 30.0
    memory_rate: NotNegative = 0.0
    slow: Positive = 1.0
    sessions: NotNegative = 0.0
    evicts: Share = 0.0
    statement: str = ""
    """What its session runs, as the store would print it."""


class Component(_Part):
    """A component: instances of one software, with `parameters` of its own where they differ from the software's.

    `spare` are instances that do not run, but that can be started: the room that a service has to scale, by default as
    many as run, or the standbys of another software, by default none. Instances and then spares are spread over
    `zones`, one after the other; by default over all that the system has.
    """

    name: Name
    software: str
    instances: Annotated[int, Field(ge=1, le=64)] = 1
    spare: Annotated[int, Field(ge=0, le=64)] | None = None
    zones: tuple[Name, ...] = ()
    routes: tuple[Route, ...]
    releases: tuple[Release, ...] = (Release(version="1.0.0"),)
    about: str = ""
    team: str = ""
    notes: tuple[str, ...] = ()
    """What its owners wrote down for whoever is on call."""
    flags: tuple[Name, ...] = ()
    features: tuple[Feature, ...] = ()
    jobs: tuple[Job, ...] = ()
    parameters: dict[str, float] = {}

    @property
    def kind(self) -> Software:
        return SOFTWARE[self.software]

    def get(self, parameter: str) -> float:
        """A parameter of the component, or else of its software."""
        return self.parameters.get(parameter, self.kind.parameters[parameter])

    @property
    def most(self) -> int:
        """The instances that there may be, spares included."""
        spare = self.spare
        if spare is None:
            spare = self.instances if self.kind.kernel == "server" else 0
        return min(64, self.instances + spare)


class Call(_Part):
    """A call of a route to another: `weight` times for a request, given up after `deadline`, at most `attempts` times.

    `pool` are the connections that each instance of the caller has for it. A request goes on without an `optional`
    call. A call `on_miss` of a cache is made only for what was not found there.
    """

    source: str
    target: str
    weight: Positive = 1.0
    deadline: Positive
    attempts: Annotated[int, Field(ge=1, le=3)] = 1
    pool: Positive
    optional: bool = False
    on_miss: Name | None = None


class Link(_Part):
    """The network between two zones: seconds that it adds to a call, and the share that it loses.

    With a `router` it loses everything while that component does not run.
    """

    between: tuple[Name, Name]
    latency: NotNegative = 0.0
    loss: Share = 0.0
    router: Name | None = None


class Journey(_Part):
    """What users do: `demand` a second at an entry route, within `deadline`; `worth` is its share of all there is."""

    name: Name
    entry: str
    demand: Positive
    deadline: Positive
    worth: Share = 0.0
    retries: Annotated[float, Field(ge=0, le=0.7)] = 0.0
    """The share of those whose request has failed that try again, within a minute."""
    awaits: Name | None = None
    """A group of consumers that has to be done with what a request has sent `within` so many seconds."""
    within: Positive = 60.0


class Topic(_Part):
    """What a broker keeps of the requests that `route`, one of its own, answers well: each is a message of `size` MB.

    It is kept for `retention` seconds, whether somebody has worked on it or not, and dropped then.
    """

    name: Name
    route: str
    partitions: Annotated[int, Field(ge=1, le=64)] = 8
    size: NotNegative = 0.001
    retention: Positive = 86400.0


class Group(_Part):
    """Consumers of a topic: each instance has so many `workers`, which hand one message after the other to `route`.

    Nobody else asks for that route. A partition has one worker at a time, and its messages keep their order.
    """

    name: Name
    topic: Name
    route: str
    workers: Positive = 1.0


class Change(_Part):
    """At a time, a part of the state takes another value, within `over` seconds. `what` names it as `Run` does.

    A release and a flag leave an entry in the change log, by a team and with its note. Of other changes nobody knows.
    `stopped` is the share of the instances of a component whose process ends and is not started again by itself,
    `removed` that of those that are taken away: at once by an autoscaler, little by little by nodes that are short of
    memory. Of the instances of a component the share `expired` shows a
    certificate that is not valid any more; `skew` is how many times as much as another the first of them gets. `scans`
    is how much longer a store takes that reads more than it has to. A resolver has no answer for the share of names
    that is `unanswered`, and old ones for that which is `outdated`. All entries of a cache end at once each `together`
    seconds. `disk_data` is how full a disk is, of what it was laid out for. `poison` is the number of partitions that
    are stopped.
    """

    at: NotNegative
    what: (
        Literal["work", "errors", "slots", "memory_limit", "leak", "loss", "denied", "demand", "flag", "release"]
        | Literal["connections", "shed", "blocked", "stopped", "cores", "expired", "scans", "skew"]
        | Literal["removed", "unanswered", "outdated", "together", "disk_data"]
        | Literal[
            "link_loss", "link_latency", "zone_loss", "secret_issued", "secret_accepted", "poison", "disk_rate", "moves"
        ]
    )
    target: str
    to: float
    over: NotNegative = 0.0
    by: str = ""
    note: str = ""


class PastChange(_Part):
    """An entry of the change log from before the run."""

    at: AwareDatetime
    component: Name
    kind: Literal["deploy", "config", "flag", "migration", "rollback", "infra"] = "deploy"
    version: str
    by: str
    note: str


class AlertRule(_Part):
    """A rule that pages on-call: what it `watches` is above `above` for `lasts` seconds.

    Of journeys it watches the share of requests that fail, or the `latency` at their entry in seconds (p99), and the
    worst of them counts. Of what it is `on` it watches the `backlog` of a group in messages, or the share of its `disk`
    that the fullest instance of a component uses.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]*$", max_length=64)]
    watches: Literal["failures", "latency", "backlog", "disk"] = "failures"
    journeys: tuple[Name, ...] = ()
    on: Name | None = None
    above: NotNegative
    lasts: Positive = 120.0
    severity: str = "critical"
    labels: dict[str, str] = {}

    @model_validator(mode="after")
    def _check_what_is_watched(self) -> Self:
        if self.watches in ("failures", "latency"):
            if not self.journeys or self.on is not None:
                raise InvalidSystemError(
                    f"{self.name}: it watches {self.watches}, so it names journeys and nothing else."
                )
        elif self.journeys or self.on is None:
            raise InvalidSystemError(f"{self.name}: it watches a {self.watches}, so it says what it is on.")
        if self.watches in ("failures", "disk") and self.above > 1.0:
            raise InvalidSystemError(f"{self.name}: {self.above:g} is no share.")
        return self


class System(_Part):
    """A system and what befalls it.

    Raises:
        InvalidSystemError: if a name occurs twice or is not there.
    """

    name: Name
    components: tuple[Component, ...]
    calls: tuple[Call, ...]
    journeys: tuple[Journey, ...]
    alerts: tuple[AlertRule, ...] = ()
    changes: tuple[Change, ...] = ()
    zones: tuple[Name, ...] = ("zone-a",)
    links: tuple[Link, ...] = ()
    topics: tuple[Topic, ...] = ()
    groups: tuple[Group, ...] = ()
    resolver: Name | None = None
    """The component that all others ask for addresses."""
    history: tuple[PastChange, ...] = ()
    begins: AwareDatetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    """The moment of second 0, a whole minute."""
    seed: int = 0

    @classmethod
    def load(cls, path: Path) -> Self:
        """The system that a file in YAML describes."""
        return cls.model_validate(read_yaml(path))

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        names = [component.name for component in self.components]
        routes = self.list_routes()
        for name, count in Counter([*names, *routes]).items():
            if count > 1:
                raise InvalidSystemError(f"{name!r} stands {count} times in the system; a name stands once.")
        for component in self.components:
            if component.software not in SOFTWARE:
                raise InvalidSystemError(
                    f"{component.name}: no software {component.software!r}; there is {', '.join(SOFTWARE)}."
                )
        topics = [topic.name for topic in self.topics]
        journeys = [journey.name for journey in self.journeys]
        watched = {"backlog": [group.name for group in self.groups], "disk": names}
        missing = [
            *(name for rule in self.alerts for name in rule.journeys if name not in journeys),
            *(rule.on for rule in self.alerts if rule.on is not None and rule.on not in watched[rule.watches]),
            *(end for call in self.calls for end in (call.source, call.target) if end not in routes),
            *(journey.entry for journey in self.journeys if journey.entry not in routes),
            *(job.store for component in self.components for job in component.jobs if job.store not in names),
            *(call.on_miss for call in self.calls if call.on_miss is not None and call.on_miss not in names),
            *(link.router for link in self.links if link.router is not None and link.router not in names),
            *(name for name in (self.resolver,) if name is not None and name not in names),
            *(zone for component in self.components for zone in component.zones if zone not in self.zones),
            *(zone for link in self.links for zone in link.between if zone not in self.zones),
            *(topic.route for topic in self.topics if topic.route not in routes),
            *(group.route for group in self.groups if group.route not in routes),
            *(group.topic for group in self.groups if group.topic not in topics),
            *(
                each.awaits
                for each in self.journeys
                if each.awaits and each.awaits not in [g.name for g in self.groups]
            ),
        ]
        missing += [entry.component for entry in self.history if entry.component not in names]
        if self.begins.second or self.begins.microsecond:
            raise InvalidSystemError(f"{self.begins.isoformat()} is no whole minute, and the run has to begin on one.")
        if any(entry.at >= self.begins for entry in self.history):
            raise InvalidSystemError("The history has an entry from after the begin of the run; write it as a change.")
        if missing:
            known = ", ".join([*names, *routes, *journeys, *self.zones, *topics])
            raise InvalidSystemError(f"{missing[0]!r} is not in the system; there is {known}.")
        asked = [*(call.target for call in self.calls), *(journey.entry for journey in self.journeys)]
        for group in self.groups:
            if [*asked, *(other.route for other in self.groups)].count(group.route) > 1:
                raise InvalidSystemError(f"{group.name}: {group.route!r} takes messages, so nobody else asks for it.")
        return self

    def list_routes(self) -> list[str]:
        """The routes as `component/route`, in the order of the components."""
        return [f"{component.name}/{route.name}" for component in self.components for route in component.routes]
