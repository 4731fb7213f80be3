"""Mechanisms: what a fault does stays within what is possible, begins at its onset and ends when it is mended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scenarios.generator.library import families
from scenarios.generator.mechanisms import CALM, MECHANISMS

struck = st.sampled_from(list(families().values())).flatmap(
    lambda family: st.tuples(
        st.just(family),
        st.fixed_dictionaries({name: st.floats(low, high) for name, (low, high) in family.numbers.items()}),
    )
)


@given(struck, st.integers(0, 90), st.floats(0, 1))
def test_strain_is_possible(case: tuple, minute: int, strength: float) -> None:  # type: ignore[type-arg]
    family, numbers = case
    strain = MECHANISMS[family.mechanism].acts(numbers, minute, strength)
    assert 0 <= strain.errors <= 1
    assert strain.factor >= 1
    assert strain.load >= 1
    assert 0 <= strain.lost <= 1
    assert 0 <= strain.level <= 1


@given(struck, st.integers(-60, -1))
def test_nothing_happens_before_the_onset(case: tuple, minute: int) -> None:  # type: ignore[type-arg]
    family, numbers = case
    strain = MECHANISMS[family.mechanism].acts(numbers, minute, 1.0)
    assert strain._replace(level=0.0) == CALM


@given(struck, st.integers(0, 60), st.floats(0, 1), st.floats(0, 1))
def test_half_mended_hurts_no_more_than_not_mended(case: tuple, minute: int, one: float, other: float) -> None:  # type: ignore[type-arg]
    family, numbers = case
    weak, strong = sorted((one, other))
    acts = MECHANISMS[family.mechanism].acts
    less, more = acts(numbers, minute, weak), acts(numbers, minute, strong)
    assert less.errors <= more.errors + 1e-9
    assert less.factor <= more.factor + 1e-9


@given(struck)
def test_an_incident_hurts_in_the_end_and_a_false_alarm_never(case: tuple) -> None:  # type: ignore[type-arg]
    family, numbers = case
    worst = [MECHANISMS[family.mechanism].acts(numbers, minute, 1.0) for minute in range(60)]
    hurts = any(strain.errors > 0.01 or strain.factor > 1.2 or strain.lost > 0.05 for strain in worst)
    assert hurts == (family.spread != "alert")
