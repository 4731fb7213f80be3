"""Metrics as Prometheus reads them. Labels come from fixed sets: no id, and no name that somebody else chose."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import prometheus_client as prometheus
from anyio import sleep, to_thread
from prometheus_client import multiprocess
from prometheus_client.exposition import choose_encoder
from starlette.datastructures import Headers
from starlette.responses import Response

from cloud_incident.telemetry.calls import NOWHERE, Sink, WatchedCall
from cloud_incident.telemetry.sharing import SHARED_DIRECTORY
from env_core.calls import CURRENT
from env_core.stores import StoreUnavailableError
from scenarios.vocabulary import to_reward

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from prometheus_client.core import Metric
    from prometheus_client.samples import Sample
    from starlette.types import Receive, Scope, Send

    from env_core.episode import Episode
    from env_core.transition import Transition

_REFRESH_SECONDS = 5.0
"""How often what is not told of one by one is counted."""


# The library does not type these three.
_LEAVE_OUT_BIRTHS: Callable[[], None] = prometheus.disable_created_metrics
_FORGET_PROCESS: Callable[[int, str], None] = multiprocess.mark_process_dead
_COLLECT_SHARED: Callable[[prometheus.CollectorRegistry, str], object] = multiprocess.MultiProcessCollector


class DeclaredMetric(NamedTuple):
    """A metric: its name as it is queried, without the suffixes that a histogram has, and what it counts.

    `buckets` make it a histogram. `shared` says what a gauge of several processes is: their sum, or the largest.
    """

    name: str
    about: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    shared: str = ""

    @property
    def kind(self) -> str:
        return "histogram" if self.buckets else "gauge" if self.shared else "counter"

    def build(self, registry: prometheus.CollectorRegistry) -> Any:
        """The metric as the client library has it."""
        if self.buckets:
            return prometheus.Histogram(self.name, self.about, self.labels, buckets=self.buckets, registry=registry)
        if self.shared:
            return prometheus.Gauge(
                self.name, self.about, self.labels, registry=registry, multiprocess_mode=_MODES[self.shared]
            )
        return prometheus.Counter(self.name, self.about, self.labels, registry=registry)


_MODES: Mapping[str, Literal["livesum", "livemax"]] = {"sum": "livesum", "largest": "livemax"}
_ANSWERS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)
_STORING = (0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 1.0, 5.0)
_MAKING = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_SCORES = tuple(tenth / 10 for tenth in range(11))
_REWARDS = (-0.5, -0.2, -0.1, -0.05, -0.02, 0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class MetricName(Enum):
    """Every metric that the server declares."""

    STEPS = DeclaredMetric("cloud_incident_steps_total", "Steps taken.", ("task", "action", "surface"))
    REWARDS = DeclaredMetric(
        "cloud_incident_step_reward",
        "Reward of each step of the episodes that have ended; none is told before the end.",
        ("task",),
        _REWARDS,
    )
    SCORES = DeclaredMetric("cloud_incident_score", "Scores of the episodes that have ended.", ("task",), _SCORES)
    STARTED = DeclaredMetric(
        "cloud_incident_episodes_started_total", "Episodes that were started: opened, or forked.", ("task", "how")
    )
    OVER = DeclaredMetric(
        "cloud_incident_episodes_over_total",
        "Episodes that were ended by a submission, truncated at the step limit, closed, or have expired. One that has "
        "ended counts again when it is closed or expires.",
        ("how",),
    )
    OPEN = DeclaredMetric("cloud_incident_episodes_open", "Stored episodes that have not ended.", shared="largest")
    SESSIONS = DeclaredMetric(
        "cloud_incident_sessions",
        "Open WebSockets, SSE connections, JSON-RPC sessions, and MCP sessions of operators and of agents.",
        ("kind",),
        shared="sum",
    )
    REQUESTS = DeclaredMetric(
        "cloud_incident_request_seconds",
        "Time to answer requests, WebSocket messages and requests of MCP. Streams are left out.",
        ("surface", "route", "status"),
        _ANSWERS,
    )
    REFUSALS = DeclaredMetric(
        "cloud_incident_refusals_total", "Calls that were refused, by the code of the error.", ("surface", "code")
    )
    GENERATION = DeclaredMetric("cloud_incident_generation_seconds", "Time to generate an incident.", (), _MAKING)
    STORE = DeclaredMetric("cloud_incident_store_seconds", "Time that the store took.", ("operation",), _STORING)
    STORE_FAILURES = DeclaredMetric(
        "cloud_incident_store_failures_total", "Calls that the store did not answer.", ("operation",)
    )


class MetricsSink(Sink):
    """Counts what happens, and gives the metrics of every process that shares them."""

    def __init__(self) -> None:
        _LEAVE_OUT_BIRTHS()  # a second series for each, which says when it was first counted
        self._registry = prometheus.CollectorRegistry()
        _Processes(self._registry)
        self._steps = self._make(MetricName.STEPS)
        self._rewards = self._make(MetricName.REWARDS)
        self._scores = self._make(MetricName.SCORES)
        self._started = self._make(MetricName.STARTED)
        self._over = self._make(MetricName.OVER)
        self._open = self._make(MetricName.OPEN)
        self._sessions = self._make(MetricName.SESSIONS)
        self._requests = self._make(MetricName.REQUESTS)
        self._refusals = self._make(MetricName.REFUSALS)
        self._generation = self._make(MetricName.GENERATION)
        self._store = self._make(MetricName.STORE)
        self._store_failures = self._make(MetricName.STORE_FAILURES)
        self.measure: Callable[[], Awaitable[Mapping[str, int]]] | None = None
        """Counts the open sessions by kind, and the open episodes as `episodes`."""

    def note_end(self, call: WatchedCall) -> None:
        way = call.way
        if not call.streamed:
            status = f"{call.status // 100}xx" if call.status else "refused" if call.refusal else "ok"
            self._requests.find(way, call.name, status).observe(call.seconds)
        if call.refusal:
            self._refusals.find(way, call.refusal).inc()

    def note_opened(self, episode: Episode, *, forked: bool) -> None:
        self._started.find(episode.task.id, "forked" if forked else "opened").inc()

    def note_step(self, transition: Transition) -> None:
        episode = transition.episode
        task, call = episode.task.id, CURRENT.get()
        way = call.way if isinstance(call, WatchedCall) else NOWHERE
        self._steps.find(task, episode.steps[-1].action.name, way).inc()
        if episode.grade is not None:
            rewards = self._rewards.find(task)
            for taken in episode.steps:
                rewards.observe(to_reward(taken.reward))
            self._scores.find(task).observe(episode.grade.score)
            self._over.find("truncated" if episode.truncated else "ended").inc()

    def note_closed(self, handle: str) -> None:  # noqa: ARG002 - handles are in no metric
        self._over.find("closed").inc()

    def note_forgotten(self, handle: str) -> None:  # noqa: ARG002 - handles are in no metric
        self._over.find("expired").inc()

    def note_made(self, scenario_id: str, seconds: float) -> None:  # noqa: ARG002 - there are any number of scenarios
        self._generation.find().observe(seconds)

    def note_store_call(self, operation: str, seconds: float, *, failed: bool) -> None:
        self._store.find(operation).observe(seconds)
        if failed:
            self._store_failures.find(operation).inc()

    def note_connection(self, kind: str, change: Literal[1, -1]) -> None:
        self._sessions.find(kind).inc(change)

    async def refresh(self) -> None:
        """Count what is not told of one by one."""
        counts = dict(await self.measure()) if self.measure is not None else {}
        if "episodes" in counts:
            self._open.find().set(counts.pop("episodes"))
        for kind, count in counts.items():
            self._sessions.find(kind).set(count)

    async def keep_fresh(self) -> None:
        """Count again and again: another process that is asked knows only what this one has written down."""
        while True:
            with suppress(StoreUnavailableError):
                await self.refresh()
            await sleep(_REFRESH_SECONDS)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request with the metrics of all processes that share them, in the format that it asks for."""
        with suppress(StoreUnavailableError):  # what is known without it is given all the same
            await self.refresh()
        encode, media = choose_encoder(Headers(scope=scope).get("accept", ""))
        text = await to_thread.run_sync(encode, self._gather())  # it takes milliseconds
        response = Response(text, headers={"Content-Type": media, "Cache-Control": "no-store"})
        await response(scope, receive, send)

    def _gather(self) -> prometheus.CollectorRegistry:
        directory = os.environ.get(SHARED_DIRECTORY)
        if directory is None:
            return self._registry
        shared = prometheus.CollectorRegistry()
        for pid in _list_pids(Path(directory)):
            if not _is_running(pid):
                _FORGET_PROCESS(pid, directory)
        _COLLECT_SHARED(shared, directory)
        _Processes(shared, Path(directory))
        return shared

    def _make(self, name: MetricName) -> _Labelled:
        return _Labelled(name.value.build(self._registry), {})


class _Labelled(NamedTuple):
    """A metric, and what it counts for each set of labels: the library's own look-up takes longer than the count."""

    metric: Any
    children: dict[tuple[str, ...], Any]

    def find(self, *labels: str) -> Any:
        """What is counted for some labels."""
        found = self.children.get(labels)
        if found is None:
            found = self.children[labels] = self.metric.labels(*labels) if labels else self.metric
        return found


class _Processes(prometheus.registry.Collector):
    """What the system knows of the processes together: memory, CPU time and open files as sums, the first start."""

    def __init__(self, registry: prometheus.CollectorRegistry, directory: Path | None = None) -> None:
        self._directory = directory
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        pids = [os.getpid()] if self._directory is None else [*filter(_is_running, _list_pids(self._directory))]
        merged: dict[str, Metric] = {}
        for metric in chain.from_iterable(map(_collect_process, pids)):
            known = merged.setdefault(metric.name, metric)
            if known is not metric:
                known.samples = list(map(_merge, known.samples, metric.samples))
        return merged.values()


def _collect_process(pid: int) -> Iterable[Metric]:
    return prometheus.ProcessCollector(pid=lambda: pid, registry=None).collect()


def _merge(one_process: Sample, another: Sample) -> Sample:
    first = one_process.name == "process_start_time_seconds"
    values = one_process.value, another.value
    return one_process._replace(value=min(values) if first else sum(values))


def _list_pids(directory: Path) -> set[int]:
    """The processes that have written metrics into a directory. Each file is named by its kind and its process."""
    endings = (path.stem.rpartition("_")[2] for path in directory.glob("*.db"))
    return {int(ending) for ending in endings if ending.isdecimal()}


def _is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
