"""Reasons and rules in the words of a reader who knows English and operations, and not the code."""

from __future__ import annotations

import re

import pytest

from graders import GRADERS
from graders.reasons import REASONS, give_reason, render_reasons
from scenarios.vocabulary import TASKS, Task

ONLY_THE_CODE_KNOWS = re.compile(
    r"\b(certificates?|concepts?|concept groups?|rivals?|conduct|affirm\w*|families|completion|effective set)\b"
)


@pytest.mark.parametrize("code", REASONS)
def test_no_reason_has_a_word_that_only_the_code_knows(code: str) -> None:
    wanted = set(re.findall(r"{(\w+)}", REASONS[code])) - {"s", "were"}
    told = render_reasons([give_reason(code, **dict.fromkeys(wanted, 2))])
    assert not ONLY_THE_CODE_KNOWS.search(told)
    assert not re.search(r"[{}_]", told)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_rules_are_one_line_without_such_words_and_say_whether_evidence_and_steps_count(task: Task) -> None:
    rules = GRADERS[task].rules
    assert "\n" not in rules
    assert not ONLY_THE_CODE_KNOWS.search(rules)
    assert "vidence" in rules
    assert "steps" in rules


def test_numbers_of_a_reason_decide_its_plural() -> None:
    assert render_reasons([give_reason("wrong_remediations", count=1)]) == "1 remediation did not help"
    assert render_reasons([give_reason("wrong_remediations", count=2)]) == "2 remediations did not help"


@pytest.mark.parametrize("task", [task for task in TASKS.values() if task.asks_evidence])
def test_rules_of_proved_incidents_are_one_line_and_say_by_what_looks_are_judged(task: Task) -> None:
    rules = GRADERS[task].of_proved
    assert "\n" not in rules
    assert not ONLY_THE_CODE_KNOWS.search(rules)
    assert "explanations of the alert that your looks have ruled out" in rules
