"""Fault families: each is data that holds together, and there are enough of them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import scenarios.generator
from graders.root_cause import match_failure_mode
from scenarios.generator.library import archetypes, decoys, families, kinds, voices
from scenarios.generator.mechanisms import MECHANISMS
from scenarios.incident import Truth
from scenarios.library import load_failure_families, load_runbook_catalogue

if TYPE_CHECKING:
    from scenarios.generator.family import Family

NAMES = {"root", "focal", "flag", "version", "previous", "replicas", "onset", "before", "id", "share"}
IN_ROUTINE = NAMES | {"request", "callee", "service", "ms", "callee_ms"}
FOLDER = Path(scenarios.generator.__file__).parent / "families"

every = pytest.mark.parametrize("family", families().values(), ids=lambda family: family.family)


def _unknown_placeholders(text: str, known: set[str]) -> list[str]:
    return [
        name
        for name in re.findall(r"\{([^}]*)\}", text)
        if name not in known and not re.fullmatch(r"=?(?:(?:n|harm):\d+-\d+|pick:.+|id)", name)
    ]


def test_there_are_enough_of_every_group() -> None:
    groups = Counter(family.group for family in families().values())
    assert len(families()) >= 40
    assert len(groups) == 10
    assert min(groups.values()) >= 4
    assert {family.mechanism for family in families().values()} == set(MECHANISMS)
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(families())


@every
def test_numbers_are_what_the_mechanism_asks_for(family: Family) -> None:
    assert set(family.numbers) == MECHANISMS[family.mechanism].numbers
    assert all(low <= high for low, high in family.numbers.values())


@every
def test_words_affirm_the_failure_and_no_other(family: Family) -> None:
    truth = Truth("P1", "x", family.words.concepts, frozenset(family.words.families))
    assert set(family.words.families) <= set(load_failure_families())
    for text in (family.words.answer, *family.words.also):
        match, why = match_failure_mode(text, truth)
        assert match == 1, f"{text!r}: {why}"


@every
def test_the_plan_can_be_made_and_ends_in_a_verification(family: Family) -> None:
    left = [1.0]
    for stage in family.plan:
        for step in stage.do:
            action, target = step.split()[:2]
            if action == "execute_runbook_step":
                assert load_runbook_catalogue()[target].verify == (stage.leaves is None)
            assert action != "rollback_deploy" or family.root.change is not None or target != "{root}"
        if stage.leaves is not None:
            left.append(stage.leaves)
    assert left == sorted(set(left), reverse=True)
    assert left[-1] == 0
    assert family.plan[-1].leaves is None
    planned = {step for stage in family.plan for step in stage.do}
    assert not planned & {tempting.do for tempting in family.tempting}


@every
def test_signs_are_of_dimensions_that_its_kinds_have(family: Family) -> None:
    roles = {"root": family.strikes.kinds, "focal": family.strikes.through}
    for role, shows in family.shows().items():
        for dim in shows.metrics:
            assert any(dim in kinds()[kind].metrics for kind in roles[role]), f"{role}: {dim}"
    for kind in family.strikes.kinds:
        shown = [dim for dim in family.root.metrics if dim in kinds()[kind].metrics]
        assert shown or family.root.logs or family.root.change or family.root.notes, kind


@every
def test_texts_have_no_unknown_placeholder_and_no_victim_names_the_root(family: Family) -> None:
    for role, shows in family.shows().items():
        texts = (*shows.logs, *shows.notes, shows.state, shows.change.note if shows.change else "")
        for text in texts:
            assert not _unknown_placeholders(text, NAMES), text
            assert role == "root" or "{root}" not in text
    assert bool(family.flag) == any("{flag}" in step for stage in family.plan for step in stage.do)


def test_no_two_families_print_the_same() -> None:
    printed = Counter(line for family in families().values() for line in {*family.root.logs, *family.focal.logs})
    assert [line for line, times in printed.items() if times > 1] == []


@pytest.mark.parametrize("archetype", archetypes(), ids=lambda one: one.archetype)
def test_archetypes_hold_together(archetype: object) -> None:
    found = next(one for one in archetypes() if one is archetype)
    services = {service.name: service for service in found.services}
    assert len(services) == len(found.services)
    assert {journey.entry for journey in found.journeys} <= set(services)
    assert {"core", "major", "minor", "internal"} == {journey.kind for journey in found.journeys}
    for service in found.services:
        assert {*service.calls, *service.tries, *filter(None, [service.consumes])} <= set(services)
        assert (service.kind == "worker") == bool(service.consumes)
        if not service.optional:
            assert not [callee for callee in service.calls if services[callee].optional]


def test_voices_and_decoys_hold_together() -> None:
    assert len(archetypes()) >= 10
    for kind, entry in kinds().items():
        assert entry.voice == "any" or entry.voice in voices(), kind
        for anomaly in decoys().anomalies[kind]:
            assert set(anomaly.metrics) <= set(entry.metrics)
    for voice in voices().values():
        for line in (*voice.routine, *voice.calm, *voice.chronic, *voice.recovered, *voice.restarted):
            assert line.partition(": ")[0] in voice.levels
            assert not _unknown_placeholders(line, IN_ROUTINE), line
