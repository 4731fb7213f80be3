"""The nine curated scenarios: the facts that must hold, and whether each incident is fit to serve."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cloud_incident.evaluation.audit import find_defects
from scenarios.incident import count_fewest_steps
from scenarios.library import load_failure_families, load_runbook_catalogue
from scenarios.progress import UNTOUCHED
from scenarios.vocabulary import DIAGNOSTICS, TASKS

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue, Scenario

SEVERITIES = {"AC-001": "P1", "AC-002": "P2", "AC-003": "P3", "RCA-001": "P1", "RCA-002": "P2", "RCA-003": "P2"}
ROOTS = {"001": "analytics-service", "002": "network-infra", "003": "config-service"}
PLANS = {
    "RP-001": [
        {"disable_feature_flag full_history_export"},
        {"restart_service analytics-service"},
        {"restart_service postgres-db"},
        {"restart_service auth-service", "restart_service order-service"},
        {"execute_runbook_step verify_db_health"},
    ],
    "RP-002": [
        {"execute_runbook_step restore_bgp_routes"},
        {"rollback_deploy network-infra"},
        {"execute_runbook_step verify_cross_az_connectivity"},
        {"execute_runbook_step verify_checkout_recovery"},
    ],
    "RP-003": [
        {"rollback_deploy config-service"},
        {"execute_runbook_step trigger_credential_rotation"},
        {"restart_service user-service", "restart_service notification-service", "restart_service order-service"},
        {"execute_runbook_step verify_db_connectivity"},
        {"execute_runbook_step verify_api_recovery"},
    ],
}


def evidence_text(scenario: Scenario, service: str, field: str) -> str:
    return scenario.incident.evidence(field, service, UNTOUCHED).text


def test_nine_scenarios_in_order(catalogue: Catalogue) -> None:
    ids = [scenario.id for scenario in catalogue.scenarios.values()]
    assert ids == [f"{task}-00{number}" for task in ("AC", "RCA", "RP") for number in (1, 2, 3)]
    assert len(catalogue.incidents) == 6
    assert [catalogue.at(task_id, 2).id for task_id in TASKS] == ["AC-003", "RCA-003", "RP-003"]


def test_facts(scenario: Scenario) -> None:
    truth = scenario.incident.truth
    kind, number = scenario.id.split("-")
    assert truth.severity == SEVERITIES[scenario.id.replace("RP", "RCA")]
    if kind != "AC":
        assert truth.service == ROOTS[number]
        assert len(scenario.incident.services) >= 8
    if kind == "RP":
        assert [{step.step for step in stage} for stage in scenario.incident.plan.stages] == PLANS[scenario.id]
    assert list(scenario.incident.services) == sorted(scenario.incident.services)


@pytest.mark.parametrize(
    ("scenario_id", "patterns"),
    [
        ("AC-001", [r"500\s*/\s*500|500 of 500", r"78", r"12[.,]?\d?k|12[ ,]?[01]\d\d|-?12\.\d"]),
        ("AC-002", [r"\b3(\.\d)? ?%|\b3\.\d\b|\b3\b", r"48[ ,.]?\d*", r"\b800\b|0\.8"]),
        ("AC-003", [r"45(\.\d)? ?%|45\.\d", r"fallback|best-?seller"]),
    ],
)
def test_classification_facts_are_in_evidence(catalogue: Catalogue, scenario_id: str, patterns: list[str]) -> None:
    scenario = catalogue.get(scenario_id)
    texts = [
        evidence_text(scenario, service, diagnostic)
        for service in scenario.incident.services
        for diagnostic in DIAGNOSTICS
    ]
    everything = "\n".join([*texts, str(scenario.incident.alert), scenario.incident.summary])
    for pattern in patterns:
        assert re.search(pattern, everything, re.IGNORECASE), pattern


def test_no_victims_log_names_network_infra(catalogue: Catalogue) -> None:
    incident = catalogue.incidents["bgp-route-withdrawal"]
    assert incident.document.truth.unnamed_in == ["logs"]
    for service in incident.services:
        for variant in incident.document.services[service].logs:
            assert service == "network-infra" or "network-infra" not in variant.lines


def test_every_service_answers_every_diagnostic(scenario: Scenario) -> None:
    for service in scenario.incident.services:
        for diagnostic in DIAGNOSTICS:
            text = evidence_text(scenario, service, diagnostic)
            assert text.startswith(service)
            assert "\n" in text


def test_certificates(scenario: Scenario) -> None:
    certificates = scenario.incident.certificates(scenario.task.id)
    assert certificates
    for one in certificates:
        assert len(one) >= 2
        assert len({service for _, service in one}) >= 2
        assert not any(other < one for other in certificates)
    if scenario.task.remediates:
        assert count_fewest_steps(scenario.incident, scenario.task) <= scenario.task.max_steps - 3


@pytest.mark.slow
def test_fit_to_serve(catalogue: Catalogue) -> None:
    assert {incident.id: find_defects(incident) for incident in catalogue.incidents.values()} == {
        incident: [] for incident in catalogue.incidents
    }


def test_the_library_is_shared_and_plausible() -> None:
    runbooks = load_runbook_catalogue()
    assert 25 <= len(runbooks) <= 80
    assert sum(step.verify for step in runbooks.values()) >= 8
    assert len(load_failure_families()) >= 20
