"""Candidates: every (service, family) that a world could hold, and what each would have to show."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from scenarios.generator.library import families, kinds
from scenarios.generator.place import BLAMING_SPREADS, OWN_TROUBLES

if TYPE_CHECKING:
    from scenarios.generator.family import Family, Kind
    from scenarios.generator.world import World


Role = Literal["root", "focal"]


class Candidate(NamedTuple):
    """A family at a node, with bit masks of nodes.

    `strains` are those it may strain, `carries` those that may fail because a callee does.
    """

    root: int
    family: Family
    strains: int
    carries: int


def candidates(world: World) -> list[Candidate]:
    """Every family at every node where it can strike."""
    found: list[Candidate] = []
    above = world.hard_above
    for family in families().values():
        spread, through, victims = family.spread, family.strikes.through, family.strikes.victims
        blaming = spread in BLAMING_SPREADS and family.trouble not in OWN_TROUBLES
        for root in world.of_kinds(family.strikes.kinds):
            if spread == "neighbours":
                strained = [
                    call.callee
                    for call in world.calls[root]
                    if not call.platform and world.nodes[call.callee].kind in through
                ]
            elif spread in BLAMING_SPREADS:
                strained = world.platform_holders(root, victims)
            else:
                strained = [root]
            if strained:
                strains = carries = 0
                for index in strained:
                    strains |= 1 << index
                    itself = 0 if blaming else 1 << index
                    carries |= above[index] & ~itself
                found.append(Candidate(root, family, strains, carries))
    return found


def signs(family: Family, role: Role, diagnostic: str, kind: Kind) -> frozenset[str]:
    """The signs of a family that one diagnostic shows at its root, or at the node that it overloads, of a kind."""
    return _signs(family.family, role, diagnostic, kind)


@lru_cache(maxsize=16384)
def _signs(name: str, role: Role, diagnostic: str, kind: Kind) -> frozenset[str]:
    family = families()[name]
    shows = family.root if role == "root" else family.focal
    match diagnostic:
        case "query_logs":
            return frozenset(shows.logs)
        case "check_metrics":
            known = kinds()[kind].metrics
            return frozenset(
                f"{dim} {'up' if value > (known[dim][2] + known[dim][3]) / 2 else 'down'}"
                for dim, value in shows.metrics.items()
                if dim in known
            )
        case "check_recent_deploys":
            return frozenset({shows.change.note}) if shows.change else frozenset()
        case "check_service_status":
            restarts = frozenset({"restarts"}) if shows.restarts else frozenset()
            flag = family.flag if role == "root" else ""
            return frozenset({*shows.notes, shows.state, flag} - {""}) | restarts
    return frozenset()
