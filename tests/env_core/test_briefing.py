"""What the briefing says of scores and of the runbook: what is true of the incident that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from env_core.briefing import write_briefing
from env_core.episode import begin
from env_core.guide import write_oncall_guide
from env_core.reference import Reference

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue

_PROVED = "GEN2-{}-D2-281474976710662"


def brief(catalogue: Catalogue, name: str) -> str:
    scenario = catalogue.get(name)
    return write_briefing(begin("id", Reference.to(scenario), scenario))


@pytest.mark.parametrize(
    ("code", "share", "until"),
    [("RCA", "1/6", "before any remediation"), ("RP", "1/8", "before the first repair that works")],
)
def test_a_proved_incident_tells_its_own_rules_alone(catalogue: Catalogue, code: str, share: str, until: str) -> None:
    told = brief(catalogue, _PROVED.format(code))
    rules = told.splitlines()[-1]
    assert rules.startswith("This incident is proved, and it runs. Score, 0.0 to 1.0: 0.")
    assert f"judged by the explanations of the alert that your looks have ruled out {until}" in rules
    assert f"are free, so look until you are certain, and each beyond takes {share}" in rules
    assert told.count("Score, 0.0 to 1.0") == 1
    for of_others in ("evidence for the cause", "what shows the cause", "the fewest costs", "on proved incidents"):
        assert of_others not in told


def test_the_guide_has_both_rules() -> None:
    guide = write_oncall_guide()
    assert "half of both without evidence" in guide
    assert "half of both if nothing is known" in guide


@pytest.mark.parametrize("name", ["RCA-001", "RP-001", "LIVE-RP-001", _PROVED.format("AC")])
def test_no_other_incident_says_so(catalogue: Catalogue, name: str) -> None:
    assert "This incident is proved" not in brief(catalogue, name)


def test_a_runbook_without_verifications_says_what_to_do_instead(catalogue: Catalogue) -> None:
    instead = "to see the recovery, let some minutes pass by `watch` and look again at what had failed."
    assert instead in brief(catalogue, _PROVED.format("RP"))
    assert instead not in brief(catalogue, "LIVE-RP-001")
    assert "If the runbook lists none, let\n" in write_oncall_guide()
