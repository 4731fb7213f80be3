"""What roots show beside innocents that were changed, and innocents that were not: how well those hide a root."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from benchmarks.attackers.reading import list_minutes
from benchmarks.attackers.tables import get_interval
from scenarios.faults.notes import load_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.attackers.collecting import Looks, Sighting
    from benchmarks.attackers.reading import Groups
    from scenarios.vocabulary.diagnostics import Change

_RECENT = 30.0
_SIGNS: dict[str, Callable[[Groups], bool]] = {
    "a metric moved by half": lambda groups: groups["metrics"]["metrics moved"] > 0.0,
    "three metrics moved by half": lambda groups: groups["metrics"]["metrics moved"] >= 3.0,
    "a metric moved in the last 10 min": lambda groups: groups["metrics"]["first metric moved"] > 0.0,
    "errors in metrics up": lambda groups: groups["metrics"].get("errors up", 0.0) > 0.5,
    "p99 up by half": lambda groups: groups["metrics"].get("p99 up", 0.0) > 0.4,
    "processors up by a third": lambda groups: groups["metrics"].get("cpu up", 0.0) > 0.3,
    "memory up by a fifth": lambda groups: groups["metrics"].get("memory up", 0.0) > 0.18,
    "error lines in logs": lambda groups: groups["logs"]["lines of errors"] > 0.0,
    "started in the last 30 min": lambda groups: groups["status"]["uptime"] < math.log1p(_RECENT),
    "restarted by itself": lambda groups: groups["status"]["restarts"] > 0.0,
    "not all ready": lambda groups: groups["status"]["ready"] < 1.0,
    "fails a fifth of its callers' calls": lambda groups: groups["own calls"]["callers failing"] >= 0.2,
    "a callee fails or is slow": lambda groups: groups["own calls"]["calls worst"] >= 1.0,
}


def print_signs(incidents: Sequence[Sighting], told: Sequence[dict[str, Groups]]) -> None:
    """The share of roots and of innocents that show each sign, changed of late or not."""
    groups: dict[tuple[bool, bool], list[Groups]] = defaultdict(list)
    for seen, each in zip(incidents, told, strict=True):
        for name, looks in seen.looks.items():
            changed = any(True for _ in _list_recent(seen, looks))
            groups[name == seen.root, changed].append(each[name])
    columns = [(True, True), (False, True), (True, False), (False, False)]
    counts = ", ".join(str(len(groups[column])) for column in columns)
    print(f"\nsigns at components; changed in the 30 min before the page or not ({counts})")
    print(f"{'':<38}{'changed: root  innocent':>26}{'not: root  innocent':>24}")
    for title, shows in _SIGNS.items():
        shares = [sum(map(shows, groups[column])) / max(1, len(groups[column])) for column in columns]
        print(f"{title:<38}{shares[0]:>16.0%}{shares[1]:>10.0%}{shares[2]:>14.0%}{shares[3]:>10.0%}")


def print_guilt(incidents: Sequence[Sighting]) -> None:
    """Of the changes before a page, by what their notes say they are, those of the root."""
    kinds = {note: kind for kind, notes in load_notes().items() for note in notes}
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for seen in incidents:
        for name, looks in seen.looks.items():
            for change in _list_recent(seen, looks):
                kind = kinds.get(change.note.partition(": ")[2], "another note")
                for each in ("any", f"{change.kind}, {kind}"):
                    counts[each][0] += name == seen.root
                    counts[each][1] += 1
    print("\nof the changes in the 30 min before the page, by kind and note, those of the root [95 %]")
    for each, (right, of) in sorted(counts.items(), key=lambda item: -item[1][1]):
        least, most = get_interval(right / of, of)
        print(f"  {each:<28}{right:>4} of {of:<5}{right / of:>5.0%} [{least:.0%}–{most:.0%}]")


def _list_recent(seen: Sighting, looks: Looks) -> Iterator[Change]:
    minutes = list_minutes(looks.deploys, seen.alert["fired_at"])
    for change, each in zip(looks.deploys.history, minutes, strict=True):
        if 0.0 <= each <= _RECENT:
            yield change
