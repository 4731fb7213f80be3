"""What a summary states and claims."""

from __future__ import annotations

import pytest

from graders.claims import claims, states

SERVICES = ("analytics-service", "postgres-db", "auth-service", "order-service", "api-gateway", "config-service")


@pytest.mark.parametrize(
    ("text", "action", "target"),
    [
        (
            "We restarted analytics-service, postgres-db, api-gateway and then order-service.",
            "restart_service",
            "order-service",
        ),
        ("We rolled config-service back.", "rollback_deploy", "config-service"),
        ("Rolled back config-service to v3.11.", "rollback_deploy", "config-service"),
        ("config-service was reverted.", "rollback_deploy", "config-service"),
        ("We turned the flag full_history_export off.", "disable_feature_flag", "full_history_export"),
        ("The full_history_export flag was disabled.", "disable_feature_flag", "full_history_export"),
        ("BGP routes were restored from the border routers.", "execute_runbook_step", "restore_bgp_routes"),
        ("We executed restore_bgp_routes.", "execute_runbook_step", "restore_bgp_routes"),
        ("Credential rotation was triggered.", "execute_runbook_step", "trigger_credential_rotation"),
        ("postgres-db was restarted.", "restart_service", "postgres-db"),
        ("We scaled api-gateway to 12 replicas.", "scale_service", "api-gateway"),
        ("api-gateway has been rolled back.", "rollback_deploy", "api-gateway"),
        ("Restarted: postgres-db", "restart_service", "postgres-db"),
        ("We restarted the failing api-gateway.", "restart_service", "api-gateway"),
        ("api-gateway was promptly restarted.", "restart_service", "api-gateway"),
        ("New pods could not log in, so we rolled back config-service.", "rollback_deploy", "config-service"),
        ("To prevent kills that might follow, we restarted postgres-db.", "restart_service", "postgres-db"),
        ("We flushed the cache of api-gateway.", "clear_cache", "api-gateway"),
    ],
)
def test_claimed_and_stated(text: str, action: str, target: str) -> None:
    assert states(text, action, target)
    assert claims(text, action, target, SERVICES)


@pytest.mark.parametrize(
    ("text", "action", "target"),
    [
        ("We did not restart postgres-db.", "restart_service", "postgres-db"),
        ("postgres-db was never restarted.", "restart_service", "postgres-db"),
        ("We should restart postgres-db next week.", "restart_service", "postgres-db"),
        ("As a follow-up we will roll back config-service.", "rollback_deploy", "config-service"),
        ("postgres-db recovered by itself.", "restart_service", "postgres-db"),
        ("A restart of postgres-db was unnecessary.", "restart_service", "postgres-db"),
        ("A rollback of config-service was considered and rejected.", "rollback_deploy", "config-service"),
        ("We decided against rolling back config-service.", "rollback_deploy", "config-service"),
        ("Instead of rolling back config-service we waited.", "rollback_deploy", "config-service"),
        ("Next time, restart postgres-db.", "restart_service", "postgres-db"),
        ("We restarted api-gateway. Later postgres-db recovered.", "restart_service", "postgres-db"),
    ],
)
def test_denied_future_and_unsaid(text: str, action: str, target: str) -> None:
    assert not states(text, action, target)
    assert not claims(text, action, target, SERVICES)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Checkout recovery was verified in the metrics.", "verify_checkout_recovery"),
        ("We verified API recovery.", "verify_api_recovery"),
        ("The message backlog is draining.", "drain_message_backlog"),
        ("We ran restore_bgp_routes instead of drain_availability_zone.", "drain_availability_zone"),
    ],
)
def test_runbook_steps_not_claimed(text: str, target: str) -> None:
    assert not claims(text, "execute_runbook_step", target)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("We restored the routes with the runbook.", "restore_bgp_routes"),
        ("We triggered a fresh credential rotation.", "trigger_credential_rotation"),
        ("Restored the BGP routes.", "restore_bgp_routes"),
    ],
)
def test_runbook_steps_stated_in_plain_words(text: str, target: str) -> None:
    assert states(text, "execute_runbook_step", target)


def test_a_name_with_a_verb_of_its_own_is_not_claimed() -> None:
    text = "We restarted auth-service and order-service, and api-gateway recovered."
    assert claims(text, "restart_service", "order-service", SERVICES)
    assert not claims(text, "restart_service", "api-gateway", SERVICES)


def test_what_stands_beyond_the_verbs_reach_is_not_claimed() -> None:
    text = "Restarted analytics-service after its export killed postgres-db."
    assert claims(text, "restart_service", "analytics-service", SERVICES)
    assert not claims(text, "restart_service", "postgres-db", SERVICES)
