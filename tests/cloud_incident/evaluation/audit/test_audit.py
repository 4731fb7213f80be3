"""The audit: each check fails where its rule is broken, passes where it is not, and says which it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cloud_incident.about import describe_server
from cloud_incident.cli import main
from cloud_incident.evaluation.agents import EXPLOITS
from cloud_incident.evaluation.agents.cheats import Ceilings
from cloud_incident.evaluation.agents.oracle import Oracle
from cloud_incident.evaluation.audit.auditing import CHECKS, Audit
from cloud_incident.evaluation.audit.bounds import FEWEST, check_at_least, check_at_most, check_drop, check_rate
from cloud_incident.evaluation.audit.presentation import render_inventory
from cloud_incident.evaluation.audit.rewards import FLOOR_MARGIN
from cloud_incident.evaluation.audit.sample import Sample
from env_core.reference import RULES_VERSION
from scenarios.laws import LAWS
from tests.cloud_incident.evaluation.audit.broken_worlds import BROKEN, OneForAll, spoiling
from tests.slow import mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Collection

    from cloud_incident.evaluation.audit.check import CheckResult
    from scenarios.laws import Subject

ROOT = Path(__file__).parents[4]
OPENENV = {
    "runtime.seed_control",
    "runtime.episode_determinism",
    "runtime.episode_isolation",
    "runtime.oracle_containment",
    "runtime.reward_well_formed",
    "semantic.oracle_max",
    "semantic.floor_gap",
    "semantic.canary_floor",
    "semantic.no_solution_leakage",
    "semantic.verifier_determinism",
    "semantic.replayability",
    "semantic.resource_envelope",
    "statistical.reward_reachability",
    "statistical.difficulty_separation",
    "statistical.headroom",
    "statistical.variance_bound",
    "statistical.adversarial_floor",
    "statistical.gameability_gap",
}
"""The ids of OpenEnv's severity policy that are measured here."""

STATISTICAL = {
    "generator.naive_rules",
    "generator.severity_balance",
    "semantic.floor_gap",
    "semantic.resource_envelope",
    "statistical.adversarial_floor",
    "statistical.difficulty_separation",
    "statistical.gameability_gap",
    "statistical.headroom",
    "statistical.variance_bound",
}
"""Checks that rest on figures of a sample, which may be too small to tell."""

LONG = {
    "generator.naive_rules",
    "runtime.episode_determinism",
    "runtime.episode_isolation",
    "runtime.seed_control",
    "semantic.floor_gap",
    "semantic.replayability",
    "semantic.resource_envelope",
    "semantic.verifier_determinism",
    "statistical.adversarial_floor",
    "statistical.difficulty_separation",
    "statistical.gameability_gap",
    "statistical.headroom",
    *(f"world.{law}" for law in LAWS),
}
"""Checks whose broken worlds take seconds."""

QUICK = sorted(set(CHECKS) - LONG)
MANY = [name for name in CHECKS if not name.startswith("world.") or name == "world.return"]
"""All but most laws, which `tests.scenarios.laws` checks on the same incidents."""


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["audit", "--jobs", "1", *arguments])
    return result.exit_code, result.output


def test_the_inventory_is_openenvs_and_that_of_generator_and_world() -> None:
    assert {name for name in CHECKS if not name.startswith(("generator.", "world."))} == OPENENV


@pytest.mark.slow
@pytest.mark.parametrize("check_id", CHECKS)
def test_a_check_fails_where_its_rule_is_broken(check_id: str) -> None:
    world, options = BROKEN[check_id]
    audited = Audit(sample=Sample(**{"size": 2, **options}), checks=[check_id], world=world).run()
    (check,) = audited.checks
    assert check.spec.id == check_id
    assert check.status == "fail", (check.note, check.examples)
    assert not audited.passed


def test_laws_that_are_not_asked_for_are_not_played(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[str] = []

    def play(subject: Subject, laws: Collection[str]) -> dict[str, list[str]]:
        played.extend(laws)
        return {law: ["broken"] for law in laws}

    monkeypatch.setattr("cloud_incident.evaluation.audit.laws.find_breaches", play)
    (check,) = Audit(sample=Sample(size=1), checks=["world.return"], world=BROKEN["world.return"][0]).run().checks
    assert (played, check.status) == (["return"], "fail")


@pytest.mark.slow
def test_another_seed_gives_other_bytes() -> None:
    (check,) = Audit(sample=Sample(size=2), checks=["runtime.seed_control"], world=spoiling(OneForAll)).run().checks
    assert check.status == "fail"
    assert any("over again" in example for example in check.examples)


@pytest.mark.parametrize(("size", "names"), mark_slow_after(1, [(2, QUICK), (5, MANY)]), ids=["quick", "many"])
def test_a_small_audit_of_this_environment_is_green(tmp_path: Path, size: int, names: list[str]) -> None:
    file = tmp_path / "audit.json"
    code, text = run("--sample", str(size), "--json", str(file), *(f"--check={name}" for name in names))
    assert code == 0, text
    told = json.loads(file.read_bytes())
    assert told["passed"] is True
    assert [check["check_id"] for check in told["checks"]] == [name for name in CHECKS if name in names]
    statuses = {check["check_id"]: check["status"] for check in told["checks"]}
    unsure = {name for name, status in statuses.items() if status == "too_small_to_tell"}
    marks = {name: "? too small to tell" if name in unsure else "✓ pass" for name in names}
    assert all(f"| `{name}` | {mark} |" in text for name, mark in marks.items())
    assert unsure <= STATISTICAL
    doubt = f", {len(unsure)} too small to tell" if unsure else ""
    assert f"{len(names) - len(unsure)} of {len(names)} checks passed{doubt}, on {size} incidents" in text
    assert told["counts"] == {"pass": len(names) - len(unsure), "fail": 0, "too_small_to_tell": len(unsure)} | {
        "skip": 0,
        "error": 0,
    }
    assert all(("too small to tell" in check["note"]) == (check["check_id"] in unsure) for check in told["checks"])


def test_a_sample_that_is_too_small_to_tell_passes_nothing_and_fails_nothing(tmp_path: Path) -> None:
    file, check = tmp_path / "audit.json", "generator.severity_balance"
    code, text = run("--sample", "2", "--check", check, "--json", str(file))
    assert code == 0, text
    told = json.loads(file.read_bytes())
    assert told["checks"][0]["status"] == "too_small_to_tell"
    assert told["passed"] is True
    assert f"| `{check}` | ? too small to tell |" in text
    assert "0 of 1 checks passed, 1 too small to tell, on 2 incidents" in text
    version = describe_server().version
    assert f"with version {version}, rules {RULES_VERSION} and generator 1." in text
    assert f"Measured on {told['measured_at']} with version" in text
    assert (told["version"], told["rules"], told["generator"]) == (version, RULES_VERSION, "1")


def test_a_file_that_cannot_be_written_is_refused_before_the_audit(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, said in (
        (tmp_path / "none" / "audit.json", "does not exist"),
        (tmp_path / "file" / "audit.json", "is a file"),
        (tmp_path, "is a directory"),
        (Path("/sys/audit.json"), "cannot be written"),
    ):
        code, text = run("--sample", "1", "--check", "semantic.oracle_max", "--json", str(path))
        assert code == 2
        assert said in text
        assert "incidents" not in text


@pytest.mark.slow
def test_several_processes_find_what_one_does() -> None:
    checks = ["semantic.oracle_max", "statistical.headroom", "generator.structural_duplicates"]
    sample = Sample(size=6, splits=("open",))
    one, two = (Audit(sample=sample, checks=checks, jobs=jobs).run().checks for jobs in (1, 2))
    assert one == two


@pytest.mark.slow
def test_a_failed_check_is_named_and_the_exit_code_is_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(EXPLOITS, "insider", (Oracle, Ceilings()))
    file = tmp_path / "audit.json"
    code, text = run("--sample", "8", "--check", "statistical.adversarial_floor", "--json", str(file))
    assert code == 1
    assert "| `statistical.adversarial_floor` | ✗ FAIL |" in text
    assert "insider" in text
    assert json.loads(file.read_bytes())["passed"] is False


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--check", "semantic.nothing"], "semantic.oracle_max"),
        (["--split", "nowhere"], "validation"),
        (["--split", "curated"], "written by hand"),
        (["--split", "test", "--start", "99999"], "0 to 99999"),
        (["--task", "nothing"], "root_cause_analysis"),
        (["--sample", "0"], "--sample"),
        (["--difficulty", "6"], "--difficulty"),
    ],
)
def test_misuse_is_told_with_exit_code_2(arguments: list[str], said: str) -> None:
    code, text = run(*arguments)
    assert code == 2
    assert said in text


def test_a_sample_is_spread_over_splits_and_difficulties() -> None:
    specimens = Sample(size=40).list_specimens()
    assert len({(one.split, one.difficulty) for one in specimens}) == 20
    assert len(set(specimens)) == 40


def test_ranges_of_seeds_add_up() -> None:
    whole = Sample(size=20, splits=("open",)).list_specimens()
    later = Sample(size=13, start=7, splits=("open",)).list_specimens()
    assert [one[1:] for one in whole[7:]] == [one[1:] for one in later]


def test_difficulties_that_are_not_in_the_sample_are_skipped() -> None:
    sample = Sample(size=1, difficulties=(1,))
    found: dict[str, CheckResult] = {
        check.spec.id: check
        for check in Audit(sample=sample, checks=["generator.naive_rules", "statistical.difficulty_separation"])
        .run()
        .checks
    }
    assert {check.status for check in found.values()} == {"skip"}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0, 1))
def test_a_mean_within_its_bound_always_passes(values: list[float], limit: float) -> None:
    middle = sum(values) / len(values)
    assert check_at_most(values, max(limit, middle + 1e-9), "it").note == ""
    assert check_at_least(values, min(limit, middle - 1e-9), "it").note == ""


@given(st.lists(st.floats(0, 1), min_size=1, max_size=FEWEST - 1), st.floats(0, 1))
def test_a_few_values_tell_nothing_for_sure(values: list[float], limit: float) -> None:
    for found in (
        check_at_most(values, limit, "it"),
        check_at_least(values, limit, "it"),
        check_drop(values, values, 0.1, "it"),
    ):
        assert not found.broken
        assert found.note == "" or "too small to tell" in found.note


def test_what_is_far_out_of_bounds_is_told() -> None:
    assert check_at_most([0.9] * FEWEST, 0.2, "it").broken
    assert check_at_least([0.1] * FEWEST, 0.2, "it").broken
    assert check_drop([0.5] * FEWEST, [0.5] * FEWEST, 0.05, "it").broken
    assert check_rate(50, 100, 0.1, 0.3, "it").broken
    assert not check_rate(2, 4, 0.1, 0.3, "it").broken


@given(st.integers(1, 12), st.floats(0.02, 0.2))
def test_one_hit_among_few_is_no_proof(count: int, chance: float) -> None:
    found = check_rate(1, count, chance / 2, chance * 2, "it")
    assert not found.broken or (1 - (1 - chance * 2) ** count) < 0.026


def test_rates_of_large_samples_are_judged() -> None:
    assert check_rate(4000, 10_000, 0.2, 0.3, "it").broken
    assert not check_rate(3010, 10_000, 0.2, 0.3, "it").broken


def test_the_margin_is_the_one_declared() -> None:
    assert f"floor_margin: {FLOOR_MARGIN}\n" in (ROOT / "openenv.yaml").read_text("utf-8")


def test_the_document_lists_the_checks() -> None:
    assert render_inventory(CHECKS.values()) in (ROOT / "docs" / "audit.md").read_text("utf-8")
