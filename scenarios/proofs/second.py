"""What a proof says of the second of two causes, and what somebody knows of each who has seen some of an incident.

A look counts for both causes until a remediation has served one. From then on it counts for the other one alone, and
when the first is repaired by what looks tell then. Evidence says so in its name (`name_sighting`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict

from scenarios.proofs.certifying import MOST_CERTIFICATES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from scenarios.incident import Certificate, Item
    from scenarios.proofs.operating import Deed
    from scenarios.proofs.proof import Proof
    from scenarios.proofs.repairs import Deeds

CAUSES = 2
_LATER = "+"


class SecondCause(BaseModel):
    """The second cause of an incident, in the words of `Proof`.

    `operations` are those of the accepted repairs that serve it; all others serve the first. `later` are the masks of
    who looks when the first is repaired, and `later_certificates` the sets of looks that tell it then.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    operations: tuple[tuple[str, str], ...]
    suspects: tuple[tuple[str, str], ...]
    masks: dict[str, str]
    later: dict[str, str]
    certificates: tuple[tuple[tuple[str, str], ...], ...]
    later_certificates: tuple[tuple[tuple[str, str], ...], ...]
    least_left: int
    alike: tuple[str, ...] = ()
    searcher: int


class Suspicion(NamedTuple):
    """Who is suspected instead of one cause, and what looks tell of them: at once, and when the other is repaired."""

    suspects: tuple[tuple[str, str], ...]
    masks: Mapping[str, str]
    later: Mapping[str, str]

    def find_all(self) -> int:
        """The suspects that some look excludes, as a mask."""
        return _join(self.masks.values()) | _join(self.later.values())

    def find_excluded(self, number: int, seen: Collection[Item]) -> int:
        """The suspects that some evidence excludes, if this is the cause of a number."""
        return _join(self._list_told(number, seen))

    def list_excluding(self, place: int) -> list[Item]:
        """The looks that exclude the suspect at a place, at once or later."""
        written = [
            item for masks in (self.masks, self.later) for item, mask in masks.items() if int(mask, 16) >> place & 1
        ]
        return [(look, name) for item in dict.fromkeys(written) for look, _, name in [item.partition(" ")]]

    def _list_told(self, number: int, seen: Collection[Item]) -> Iterator[str]:
        for look, component in seen:
            diagnostic, at, how = look.partition("@")
            if at and int(how.removesuffix(_LATER)) != number:
                continue
            masks = self.later if how.endswith(_LATER) else self.masks
            yield masks.get(f"{diagnostic} {component}", "0")


def list_suspicions(proof: Proof) -> tuple[Suspicion, ...]:
    """What is suspected instead of each cause."""
    first = Suspicion(proof.suspects, proof.masks, proof.later)
    second = proof.second
    return (first,) if second is None else (first, Suspicion(second.suspects, second.masks, second.later))


def name_sighting(item: Item, cause: int, *, later: bool) -> Item:
    """Evidence that counts for the cause of a number alone, seen `later` if the other cause was repaired by then."""
    return f"{item[0]}@{cause}{_LATER if later else ''}", item[1]


def list_joint_certificates(proof: Proof) -> tuple[Certificate, ...]:
    """The smallest sets of looks that tell both causes while nothing is repaired; none if the second hides."""
    second = proof.second
    if second is None:
        return tuple(frozenset(each) for each in proof.certificates)
    joined = dict.fromkeys(frozenset({*one, *other}) for one in proof.certificates for other in second.certificates)
    return tuple(sorted(joined, key=lambda items: (len(items), sorted(items)))[:MOST_CERTIFICATES])


def hides(proof: Proof) -> bool:
    """Whether no looks tell the second cause before the first is repaired."""
    return proof.second is not None and not proof.second.certificates


def list_first_before_second(repairs: Sequence[Deeds], of_second: Collection[Deed]) -> tuple[Deeds, ...]:
    """Those of some repairs in which the first cause is repaired before the second."""
    sides = ((repair, [deed in of_second for deed in repair]) for repair in repairs)
    return tuple(repair for repair, side in sides if side == sorted(side))


def count_looks_at_both(proof: Proof) -> int:
    """The fewest looks that tell both causes: at once, or the second when the first is repaired."""
    joint = list_joint_certificates(proof)
    if joint or proof.second is None:
        return len(joint[0])
    return len(proof.certificates[0]) + len(proof.second.later_certificates[0])


def _join(masks: Collection[str] | Iterator[str]) -> int:
    joined = 0
    for mask in masks:
        joined |= int(mask, 16)
    return joined
