"""What is known after some looks: nothing at the start, all after a certificate, never less for a look more."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.proofs.knowledge import Knowledge, find_knowledge
from scenarios.running.listed import list_proofs

PROOFS = [listed.proof for listed in list_proofs().values()][:12]


def test_nothing_is_known_at_the_start_and_all_after_each_certificate() -> None:
    for proof in PROOFS:
        assert find_knowledge(proof, ()).share == 0
        for certificate in proof.certificates:
            assert find_knowledge(proof, certificate).share == 1
            assert find_knowledge(proof, certificate[1:]).share < 1


@given(st.data())
def test_who_looks_more_never_knows_less(data: st.DataObject) -> None:
    proof = data.draw(st.sampled_from(PROOFS))
    looks = [(look, component) for look, component in (item.split(" ", 1) for item in proof.masks)]
    order = data.draw(st.permutations(looks))
    shares = [find_knowledge(proof, order[:count]).share for count in range(len(order) + 1)]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    useless = [*order[:2], ("check_metrics", "a component that there is not")]
    assert find_knowledge(proof, useless) == find_knowledge(proof, order[:2])


@pytest.mark.parametrize(
    ("start", "left", "share"), [(16, 16, 0), (16, 4, 0.5), (16, 1, 1), (9, 3, 0.5), (100, 10, 0.5)]
)
def test_a_look_that_halves_what_is_left_tells_as_much_each_time(start: int, left: int, share: float) -> None:
    assert abs(Knowledge(start, left).share - Fraction(share)) < Fraction(1, 10**8)
