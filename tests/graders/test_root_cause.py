"""How well a text says what failed: honest tellings are paid, soups and constant texts are not."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from benchmarks.constant_text import measure_text, search_text
from graders.hedging import find_kin
from graders.prose import find_affirmed
from graders.root_cause import match_failure_mode, share_affirmed
from scenarios.evidence import Evidence
from scenarios.generator.library import families
from scenarios.incident import Lookalike, Truth

TELLINGS = [json.loads(line) for line in Path(__file__).with_name("tellings.jsonl").read_text("utf-8").splitlines()]
MOST_OF_A_CONSTANT_TEXT = 0.15


class Shown(Evidence):
    """Evidence with a text of its own."""

    said: str

    @property
    def heading(self) -> str:
        return "logs"

    def body(self) -> str:
        return self.said


@cache
def make_truth(family: str) -> Truth:
    words = families()[family].words
    return Truth("P1", "it", words.concepts, frozenset(words.families), words.answer)


def match(text: str, family: str, *shown: str) -> Fraction:
    evidence = [Shown(service="it", as_of="2026-03-03T14:02Z", said=said) for said in shown]
    return match_failure_mode(text, make_truth(family), ("it",), evidence)[0]


def list_tellings(kind: str) -> list[tuple[str, str]]:
    return [(telling["family"], telling["text"]) for telling in TELLINGS if telling["kind"] == kind]


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("There's no majority to accept writes", "quorum-lost"),
        ("Pods crash on boot: a mandatory setting isn't in the environment", "missing-environment-variable"),
        ("The variable is not set", "missing-environment-variable"),
        ("It doesn't have a quorum", "quorum-lost"),
        ("Clients dont get a free source port", "ephemeral-ports"),
        ("The probe kills healthy instances, its timeout is too short", "probe-misconfiguration"),
        ("The prefixes aren't announced", "route-withdrawal"),
    ],
)
def test_a_denial_belongs_to_the_idea_that_it_tells(text: str, family: str) -> None:
    assert match(text, family) == 1


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("It is not the case that the variable isn't set", "missing-environment-variable"),
        ("There is no sign that the variable isn't set", "missing-environment-variable"),
        ("If the certificate had expired, clients would refuse it", "expired-certificate"),
        ("Could it be that the certificate has expired?", "expired-certificate"),
        ("The certificate has not expired", "expired-certificate"),
        ("An expired certificate was ruled out", "expired-certificate"),
        ("The certificate that expired is harmless", "expired-certificate"),
    ],
)
def test_what_is_denied_asked_or_supposed_earns_nothing(text: str, family: str) -> None:
    assert match(text, family) < 1


def test_honest_tellings_are_paid_in_full() -> None:
    unpaid = [(family, text) for family, text in list_tellings("right") if match(text, family) < 1]
    assert len(unpaid) <= len(list_tellings("right")) * 0.02, unpaid


def test_tellings_of_another_failure_earn_nothing() -> None:
    paid = [(family, text) for family, text in list_tellings("wrong") if match(text, family)]
    assert len(paid) <= len(list_tellings("wrong")) * 0.03, paid


def test_half_a_telling_is_not_paid_in_full() -> None:
    full = [(family, text) for family, text in list_tellings("half") if match(text, family) == 1]
    assert len(full) <= len(list_tellings("half")) * 0.05, full


@pytest.mark.parametrize("family", families())
def test_no_reason_gives_a_term_away(family: str) -> None:
    truth = make_truth(family)
    for text in ("it is broken somehow", " ".join(term.replace("*", "") for term in truth.concepts[0][:1])):
        facts = [why.facts["missed"] for why in match_failure_mode(text, truth)[1] if "missed" in why.facts]
        told = "; ".join(name for names in facts if isinstance(names, list) for name in names)
        affirmed = find_affirmed(text, truth.concepts).groups
        missed = [group for group, said in zip(truth.concepts, affirmed, strict=True) if not said]
        assert not any(find_affirmed(told, tuple(missed)).groups), told


@pytest.mark.parametrize(
    "others", [("dns-failure",), ("dns-failure", "memory-leak"), ("dns-failure", "memory-leak", "disk-full")]
)
def test_other_failures_take_their_share_and_three_take_all(others: tuple[str, ...]) -> None:
    texts = ["The image pull secret was deleted", *(families()[other].words.also[0] for other in others)]
    expected = Fraction(1, len(texts)) if len(others) < 3 else 0
    assert match("; ".join(texts), "pull-secret-gone") <= expected
    assert match(texts[0], "pull-secret-gone") == 1


def test_a_text_about_another_failure_earns_nothing_for_words_in_passing() -> None:
    text = "The new version needs an environment variable that isn't set, so that the pods crash at start"
    assert match(text, "missing-environment-variable") == 1
    assert match(text, "bad-release") == 0


@pytest.mark.parametrize("family", families())
def test_a_truth_and_its_kin_do_not_exclude_each_other(family: str) -> None:
    truth = make_truth(family)
    kin = find_kin(truth.concepts, truth.families)
    assert family in kin
    assert len(kin) < len(families()) / 3


def test_siblings_follow_from_shared_words() -> None:
    full, kept = make_truth("disk-full"), make_truth("retention-fills-volume")
    assert "retention-fills-volume" in find_kin(full.concepts, full.families)
    assert "disk-full" in find_kin(kept.concepts, kept.families)
    assert "dns-failure" not in find_kin(full.concepts, full.families)


LOG = "W0303 node agent reports a long gc pause of 3 s"


@pytest.mark.parametrize(
    ("text", "shown", "paid"),
    [
        ("DiskPressure, kubelet evicts pods: image garbage collection freed 0 bytes", "image gc ran", True),
        ("DiskPressure, kubelet evicts pods: reports a long gc pause of 3 s", LOG, True),
        ('DiskPressure, kubelet evicts pods ("gc pause")', LOG, True),
        ("DiskPressure, kubelet evicts pods: reports a long gc pause of 3 s", "all is well", False),
        ("DiskPressure, kubelet evicts pods after a gc pause", LOG, False),
        ("DiskPressure, kubelet evicts pods: the node agent had many gc pauses", LOG, False),
    ],
)
def test_a_quotation_of_evidence_names_no_other_failure(text: str, shown: str, paid: bool) -> None:
    assert (match(text, "node-pressure-eviction", "first", shown) == 1) == paid


def test_a_quotation_of_evidence_still_names_the_true_failure() -> None:
    shown = "warn: x509: certificate has expired or is not yet valid"
    assert match("x509: certificate has expired or is not yet valid", "expired-certificate", shown) == 1


CONSTANT_TEXTS = [
    "cache; disk attach; out of ports; used up; eviction event stale; webhook; fd; blow up; pause; vendor "
    "offline; kube apiserver overload; lopsided; name lookup; cname; batch; resend; members; probes; env "
    "var not defined; column dropped; bad config; policies; resolved on its own; no slots; ddl; merge "
    "aggressive; producer each field; canary; memory; new key stale key; subnet; cfs quota; refus; out of "
    "space; flap no impact; version; maxreplicas; gone; pull secret removal; trace trace level; workers",
    "rights not granted; audience; authori wildcard; expired; burn processor; allow list narrowed; payload; wrong",
    "partition; mute; unavailable; keeps connection; packet size; endless; caller list not cover; flaw; "
    "packet size; rights not have; poison; threshold; write protect; gone; push out",
    "port 53; zone; read all rows; all the time; own password; unchanged; kube apiserver; batch workload; "
    "one of them; head of queue; consistency check; overlay bad config",
    "gone; denied; exhausted; stale; too low; too many; down; not set; wrong; slow; no incident; removed; full; lost",
    "dns; cache; disk; memory; cpu; threads; ports; tokens; certificate; routes; packets; queue; index; "
    "lock; pods; flag",
    "It is not DNS, nor a certificate; not only a lock. If the disk were full, writes would fail. Is it memory? No.",
]


@pytest.mark.parametrize("text", CONSTANT_TEXTS)
def test_no_constant_text_earns_much(text: str) -> None:
    truths = {make_truth(family): 1 for family in families()}
    assert measure_text(text, truths) <= MOST_OF_A_CONSTANT_TEXT


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_search_with_the_lists_open_finds_no_constant_text_that_earns_much(seed: int) -> None:
    truths = {make_truth(family): 1 for family in families()}
    found = search_text(truths, random.Random(seed), tries=40)  # noqa: S311 - a seeded search
    assert found.share <= MOST_OF_A_CONSTANT_TEXT, found.text


def test_a_failure_that_looks_the_same_is_as_right() -> None:
    """Nobody could have told the two apart: to name either is worth all, and something else nothing more."""
    truth = make_truth("quorum-lost")
    other = make_truth("missing-environment-variable")
    both = replace(truth, alike=(Lookalike(other.concepts, other.families),))
    for told in ("It doesn't have a quorum", "The variable is not set in the environment of the pods"):
        assert match_failure_mode(told, both)[0] == 1
        assert share_affirmed(told, both) == 1
    assert match_failure_mode("The variable is not set in the environment of the pods", truth)[0] < 1
    third = "The certificate has expired"
    assert match_failure_mode(third, both) == match_failure_mode(third, truth)
