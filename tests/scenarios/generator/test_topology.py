"""Worlds: their sizes, their shapes, their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.generator.dice import Dice
from scenarios.generator.library import archetypes, kinds
from scenarios.generator.place import FITTING
from scenarios.generator.topology import draw_world
from tests.slow import count_examples

if TYPE_CHECKING:
    from scenarios.generator.family import Kind
    from scenarios.generator.library import Archetype
    from scenarios.generator.world import World

ALWAYS: tuple[Kind, ...] = (
    *("edge", "gateway", "cdn", "cache", "queue", "identity", "secrets", "config", "dns", "network", "cluster"),
    "monitor",
)

worlds = st.builds(
    lambda key, archetype, difficulty, needed, severity: draw_world(
        archetype, difficulty, (needed,), FITTING[severity], Dice(key)
    ),
    st.integers(0, 10**6),
    st.sampled_from(archetypes()),
    st.integers(1, 5),
    st.sampled_from([kind for kind in kinds() if kind not in {"third_party", "cron"}]),
    st.sampled_from(["P1", "P2", "P3", "P4"]),
)


@settings(max_examples=count_examples(150))
@given(worlds)
def test_a_world_is_a_graph_without_cycles_and_with_sensible_numbers(world: World) -> None:
    place = {index: number for number, index in enumerate(world.order)}
    assert sorted(place) == list(range(len(world.nodes)))
    assert len({node.name for node in world.nodes}) == len(world.nodes)
    for calls in world.calls:
        for call in calls:
            assert place[call.callee] < place[call.caller]
            assert call.timeout > 0
            assert call.retries >= 0
            if not call.platform:
                assert call.timeout >= world.nodes[call.callee].p99 or call.timeout == 5000
    for node in world.nodes:
        assert node.rate > 0
        assert 0 < node.p50 < node.p99
        assert 0 <= node.errors < 0.01
        assert node.replicas >= 1


@settings(max_examples=count_examples(80))
@given(worlds)
def test_every_journey_leads_through_its_doors(world: World) -> None:
    assert world.journeys
    for journey in world.journeys:
        doors = world.doors_of(journey)
        assert (doors[-1] if doors else journey.entry) == journey.door
        for door in doors:
            assert world.nodes[door].kind in {"gateway", "edge", "cdn"}
            assert world.nodes[door].rate >= journey.rate * 0.99


@settings(max_examples=count_examples(60))
@given(st.integers(0, 10**6), st.sampled_from(archetypes()), st.sampled_from(ALWAYS))
def test_what_is_needed_is_there(key: int, archetype: Archetype, kind: Kind) -> None:
    assert draw_world(archetype, 4, (kind,), FITTING["P2"], Dice(key)).of_kinds((kind,))


def test_structure_differs_and_not_only_names() -> None:
    shapes = set()
    for key in range(120):
        world = draw_world(archetypes()[key % 12], 3, ("sql",), FITTING["P2"], Dice(key))
        shapes.add(
            tuple(sorted((world.nodes[call.caller].kind, len(calls)) for calls in world.calls for call in calls[:1]))
        )
    assert len(shapes) >= 118
