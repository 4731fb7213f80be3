"""What names a generated incident: task, seed and difficulty; and the splits, which are regions of the seeds."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from scenarios.vocabulary import TASKS, TaskId

if TYPE_CHECKING:
    from scenarios.generator.salt import Salt

GeneratorVersion = Literal["1", "2"]
"""A version of the generator that this release has."""

GENERATOR_VERSION: GeneratorVersion = "1"
"""Changes whenever the same name would give another incident. Part of every name."""
RUNNING_VERSION: GeneratorVersion = "2"
"""That of the generator whose incidents run."""
GENERATORS: tuple[GeneratorVersion, ...] = get_args(GeneratorVersion)
"""All versions. The first is the one that is meant where none is named."""

DIFFICULTIES = range(1, 6)
DEFAULT_DIFFICULTY = 3
"""Of a plain seed. The scenarios of a split have their own, each as often as the others."""

MOST_SEED = 2**63 - 1

OPEN = "open"
"""The region of the seeds that people type."""
OUT_OF_DISTRIBUTION = "test-ood"
"""The split whose combinations of fault and line of business occur in no other."""
PRIVATE = "private"
"""The split that only exists where a secret salt is set: nobody else knows its seeds."""

SplitKind = Literal["train", "validation", "test"]

_REGION_BITS = 48
_REGION_BYTES = _REGION_BITS // 8


@dataclass(frozen=True, slots=True)
class GeneratedSplit:
    """A split: `size` scenarios of each task, indexed from 0. Its seeds are those of `region`, and no other split's."""

    name: str
    region: int
    size: int
    kind: SplitKind


SPLITS = {
    split.name: split
    for split in (
        GeneratedSplit("train", 1, 1_000_000, "train"),
        GeneratedSplit("validation", 2, 100_000, "validation"),
        GeneratedSplit("test", 3, 100_000, "test"),
        GeneratedSplit(OUT_OF_DISTRIBUTION, 4, 100_000, "test"),
        GeneratedSplit(PRIVATE, 5, 100_000, "test"),
    )
}
"""The generated splits, by name."""

_REGIONS = {split.region: split.name for split in SPLITS.values()}


def region_of(seed: int) -> str:
    """The split in whose region of the seeds a seed lies; `OPEN` outside all of them."""
    return _REGIONS.get(seed >> _REGION_BITS, OPEN)


_OF_TWO_CAUSES = 256
_TWO_CAUSES_FROM = 4
"""The difficulty from which on incidents may have two causes."""


def count_causes(seed: int, difficulty: int) -> int:
    """How many causes the incident has that generator 2 draws by a seed and a difficulty: 1 or 2.

    Those with two have seeds of their own, 2^32 in the region of each split that is open to all, so that no other seed
    means anything else for it: not those that people type, nor those that were listed before there were any.
    """
    of_split = region_of(seed) not in {OPEN, PRIVATE}
    return 2 if of_split and difficulty >= _TWO_CAUSES_FROM and seed >> 32 & 0xFFFF == _OF_TWO_CAUSES else 1


class Name(NamedTuple):
    """A generated scenario. `private` is one of the private split, which no seed reaches that is typed.

    `generator` is the version of the one that makes it.
    """

    task_id: TaskId
    seed: int
    difficulty: int
    private: bool = False
    generator: GeneratorVersion = GENERATOR_VERSION

    @property
    def drawn(self) -> int:
        """The seed that the incident is drawn by, below 2^53: the own one, or, beyond what is open to all, a plain one
        in its place."""
        if self.private or self.seed >> _REGION_BITS == 0 or region_of(self.seed) not in {OPEN, PRIVATE}:
            return self.seed
        return int.from_bytes(_digest(str(self.seed), b"ci-folded")[:_REGION_BYTES])


def name_in(split: GeneratedSplit, task_id: TaskId | None, index: int, salt: Salt | None = None) -> Name:
    """The name of the scenario of a split at an index. Without a task the tasks take turns.

    Raises:
        ValueError: if it is one of the private split and there is no salt.
    """
    task_id = task_id or _TASKS[index % len(_TASKS)]
    private = split.name == PRIVATE
    if private and salt is None:
        raise ValueError("the private split needs a salt")
    key = salt.key(b"ci-split") if private and salt is not None else b""
    digest = _digest(f"{GENERATOR_VERSION}:{task_id}:{split.name}:{index}", b"ci-split", key)
    seed = split.region << _REGION_BITS | int.from_bytes(digest[:_REGION_BYTES])
    return Name(task_id, seed, DIFFICULTIES[int.from_bytes(digest[_REGION_BYTES:]) % len(DIFFICULTIES)], private)


_TASKS: tuple[TaskId, ...] = tuple(TASKS)


def _digest(text: str, purpose: bytes, key: bytes = b"") -> bytes:
    return blake2b(text.encode(), digest_size=16, key=key, person=purpose).digest()
