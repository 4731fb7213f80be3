"""How roots, families and changes are spread over drawn incidents: what an attacker can learn without a look."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.attackers.reading import list_minutes, read_note
from benchmarks.attackers.tables import get_interval
from scenarios.faults import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from benchmarks.attackers.collecting import Sighting
    from scenarios.vocabulary.diagnostics import Change

_RECENT = 30.0
_EDGES = (-60.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 60.0)


def print_kinds(incidents: Sequence[Sighting]) -> None:
    """How often each kind of component is the root, beside how often it stands there and how often it could be."""
    stands: dict[str, float] = defaultdict(float)
    could: dict[str, float] = defaultdict(float)
    for seen in incidents:
        for kind in seen.kinds.values():
            stands[kind] += 1.0 / len(seen.kinds) / len(incidents)
        struck = [targets for targets in seen.strikable.values() if targets]
        for targets in struck:
            for name in targets:
                could[seen.kinds[name]] += 1.0 / len(targets) / len(struck) / len(incidents)
    roots = Counter(seen.kinds[seen.root] for seen in incidents)
    print(
        f"\n{'kind of component':<26} stands  could be  is root [95 %]   (could be: a family that fits, then a target)"
    )
    for kind, share in sorted(stands.items(), key=lambda item: -item[1]):
        part = roots[kind] / len(incidents)
        least, most = get_interval(part, len(incidents))
        unlike = " <-" if not least <= could[kind] <= most else ""
        print(f"{kind:<26} {share:>5.1%}  {could[kind]:>7.1%}  {part:>7.1%} [{least:.1%}–{most:.1%}]{unlike}")


def print_families(drawn: Sequence[Sighting]) -> None:
    """How often each family is drawn, and pages."""
    every = Counter(seen.family for seen in drawn)
    paged = Counter(seen.family for seen in drawn if seen.alert)
    expected = len(drawn) / len(FAMILIES)
    print(f"\nfamilies: drawn/paged within half an hour, of {len(drawn)} draws; {expected:.1f} expected of each")
    told = [f"{name} {every[name]}/{paged[name]}" for name in sorted(FAMILIES, key=lambda name: -every[name])]
    for first in range(0, len(told), 4):
        print("  " + "  ".join(f"{each:<36}" for each in told[first : first + 4]).rstrip())


def print_changes(incidents: Sequence[Sighting]) -> None:
    """The share of roots and of others with a change before the page, and how long before it comes."""
    newest: dict[bool, list[float]] = {True: [], False: []}
    entries: dict[bool, list[float]] = {True: [], False: []}
    for seen in incidents:
        for name, looks in seen.looks.items():
            minutes = list_minutes(looks.deploys, seen.alert["fired_at"])
            newest[name == seen.root].append(min((each for each in minutes if each >= 0.0), default=1e9))
            entries[name == seen.root] += [each for each in minutes if each <= _EDGES[-1]]
    for is_root, who in ((True, "roots"), (False, "others")):
        some = newest[is_root]
        recent = sum(each <= _RECENT for each in some) / max(1, len(some))
        print(f"{who:<7} with a change in the 30 min before the page: {recent:.1%} of {len(some)}")
    print("minutes from the change to the page (below 0: after the page), share of entries in each range")
    ranges = [f"{low:g} to {high:g}" for low, high in pairwise(_EDGES)]
    print(f"{'':<8}{'  '.join(f'{each:>8}' for each in ranges)}   entries")
    for is_root, who in ((True, "roots"), (False, "others")):
        of = max(1, len(entries[is_root]))
        parts = [sum(low <= each < high for each in entries[is_root]) / of for low, high in pairwise(_EDGES)]
        print(f"{who:<8}{'  '.join(f'{part:>8.1%}' for part in parts)}   {len(entries[is_root])}")
    guilty = {
        kind: [0, 0] for kind in ("any", *sorted({*(kind for seen in incidents for kind in seen.kinds.values())}))
    }
    for seen in incidents:
        for name, looks in seen.looks.items():
            if any(0.0 <= each <= _RECENT for each in list_minutes(looks.deploys, seen.alert["fired_at"])):
                for kind in ("any", seen.kinds[name]):
                    guilty[kind][0] += name == seen.root
                    guilty[kind][1] += 1
    print("of components changed in the 30 min before the page, those that are the root, by kind")
    print("  " + ", ".join(f"{kind} {right}/{of}" for kind, (right, of) in guilty.items() if of))


def print_guesses(incidents: Sequence[Sighting]) -> None:
    """How often the family follows from the newest change of the root alone."""
    changed = [(change, seen.family) for seen in incidents if (change := _find_newest(seen))]
    print(f"\nthe family, told the root, from its newest change alone ({len(changed)} of {len(incidents)} have one)")
    for title, keys in (
        ("its kind", [change.kind for change, _ in changed]),
        ("its note", [" ".join(read_note(change.note)) for change, _ in changed]),
    ):
        print(f"  {title:<10} {_guess(keys, [family for _, family in changed]):.0%}")
    most = Counter(family for _, family in changed).most_common(1)
    print(f"  most often {sum(count for _, count in most) / max(1, len(changed)):.0%}")


def _find_newest(seen: Sighting) -> Change | None:
    history = seen.looks[seen.root].deploys.history
    minutes = list_minutes(seen.looks[seen.root].deploys, seen.alert["fired_at"])
    return next((change for change, each in zip(history, minutes, strict=True) if 0.0 <= each <= _RECENT), None)


def _guess(keys: Iterable[Hashable], answers: Sequence[str]) -> float:
    """How often an answer is the most frequent one of the others with the same key."""
    counts: dict[Hashable, Counter[str]] = {}
    pairs = list(zip(keys, answers, strict=True))
    for key, answer in pairs:
        counts.setdefault(key, Counter())[answer] += 1
    right = 0.0
    for key, answer in pairs:
        others = counts[key] - Counter([answer])
        best = max(others.values(), default=0)
        tops = [each for each, count in others.items() if count == best]
        right += (answer in tops) / len(tops) if tops else 0.0
    return right / max(1, len(pairs))
