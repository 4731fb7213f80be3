"""Certificates: affordable sets of evidence after which exactly one (service, family) of the library is left.

What evidence rules out rests on four laws of these worlds, which the drawing of backgrounds keeps:

1. One fault at a time. An unhealthy call path has its cause in the callee or beneath it, in what the caller holds or
   runs on, or in another caller that overloads the callee.
2. A fault shows its signs: where a family prints, moves or notes something, evidence without it excludes the family.
3. Signs that hurt nobody (shadows) stand on nodes that the fault does not reach, and are never of a class of trouble in
   which victims see the fault. So signs of the class that a victim sees, on a node that the victim's trouble can come
   from, are those of the cause.
4. If the alerting service is well, there is no incident, and the signs of a false alarm say of which kind it is.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from scenarios.generator.candidates import Candidate, candidates, signs
from scenarios.generator.place import BLAMING_SPREADS, OWN_TROUBLES
from scenarios.generator.render.paths import LATE, flows_of, handed_to
from scenarios.generator.simulate import DOORS, RED, SLOW
from scenarios.vocabulary import DIAGNOSTICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scenarios.generator.candidates import Role
    from scenarios.generator.family import Trouble
    from scenarios.generator.scene import Scene
    from scenarios.incident import Certificate, Item

LARGEST = 4
_MOST_VIEWERS = 4
_MIDDLE = frozenset({"errors", "slow", "late"})
"""What trouble turns into for those further away."""


class Sight(NamedTuple):
    """An unhealthy call path that an item shows: whose, into what, and as which class of trouble."""

    caller: int
    callee: int
    trouble: Trouble


class Told(NamedTuple):
    """What an item tells by itself: of which node, the candidates it leaves, the unhealthy call paths it shows, and the
    candidates whose signs it shows."""

    node: int
    leaves: int
    sights: tuple[Sight, ...]
    signing: tuple[int, ...]


class Detective:
    """Knows a scene's world and library, and what each item of evidence would show. It does not know the fault.

    What it is told of the scene is what rendered evidence shows: call paths, signs, and whether a node is well.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = scene.world
        self.every = candidates(scene.world)
        self.all = (1 << len(self.every)) - 1
        self._sights: dict[int, tuple[Sight, ...]] = {}
        self._explaining: dict[Sight, int] = {}
        self._told: dict[Item, Told] = {}
        self._of_node: dict[int, list[int]] = {}
        self._over_node: dict[int, list[int]] = {}
        for number, one in enumerate(self.every):
            self._of_node.setdefault(one.root, []).append(number)
            if one.family.spread == "neighbours":
                for call in self.world.calls[one.root]:
                    if one.strains >> call.callee & 1:
                        self._over_node.setdefault(call.callee, []).append(number)

    def left(self, items: Iterable[Item]) -> int:
        """The candidates, as a bit mask, that explain some items of evidence."""
        opened = list(items)
        left = self.all
        seen: list[Sight] = []
        for item in opened:
            told = self.told(item)
            left &= told.leaves
            seen += told.sights
        for item in opened:
            left &= self._pinned(item, seen, opened)
        return left

    def told(self, item: Item) -> Told:
        """What an item of evidence tells by itself."""
        found = self._told.get(item)
        if found is None:
            diagnostic, service = item
            node = self.world.index[service]
            leaves = ~self._lacking(diagnostic, node)
            sights = self.sights(node) if diagnostic in _TELLS_PATHS and self._readable(diagnostic, node) else ()
            for sight in sights:
                leaves &= self.explaining(sight)
            if node == self.scene.paged and diagnostic == self.wellness:
                leaves &= self._if_paged_is(well=self.well(node))
            found = self._told[item] = Told(node, leaves, sights, tuple(self._signing(diagnostic, node)))
        return found

    def sights(self, node: int) -> tuple[Sight, ...]:
        """The unhealthy call paths of a node."""
        found = self._sights.get(node)
        if found is None:
            scene, end = self.scene, self.scene.fault.now
            flows = flows_of(scene.first, node, end)
            ones = [Sight(node, callee, flow.trouble) for callee, flow in flows.items()]
            ones += [
                Sight(node, worker, "late")
                for worker in handed_to(scene, node)
                if scene.first.simulation.lag(worker, end) > LATE
            ]
            found = self._sights[node] = tuple(ones)
        return found

    def _readable(self, diagnostic: str, node: int) -> bool:
        lost = {"query_logs": self.scene.background.silent, "check_dependencies": self.scene.background.dark}
        return node not in lost.get(diagnostic, ())

    @property
    def wellness(self) -> str:
        """The diagnostic that tells whether the paging node is well: of a door, each route counts."""
        return "check_dependencies" if self.world.nodes[self.scene.paged].kind in DOORS else "check_metrics"

    def well(self, node: int) -> bool:
        """Whether a node does as it usually does."""
        if self.world.nodes[node].kind in DOORS:
            return not self.sights(node)
        found = self.scene.first.simulation.at(node, self.scene.fault.now)
        lag = self.scene.first.simulation.lag(node, self.scene.fault.now)
        if self.world.nodes[node].kind == "queue":
            return not self.sights(node) and (found is None or found.errors < RED)
        return lag <= LATE and (found is None or (found.errors < RED and found.slower < SLOW))

    def _if_paged_is(self, *, well: bool) -> int:
        """Law 4."""
        return self._mask(number for number, one in enumerate(self.every) if (one.family.spread == "alert") == well)

    def _mask(self, numbers: Iterable[int]) -> int:
        mask = 0
        for number in numbers:
            mask |= 1 << number
        return mask

    def explaining(self, sight: Sight) -> int:
        """The candidates that explain an unhealthy call path (law 1)."""
        found = self._explaining.get(sight)
        if found is None:
            found = self._explaining[sight] = self._mask(
                number for number, one in enumerate(self.every) if self._explains(one, sight)
            )
        return found

    def _explains(self, one: Candidate, sight: Sight) -> bool:
        family = one.family
        if family.spread == "alert":
            return False
        if one.carries >> sight.callee & 1 and sight.trouble in _MIDDLE:
            return True
        if family.trouble != sight.trouble:
            return False
        if family.spread in BLAMING_SPREADS and family.trouble not in OWN_TROUBLES:
            return bool(one.strains >> sight.caller & 1)
        return bool(one.strains >> sight.callee & 1)

    def shown(self, diagnostic: str, node: int) -> frozenset[str]:
        """The signs of families that an item shows, whoever's they are."""
        scene, fault = self.scene, self.scene.fault
        kind = self.world.nodes[node].kind
        shown: set[str] = set()
        if self._readable(diagnostic, node):
            if node == fault.root:
                shown |= signs(fault.family, "root", diagnostic, kind)
            if node == fault.shared:
                shown |= signs(fault.family, "focal", diagnostic, kind)
            shadow = scene.background.shadows.get(node)
            if shadow is not None:
                shown |= signs(shadow, "root", diagnostic, kind) - {shadow.root.state, shadow.flag, "restarts"}
        return frozenset(shown)

    def _lacking(self, diagnostic: str, node: int) -> int:
        """The candidates that an item excludes, since it lacks a sign of theirs (law 2)."""
        if not self._readable(diagnostic, node):
            return 0
        shown, kind = self.shown(diagnostic, node), self.world.nodes[node].kind
        roots = (
            number
            for number in self._of_node.get(node, ())
            if not signs(self.every[number].family, "root", diagnostic, kind) <= shown
        )
        focal = (
            number
            for number in self._over_node.get(node, ())
            if self.every[number].strains == 1 << node
            and not signs(self.every[number].family, "focal", diagnostic, kind) <= shown
        )
        return self._mask(itertools.chain(roots, focal))

    def _pinned(self, item: Item, seen: list[Sight], opened: list[Item]) -> int:
        """The candidates left once signs stand where a victim's trouble can come from (laws 3 and 4)."""
        told = self.told(item)
        pinned = self._mask(number for number in told.signing if self._meets(number, told.node, seen, opened))
        return pinned or self.all

    def _signing(self, diagnostic: str, node: int) -> Iterator[int]:
        """The candidates with signs at a node that an item shows: whose root it is, and who would overload it."""
        shown, kind = self.shown(diagnostic, node), self.world.nodes[node].kind
        roles: tuple[tuple[Role, dict[int, list[int]]], ...] = (("root", self._of_node), ("focal", self._over_node))
        for role, numbers in roles if shown else ():
            for number in numbers.get(node, ()):
                own = signs(self.every[number].family, role, diagnostic, kind)
                if own and own <= shown:
                    yield number

    def _meets(self, number: int, node: int, seen: list[Sight], opened: list[Item]) -> bool:
        """Whether trouble of a candidate's class, seen elsewhere than its signs, can come from it first-hand."""
        one = self.every[number]
        family = one.family
        if family.spread == "alert":
            paged = self.world.nodes[self.scene.paged].name
            return (self.wellness, paged) in opened and self.well(self.scene.paged)
        for sight in seen:
            if sight.trouble != family.trouble or sight.caller == node:
                continue
            if one.strains >> sight.callee & 1 or (
                family.spread in BLAMING_SPREADS and one.strains >> sight.caller & 1
            ):
                return True
        return False

    def truth(self) -> int:
        """The bit of the fault itself."""
        fault = self.scene.fault
        return self._mask(
            number for number, one in enumerate(self.every) if one.root == fault.root and one.family is fault.family
        )


_TELLS_PATHS = frozenset({"query_logs", "check_dependencies"})


def certificates(scene: Scene) -> tuple[Certificate, ...]:
    """All inclusion-minimal certificates of up to `LARGEST` items, the smallest first. Each spans two services.

    None where a single item would do.
    """
    detective = Detective(scene)
    truth = detective.truth()
    pool = list(dict.fromkeys(_pool(scene, detective)))
    if detective.left(pool) != truth or any(detective.left([item]) == truth for item in pool):
        return ()  # nothing tells, or one look tells all
    found: list[Certificate] = []
    for size in range(2, LARGEST + 1):
        for items in itertools.combinations(pool, size):
            chosen = frozenset(items)
            if len({service for _, service in items}) < 2 or any(one <= chosen for one in found):
                continue
            if detective.left(items) == truth and not _idle(detective, items, truth):
                found.append(chosen)
        if found and size >= 3:
            break
    return tuple(sorted(found, key=lambda one: (len(one), sorted(one))))


def _idle(detective: Detective, items: tuple[Item, ...], truth: int) -> bool:
    """Whether the others would do without one of the items."""
    return any(detective.left([*items[:number], *items[number + 1 :]]) == truth for number in range(len(items)))


def _pool(scene: Scene, detective: Detective) -> Iterator[Item]:
    """The items worth a look: what the first to meet the fault show, its root, and the node that it overloads."""
    fault, world = scene.fault, scene.world
    names = [node.name for node in world.nodes]
    if fault.family.spread == "alert":
        yield detective.wellness, names[scene.paged]
    else:
        yield from _viewers(scene)
    for diagnostic in DIAGNOSTICS:
        if diagnostic != "check_dependencies":
            yield diagnostic, names[fault.root]
    if fault.shared is not None:
        yield "query_logs", names[fault.shared]
        yield "check_metrics", names[fault.shared]


def _viewers(scene: Scene) -> Iterator[Item]:
    """Logs and call paths of those who see the fault at first hand."""
    fault, world, end = scene.fault, scene.world, scene.fault.now
    viewers: dict[int, None] = {}
    for focal in fault.focal:
        if focal in fault.blames:
            viewers[focal] = None
            continue
        for call in world.callers[focal]:
            if call.caller != fault.root and focal in flows_of(scene.first, call.caller, end):
                viewers[call.caller] = None
        if fault.family.trouble == "late" and world.nodes[focal].kind == "worker":
            for call in world.calls[focal]:
                if world.nodes[call.callee].kind == "queue":
                    viewers[call.callee] = None
    for index in sorted(viewers)[:_MOST_VIEWERS]:
        name = world.nodes[index].name
        yield "query_logs", name
        yield "check_dependencies", name
