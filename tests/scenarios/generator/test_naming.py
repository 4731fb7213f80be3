"""Names of generated incidents: seeds and splits, and the ids, plain and opaque."""

from __future__ import annotations

from base64 import b32encode
from collections import Counter
from itertools import pairwise
from math import sqrt
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.generator.ids import Ids, OpaqueIds, PlainIds, UnknownNameError
from scenarios.generator.naming import DIFFICULTIES, MOST_SEED, OPEN, PRIVATE, SPLITS, Name, name_in, region_of
from scenarios.generator.salt import Salt, SaltError
from scenarios.vocabulary import TaskId
from tests.slow import mark_slow_after

SALT = Salt.of("0123456789abcdef")
LASTING = [
    "GEN1-RCA-D1-470135731980369",
    "GEN1-RCA-D2-777533011093299",
    "GEN1-RCA-D4-1019740281792027",
    "GEN1-RCA-D2-1153992610728337",
]
FOLDED = 16559935371699
LASTING_OPAQUE = ("GX1-UUE3GXR75O4GY26ONC23BSEWUY", "gx1-fegw6oroae4fh4vxi2znujt5ga")

tasks = st.sampled_from(get_args(TaskId))
seeds = st.integers(0, MOST_SEED)
difficulties = st.sampled_from(DIFFICULTIES)
names = st.builds(Name, tasks, seeds, difficulties, st.just(False))
salts = st.binary(min_size=16, max_size=200).map(Salt)
splits = st.sampled_from([*SPLITS.values()])


@given(name=names)
def test_plain_ids_are_read_as_they_are_written(name: Name) -> None:
    ids = PlainIds()
    assert ids.parse(ids.scenario(name)) == ids.parse(f" {ids.scenario(name).lower()}\n") == name
    assert str(name.seed) in ids.incident(name)


@given(name=names, salt=salts)
def test_opaque_ids_name_what_they_were_made_of(name: Name, salt: Salt) -> None:
    ids = OpaqueIds(salt)
    text = ids.scenario(name)
    again = ids.parse(f" {text.lower()} ")
    assert again is not None
    assert (again.task_id, again.difficulty, again.drawn) == (name.task_id, name.difficulty, name.drawn)
    assert ids.scenario(again) == text
    assert ids.incident(again) == ids.incident(name)
    assert ids.parse(ids.incident(name)) is None
    assert not again.private


@given(split=splits, task=tasks, index=st.integers(0, 99_999), salt=salts)
def test_opaque_ids_of_splits_keep_what_is_private(split: object, task: TaskId, index: int, salt: Salt) -> None:
    name = name_in(split, task, index, salt)  # type: ignore[arg-type]
    assert OpaqueIds(salt).parse(OpaqueIds(salt).scenario(name)) == name


@given(name=names, salt=salts, other=salts)
def test_an_id_is_unknown_under_another_salt(name: Name, salt: Salt, other: Salt) -> None:
    if salt != other:
        assert OpaqueIds(other).parse(OpaqueIds(salt).scenario(name)) is None


@given(name=names, where=st.integers(0, 25), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_a_changed_id_is_unknown(name: Name, where: int, letter: str) -> None:
    ids = OpaqueIds(SALT)
    kind, sealed = ids.scenario(name)[:4], ids.scenario(name)[4:]
    forged = sealed[:where] + letter + sealed[where + 1 :]
    assert ids.parse(f"{kind}{forged}") == (ids.parse(f"{kind}{sealed}") if forged == sealed else None)
    assert ids.parse(f"GX{'1' if name.generator == '2' else '2'}-{sealed}") is None


@pytest.mark.slow
@given(sealed=st.binary(max_size=40), text=st.text(max_size=40))
def test_forged_ids_are_unknown(sealed: bytes, text: str) -> None:
    ids = OpaqueIds(SALT)
    assert ids.parse(f"GX1-{b32encode(sealed).decode().rstrip('=')}") is None
    assert ids.parse(f"GX1-{text}") is None
    assert PlainIds().parse(f"GEN1-{text}") is None


def test_opaque_ids_have_nothing_in_common() -> None:
    ids = OpaqueIds(SALT)
    related = [Name(task, seed, level) for task in get_args(TaskId) for seed in range(200) for level in DIFFICULTIES]
    sealed = [ids.scenario(name).removeprefix("GX1-") for name in related]
    sealed += [ids.incident(name).removeprefix("gx1-").upper() for name in related[:1000]]
    assert len({one[:8] for one in sealed}) == len({one[13:24] for one in sealed}) == len(sealed)
    for place in range(25):
        assert max(Counter(one[place] for one in sealed).values()) < 2 * len(sealed) / 32


@pytest.mark.parametrize("ids", [PlainIds(), OpaqueIds(SALT)])
@pytest.mark.parametrize("version", ["0", "3", "17"])
def test_other_versions_are_told(ids: Ids, version: str) -> None:
    kind = "GEN" if isinstance(ids, PlainIds) else "GX"
    with pytest.raises(UnknownNameError, match=rf"version {version}; this release has 1 and 2.*generate"):
        ids.parse(f"{kind}{version}-rca-D3-42")


@pytest.mark.parametrize(
    "text",
    [
        "GEN1-RCA-D3-042",
        "GEN1-RCA-D6-4",
        "GEN1-RCA-D0-4",
        "GEN1-XX-D3-4",
        f"GEN1-RP-D3-{2**63}",
        "GEN1-RP-D3-٣",
        "GEN1",
        "",
    ],
)
def test_what_is_no_plain_id(text: str) -> None:
    assert PlainIds().parse(text) is None


def test_the_other_kind_of_ids() -> None:
    name = Name("root_cause_analysis", 42, 3)
    assert OpaqueIds(SALT).parse(PlainIds().scenario(name)) is None
    with pytest.raises(UnknownNameError, match="its salt is set"):
        PlainIds().parse(OpaqueIds(SALT).scenario(name))


@pytest.mark.parametrize("size", mark_slow_after(1, [10_000, 100_000]))
def test_splits_never_overlap_and_are_balanced(size: int) -> None:
    drawn: set[int] = set()
    for split in SPLITS.values():
        assert split.size >= 100_000
        found = [name_in(split, None, index, SALT) for index in range(size)]
        own = {name.drawn for name in found}
        assert len(own) == len(found)
        assert {region_of(seed) for seed in own} == {split.name}
        assert max(own) < 2**53
        assert not own & drawn
        drawn |= own
        by_level, by_task = Counter(name.difficulty for name in found), Counter(name.task_id for name in found)
        assert all(abs(count - size / 5) < 4 * sqrt(size * 0.2 * 0.8) for count in by_level.values())
        assert max(by_task.values()) - min(by_task.values()) <= 1


def test_neighbours_share_nothing() -> None:
    found = [name_in(SPLITS["train"], "root_cause_analysis", index) for index in range(2_000)]
    differing = [(one.seed ^ other.seed).bit_count() for one, other in pairwise(found)]
    assert 22 < sum(differing) / len(differing) < 26
    of_others = [name_in(SPLITS["train"], "alert_classification", index) for index in range(2_000)]
    assert not {name.seed for name in found} & {name.seed for name in of_others}


def test_these_opaque_ids_last() -> None:
    """What a salt makes of a name may only change with the version, because servers have handed such ids out."""
    ids, name = OpaqueIds(SALT), Name("root_cause_analysis", 42, 3)
    assert (ids.scenario(name), ids.incident(name)) == LASTING_OPAQUE


def test_these_names_last() -> None:
    """What an index of a split names may only change with the version."""
    named = [PlainIds().scenario(name_in(split, None, 7)) for split in SPLITS.values() if split.name != PRIVATE]
    assert named == LASTING
    assert Name("alert_classification", 2**60 + 1, 3).drawn == FOLDED


@given(seed=seeds)
def test_typed_seeds_reach_every_region_but_the_private_one(seed: int) -> None:
    drawn = Name("alert_classification", seed, 3).drawn
    assert drawn < 2**53
    assert region_of(drawn) != PRIVATE
    if region_of(seed) not in {OPEN, PRIVATE} or seed < 2**48:
        assert drawn == seed
    else:
        assert region_of(drawn) == OPEN


def test_seeds_of_the_private_region_are_folded_when_typed() -> None:
    private = name_in(SPLITS[PRIVATE], None, 0, SALT)
    typed = private._replace(private=False)
    assert (region_of(private.drawn), region_of(typed.drawn)) == (PRIVATE, OPEN)
    assert name_in(SPLITS[PRIVATE], None, 0, Salt.of("another 0123456789")).seed != private.seed
    with pytest.raises(ValueError, match="salt"):
        name_in(SPLITS[PRIVATE], None, 0)


def test_salts_are_long_and_never_printed() -> None:
    assert "0123" not in repr(SALT)
    assert Salt.of(" 0123456789abcdef\n") == SALT
    with pytest.raises(SaltError, match="15 bytes and needs 16") as error:
        Salt.of("hunter2-hunter2")
    assert "hunter2" not in str(error.value)
