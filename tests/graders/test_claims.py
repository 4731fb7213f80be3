"""What a summary states and claims."""

from __future__ import annotations

import pytest

from graders.claims import find_claims, find_told_of_pronouns, states

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
    assert find_claims(text, action, target, SERVICES)


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
    assert not find_claims(text, action, target, SERVICES)


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
    assert not find_claims(text, "execute_runbook_step", target)


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
    assert find_claims(text, "restart_service", "order-service", SERVICES)
    assert not find_claims(text, "restart_service", "api-gateway", SERVICES)


def test_what_stands_beyond_the_verbs_reach_is_not_claimed() -> None:
    text = "Restarted analytics-service after its export killed postgres-db."
    assert find_claims(text, "restart_service", "analytics-service", SERVICES)
    assert not find_claims(text, "restart_service", "postgres-db", SERVICES)


@pytest.mark.parametrize(
    "text",
    [
        "Kubernetes keeps restarting api-gateway.",
        "The kubelet has already restarted api-gateway several times.",
        "api-gateway keeps restarting.",
        "api-gateway was restarted by Kubernetes again and again.",
        "api-gateway restarted by itself at 14:02.",
        "api-gateway crashed and restarted on its own.",
        "api-gateway is restarting every few minutes.",
        "Instances of api-gateway get restarted over and over.",
        "Pods of api-gateway were restarted by the liveness probe.",
        "The platform restarts api-gateway whenever the probe fails.",
        "The rollout restarted api-gateway.",
        "The host patches restarted api-gateway with all other members.",
        "The restart count of api-gateway rose to 12.",
        "The restarts of api-gateway stopped.",
        "The owner restarted api-gateway last week.",
        "They restarted api-gateway before we were paged.",
        "We asked the owners to restart api-gateway.",
        "Nobody restarted api-gateway.",
        "No one has restarted api-gateway so far.",
        "Somebody should restart api-gateway next week.",
        "Someone has to restart api-gateway tomorrow.",
        "api-gateway needs to be restarted once more.",
        "We plan to restart api-gateway in the next maintenance.",
        "We were about to restart api-gateway when it recovered.",
        "As a follow-up: restart api-gateway with a new limit.",
        "TODO restart api-gateway.",
        "A restart of api-gateway is still needed.",
        "A restart of api-gateway might help.",
        "If we had restarted api-gateway, nothing would have changed.",
        "Unless we restart api-gateway it will happen again.",
        "Restarting api-gateway would not have helped.",
        "We could have restarted api-gateway, and did not.",
        "It was not necessary to restart api-gateway.",
        "There was no need to restart api-gateway.",
        "We avoided restarting api-gateway.",
        "We did without restarting api-gateway.",
    ],
)
def test_what_others_did_and_what_is_only_thought_of_is_no_claim(text: str) -> None:
    assert not find_claims(text, "restart_service", "api-gateway", SERVICES)


@pytest.mark.parametrize(
    ("text", "action", "target"),
    [
        ("nobody scaled order-service", "scale_service", "order-service"),
        ("The autoscaler scaled order-service to 12 replicas.", "scale_service", "order-service"),
        ("order-service was scaled by its autoscaler.", "scale_service", "order-service"),
        ("config-service was rolled back by its team last month.", "rollback_deploy", "config-service"),
        ("We did not have to roll back config-service.", "rollback_deploy", "config-service"),
        ("Someone has to expand the db volume next week.", "execute_runbook_step", "expand_db_volume"),
        ("The db volume must be expanded by the owner.", "execute_runbook_step", "expand_db_volume"),
        ("Nobody expanded the db volume.", "execute_runbook_step", "expand_db_volume"),
    ],
)
def test_no_deed_of_others_is_a_claim(text: str, action: str, target: str) -> None:
    assert not find_claims(text, action, target, SERVICES)


@pytest.mark.parametrize(
    "text",
    [
        "I restarted api-gateway at 14:02.",
        "We had to restart api-gateway.",
        "api-gateway has been restarted by us.",
        "By restarting api-gateway we cut the back-off short.",
        "We fixed it by restarting api-gateway.",
        "It recovered after a restart of api-gateway.",
        "Finally, api-gateway got restarted and the errors stopped.",
        "Kubernetes kept killing it, so we restarted api-gateway.",
        "Since it kept crashing we restarted api-gateway.",
        "Because nobody had restarted it, we restarted api-gateway.",
        "Then the on-call engineer restarted api-gateway.",
    ],
)
def test_own_deeds_are_claims_whatever_stands_beside_them(text: str) -> None:
    assert find_claims(text, "restart_service", "api-gateway", SERVICES)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("We looked at config-service. We rolled it back.", [("config-service",)]),
        ("config-service was changed; it was then rolled back by us.", [("config-service",)]),
        ("The change of config-service broke api-gateway, so we reverted it.", [("config-service", "api-gateway")]),
        ("We rolled it back.", []),
        ("config-service failed. Nobody rolled it back.", []),
        ("config-service failed. Someone has to roll it back.", []),
        ("config-service failed. Its owner rolled it back.", []),
    ],
)
def test_what_a_deed_done_to_a_pronoun_means(text: str, meant: list[tuple[str, ...]]) -> None:
    assert [names for names, _ in find_told_of_pronouns(text, "rollback_deploy", SERVICES)] == meant


def test_a_service_called_after_others_is_a_target_all_the_same() -> None:
    names = (*SERVICES, "kube-platform", "identity-provider")
    text = "To repair it we rolled back kube-platform, restarted kube-platform, restarted order-service."
    assert states(text, "restart_service", "kube-platform", names)
    assert states(text, "restart_service", "order-service", names)
    assert find_claims(
        "We rolled back identity-provider, restarted auth-service.", "restart_service", "auth-service", names
    )


@pytest.mark.parametrize(
    "name", ["plans-api", "limits-service", "alert-engine", "script-runner", "operator-api", "limits", "policy"]
)
def test_words_in_the_name_of_a_service_say_nothing_of_the_deed(name: str) -> None:
    names = (name, "postgres-db")
    assert states(f"To repair it we rolled back {name}, restarted {name}.", "rollback_deploy", name, names)
    assert states(f"To repair it we rolled back {name}, restarted {name}.", "restart_service", name, names)
    assert states(f"We looked at {name}. We rolled it back.", "rollback_deploy", name, names)
    assert find_claims(f"We restarted {name.replace('-', ' ')} and postgres-db.", "restart_service", name, names)
    assert find_claims(f"We restarted {name} and postgres-db.", "restart_service", "postgres-db", names)
    assert not find_claims(f"We plan to restart {name}.", "restart_service", name, names)
