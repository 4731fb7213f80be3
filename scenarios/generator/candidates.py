"""Candidates: every (service, family) that a world could hold, and what each would have to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenarios.generator.library import families, kinds
from scenarios.generator.place import BLAMING_SPREADS, OWN_TROUBLES

if TYPE_CHECKING:
    from scenarios.generator.family import Family, Shows
    from scenarios.generator.world import World


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


def signs(shows: Shows, diagnostic: str, kind: str, flag: str = "") -> frozenset[str]:
    """The signs of a family at a node of a kind that one diagnostic shows."""
    match diagnostic:
        case "query_logs":
            return frozenset(shows.logs)
        case "check_metrics":
            known = kinds()[kind].metrics  # type: ignore[index]
            return frozenset(
                f"{dim} {'up' if value > (known[dim][2] + known[dim][3]) / 2 else 'down'}"
                for dim, value in shows.metrics.items()
                if dim in known
            )
        case "check_recent_deploys":
            return frozenset({shows.change.note}) if shows.change else frozenset()
        case "check_service_status":
            restarts = frozenset({"restarts"}) if shows.restarts else frozenset()
            return frozenset({*shows.notes, shows.state, flag} - {""}) | restarts
    return frozenset()
