"""Listed draws: their proofs are about what is drawn today, and they are played as proved in every task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from env_core.episode import begin
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from env_core.transition import step
from scenarios.catalogue import Catalogue
from scenarios.drawing import draw
from scenarios.generator.naming import SPLITS, count_causes, region_of
from scenarios.proofs import prove
from scenarios.proofs.knowledge import Knowledge, find_knowledge
from scenarios.running.listed import list_proofs
from tests.slow import EXAMPLES, WIDE

if TYPE_CHECKING:
    from collections.abc import Collection

    from scenarios.incident import Item
    from scenarios.proofs import Proof

LISTED = sorted(list_proofs().items())
FIRST = min(LISTED, key=lambda listed: (listed[0][1], listed[0][0]))
SOME = sorted((key for key, _ in LISTED), key=lambda key: (key[1], key[0]))[:: 1 if EXAMPLES >= WIDE else 15]
"""One of fifteen, of each difficulty, and all of them in the wide run."""


def test_each_split_but_the_private_one_has_some() -> None:
    assert {region_of(seed) for (seed, _), _ in LISTED} == SPLITS.keys() - {"private"}


def test_a_proof_is_small_and_leaves_nobody_else() -> None:
    for key, (_, proof) in LISTED:
        assert len(proof.model_dump_json()) <= 20_000 * count_causes(*key)
        assert _find_of_first(proof, ()).start == len(proof.suspects) - len(proof.alike) + 1
        for certificate in proof.certificates:
            assert _find_of_first(proof, certificate).left == 1


def _find_of_first(proof: Proof, seen: Collection[Item]) -> Knowledge:
    """What is known of the cause, or of the first of two."""
    known = find_knowledge(proof, seen)
    return known.causes[0] if known.causes else known


@pytest.mark.slow
def test_each_proof_is_about_what_is_drawn_today() -> None:
    drawn = {key: draw(*key).digest for key, _ in LISTED}
    assert drawn == {key: listed.drawn for key, listed in LISTED}


@pytest.mark.slow
def test_a_proof_is_found_again() -> None:
    (seed, difficulty), listed = FIRST
    drawn = draw(seed, difficulty)
    assert prove(drawn.background, drawn.fault, difficulty, drawn.second) == listed.proof


def _play(code: str, seed: int, difficulty: int) -> None:
    scenario = Catalogue().get(f"GEN2-{code}-D{difficulty}-{seed}")
    episode = begin("e", Reference.to(scenario), scenario)
    for action in play_perfectly(scenario.incident, scenario.task):
        transition = step(episode, action)
        episode = transition.episode
    assert "proved" not in {*transition.info(), *transition.info()["grade"]}  # what is not proved says so
    assert transition.info()["grade"]["score"] == 1.0


@pytest.mark.parametrize("code", ["RCA", "RP"])
def test_perfect_play_of_a_listed_draw_scores_everything(code: str) -> None:
    _play(code, *FIRST[0])


@pytest.mark.slow
@pytest.mark.parametrize("key", [key for key, _ in LISTED if count_causes(*key) == 2], ids=str)
def test_perfect_play_repairs_listed_draws_with_two_causes(key: tuple[int, int]) -> None:
    _play("RP", *key)


@pytest.mark.slow
@pytest.mark.parametrize("key", SOME, ids=str)
def test_perfect_play_repairs_listed_draws(key: tuple[int, int]) -> None:
    _play("RP", *key)
