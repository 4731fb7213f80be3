"""Features of components, by group: numbers and words that anybody can read off what the diagnostics show."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.attackers.collecting import Looks, Sighting
    from scenarios.telemetry.logs import SampledLogs
    from scenarios.vocabulary.diagnostics import CallPath, Dependencies, Deploys, ScrapedMetrics, Scrapes, Status

Features = dict[str, float]
Groups = dict[str, Features]
"""Features by the group that they are of."""

BAGS = ("word ", "line ", "note ")
"""What features of words begin with: those are counted, not ranked."""
WORST = {"healthy": 0.0, "unknown": 0.5, "degraded": 1.0, "failing": 2.0, "down": 3.0}
_SHARE = re.compile(r"(all|none|[\d.<]+ %) fail(?:: |, most of them: )?([^,]*)")
_VARYING = re.compile(
    r"\d{4}-\d\d-\d\d[T ][\d:.,]+Z?|\b(?=[0-9a-f-]*\d)[0-9a-f]{6,}(?:-[0-9a-f]+)*\b|/[\w/.{}-]+|\d+(?:[.,]\d+)*"
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def describe(seen: Sighting) -> dict[str, Groups]:
    """The features of each component."""
    fired = _read_moment(seen.alert["fired_at"])
    return {
        name: {
            "names": _read_name(seen, name),
            "kind": {f"word is {seen.kinds[name]}": 1.0, "difficulty": float(seen.difficulty)},
            "status": _read_status(looks.status),
            "logs": _read_logs(looks.logs, tuple(seen.looks)),
            "metrics": _read_metrics(looks.metrics),
            "own calls": _read_calls(looks.dependencies),
            "change times": _read_times(looks.deploys, fired),
            "change kinds": _read_kinds(looks.deploys, fired),
        }
        for name, looks in seen.looks.items()
    }


def list_minutes(deploys: Deploys, fired: str) -> list[float]:
    """Minutes from each change to the page, newest first; below 0 if it came after the page."""
    at = _read_moment(fired)
    return [(at - _read_moment(change.at)) / 60.0 for change in deploys.history]


def read_share(path: CallPath) -> float:
    """The share of calls on a path that fail, as it is told."""
    found = _SHARE.search(path.detail)
    if found is None or found[1] == "none":
        return 0.0
    return 1.0 if found[1] == "all" else float(found[1].strip("<").removesuffix(" %")) / 100.0


def _read_moment(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _read_name(seen: Sighting, name: str) -> Features:
    alert = seen.alert
    page = f"{alert['name']} {alert['summary']} {alert['description']} {alert['symptoms']}"
    words = {word.lower().rstrip("s") for word in re.findall(r"[A-Z]?[a-z]{3,}", page)}
    affected = alert["affected_services"]
    found: Features = {f"word {word}": 1.0 for word in name.split("-")}
    found["affected"] = float(name in affected)
    found["place among affected"] = float(affected.index(name) + 1) if name in affected else 0.0
    found["in page"] = float(any(word.rstrip("s") in words for word in name.split("-")))
    found["components"] = float(len(seen.looks))
    for kind in ("p99", "Messages", "Disk"):
        found[f"word page of {kind}"] = float(kind in page)
    shares = [float(share) for share in re.findall(r"([\d.]+) %", alert["description"])]
    found["share on page"] = max(shares, default=0.0)
    return found


_UNITS = {"d": 1440.0, "h": 60.0, "min": 1.0, "s": 1 / 60}


def _read_status(status: Status) -> Features:
    ready, _, wanted = (status.replicas or "1/1").partition("/")
    ages = [
        sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+) (d|h|min|s)\b", part))
        for part in (status.uptime or "9 d").split(" to ")  # nobody knows it of what a third party runs
    ]
    restarts = re.match(r"\d+", status.restarts)
    return {
        "running": float(status.state == "running"),
        "ready": int(ready) / max(1, int(wanted)),
        "replicas": float(wanted),
        "restarts": float(restarts[0]) if restarts else 0.0,
        "uptime": math.log1p(ages[0]),
        "spread of uptime": math.log1p(ages[-1] - ages[0]),
        "versions": float(status.version.count(",") + 1),
        "version ends in 0": float(status.version.endswith(".0")),
        "flags": float(len(status.flags)),
        "flags switched": float(sum("since" in value for _, value in status.flags)),
        "notes": float(len(status.notes)),
        "out of memory": float("memory" in status.state),
    }


def _read_logs(logs: SampledLogs, names: tuple[str, ...]) -> Features:
    text = "\n".join(logs.lines)
    shown = max(1, len(logs.lines))
    own = re.compile("|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)))
    templates = Counter(_VARYING.sub("#", own.sub("@", line))[:160] for line in logs.lines)
    words = Counter(re.findall(r"[a-z]{4,}", own.sub("", text).lower()))
    found: Features = {f"line {template}": count / shown for template, count in templates.items()}
    found |= {f"word log {word}": min(1.0, count / shown) for word, count in words.items()}
    found["kinds of lines"] = float(len(templates))
    found["lines of errors"] = (
        len(re.findall(r'\b(ERROR|FATAL|SEVERE|CRITICAL|error|PANIC)\b|"level":[56]0', text)) / shown
    )
    found["lines of warnings"] = len(re.findall(r'\b(WARN|WARNING|warning)\b|"level":40', text)) / shown
    found["lines with 5xx"] = len(re.findall(r"\b50\d\b", text)) / shown
    found["printed"] = math.log1p(logs.logged)
    found["kept"] = math.log1p(logs.sampled)
    moments = _MOMENT.findall(text)
    if moments:
        now, last, oldest = (
            _read_moment(f"{moment}Z") for moment in (logs.as_of[:16] + ":00", max(moments), min(moments))
        )
        found["silent for"] = math.log1p(max(0.0, now - last))
        found["span of lines"] = math.log1p(last - oldest)
    return found


def _read_metrics(metrics: ScrapedMetrics) -> Features:
    found: Features = defaultdict(float)
    requests = errors = 0.0
    for series in metrics.series:
        kind = _classify(series.name, series.unit)
        ratio = _compare(series, series.recent[-1])
        found[f"{kind} up"] = max(found[f"{kind} up"], ratio)
        found[f"{kind} down"] = min(found[f"{kind} down"], ratio)
        found[f"{kind} peak"] = max(found[f"{kind} peak"], *(_compare(series, value) for value in series.recent))
        found[f"{kind} since"] = max(found[f"{kind} since"], _count_since(series))
        found["metrics moved"] += float(abs(ratio) > 0.5)
        found["first metric moved"] = max(found["first metric moved"], _count_since(series))
        requests += (series.recent[-1] or 0.0) if kind == "requests" else 0.0
        errors += (series.recent[-1] or 0.0) if kind == "errors" else 0.0
    found["metrics"] = float(len(metrics.series))
    found["gaps"] = float(sum(value is None for series in metrics.series for value in series.recent))
    found["share moved"] = found["metrics moved"] / max(1.0, found["metrics"])
    found["error share"] = errors / requests if requests > 0.0 else 0.0
    return dict(found)


def _compare(series: Scrapes, value: float | None) -> float:
    """A value beside the normal one: the logarithm of their ratio, within bounds; 0 where there is no sample."""
    if value is None or series.normal is None:
        return 0.0
    small = max(abs(series.normal) * 1e-3, 1e-4)
    return max(-8.0, min(8.0, math.log((abs(value) + small) / (abs(series.normal) + small))))


def _count_since(series: Scrapes) -> float:
    """How many minutes ago a series first left its normal value."""
    for place, value in enumerate(series.recent):
        if abs(_compare(series, value)) > 0.3:
            return float(len(series.recent) - place)
    return 0.0


_CLASSES = (
    ("429", "throttled"), ("client.*(error|exception)|exceptions", "client errors"),
    (r'5xx|SERVER_ERROR|class="5|code="5|_5\b', "errors"), ("0.99", "p99"), ("0.5|exec_time", "p50"), ("cpu", "cpu"),
    ("memory|heap|rss", "memory"), ("timeout|fail|cancel|rollback|reject|refus", "refusals"), ("disk|fs_", "disk"),
    ("hit|miss|evict", "cache"), ("lag|backlog|ready|unacked", "backlog"),
    ("connection|threads|pool|active|busy", "in use"),
)  # fmt: skip


def _classify(name: str, unit: str) -> str:
    found = next((kind for pattern, kind in _CLASSES if re.search(pattern, name)), "")
    return found or ("requests" if unit == "req/s" or "commit" in name else f"other in {unit}")


def _read_calls(dependencies: Dependencies) -> Features:
    """Its own calls alone, without the names at their other ends."""
    found: Features = {}
    for side, paths in (("calls", dependencies.calls), ("callers", dependencies.called_by)):
        shares = [read_share(path) for path in paths]
        found[f"{side}"] = float(len(paths))
        found[f"{side} worst"] = max((WORST[path.health] for path in paths), default=0.0)
        found[f"{side} best"] = min((WORST[path.health] for path in paths), default=0.0)
        found[f"{side} failing"] = max(shares, default=0.0)
        found[f"{side} failing least"] = min(shares, default=0.0)
        found[f"{side} unwell"] = float(sum(WORST[path.health] >= 1.0 for path in paths))
        for path, share in zip(paths, shares, strict=True):
            told = _SHARE.search(path.detail)
            for word in re.findall(r"[a-z]{4,}|\d{3}", told[2] if told and share else ""):
                found[f"word {side} {word}"] = 1.0
    found["failing more for callers"] = found["callers failing"] - found["calls failing"]
    return found


_RECENT = 45.0


def _read_times(deploys: Deploys, fired: float) -> Features:
    minutes = [(fired - _read_moment(change.at)) / 60.0 for change in deploys.history]
    before = [each for each in minutes if 0.0 <= each <= _RECENT]
    return {
        "minutes from change to page": min(before, default=60.0),
        "changed before page": float(bool(before)),
        "changed within 20 min of page": float(any(each <= 20.0 for each in before)),
        "changed within 10 min of page": float(any(each <= 10.0 for each in before)),
        "changed after page": float(any(each < 0.0 for each in minutes)),
        "changes of late": float(sum(each <= _RECENT for each in minutes)),
    }


def _read_kinds(deploys: Deploys, fired: float) -> Features:
    found: Features = {"changes ever": float(len(deploys.history))}
    for change in deploys.history:
        if 0.0 <= (fired - _read_moment(change.at)) / 60.0 <= _RECENT:
            found[f"note kind {change.kind}"] = 1.0
            found["newest version ends in 0"] = float(change.version.endswith(".0"))
            found |= {f"note {word}": 1.0 for word in read_note(change.note)}
    return found


def read_note(note: str) -> list[str]:
    """The words of a note, without its ticket."""
    return re.findall(r"[a-z]{4,}", note.partition(": ")[2].lower())


def get_newest(looks: Looks, fired: str) -> float:
    """Minutes from the newest change before the page to it; a day if there is none of late."""
    return min((each for each in list_minutes(looks.deploys, fired) if 0.0 <= each <= _RECENT), default=1440.0)
