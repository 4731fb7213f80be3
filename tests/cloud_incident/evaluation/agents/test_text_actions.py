"""Actions found in what a model wrote."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from cloud_incident.evaluation.agents.replies import ModelToolCall
from cloud_incident.evaluation.agents.text_actions import parse_called_action, parse_written_action
from scenarios.parsing import InvalidActionError
from scenarios.vocabulary import ACTIONS

LOOK = '{"action_type": "query_logs", "parameters": {"service": "api-gateway"}}'


@pytest.mark.parametrize(
    "text",
    [
        LOOK,
        f"```json\n{LOOK}\n```",
        f"I think {{x}} failed, so:\n```\n{LOOK}\n```\nThen we see {{y}}.",
        f"Looking at the gateway: {LOOK} and then I decide.",
        f'{{"action_type": "reboot"}} no, rather {LOOK}',
        f"<think>{LOOK.replace('api-gateway', 'redis')}</think>{LOOK}",
        f"Or {LOOK.replace('api-gateway', 'redis')}?</think>{LOOK}",
        f'{{"thought": "see {{a}}", "action": {LOOK}}}',
        f"[{LOOK}]",
        '{"name": "query_logs", "arguments": {"service": "API-Gateway "}}',
        '{"type": "function", "function": "query_logs", "parameters": {"service": "api-gateway"}}',
        '{"tool": "query_logs", "service": "api-gateway"}',
        f'{{"a":{{"b":{LOOK}',
    ],
)
def test_an_action_is_found_whatever_stands_around_it(text: str) -> None:
    assert parse_written_action(text, ACTIONS).step == "query_logs api-gateway"


def test_the_first_action_counts() -> None:
    assert parse_written_action(f"{LOOK} {LOOK.replace('api-gateway', 'redis')}", ACTIONS).target == "api-gateway"


def test_line_breaks_in_a_summary_are_no_trouble() -> None:
    text = '{"action_type": "submit_resolution", "parameters": {"summary": "One.\nTwo."}}'
    assert parse_written_action(text, ACTIONS).target == "One.\nTwo."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON object"),
        ("I would restart it.", "no JSON object"),
        ("{", "no JSON object"),
        ('{"action_type": "reboot", "parameters": {}}', "'reboot' is not an action of this task"),
        ('{"action_type": "query_logs", "parameters": {}}', "`service` is required"),
        ('{"action_type": "query_logs", "parameters": "api-gateway"}', "parameters must be a JSON object"),
        ('{"action_type": "query_logs", "parameters": {"service": "\\ud800"}}', "query_logs"),
        ("<think>" + LOOK, "no JSON object"),
    ],
)
def test_what_is_no_action_is_explained(text: str, said: str) -> None:
    with pytest.raises(InvalidActionError, match=said):
        parse_written_action(text, ACTIONS)


class Counting(json.JSONDecoder):
    """Counts how often it is asked."""

    attempts = 0

    def raw_decode(self, s: str, idx: int = 0) -> tuple[Any, int]:
        self.attempts += 1
        return super().raw_decode(s, idx)


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["{", '{"a":', "[{", '{"a": "'])
def test_a_text_made_to_be_slow_takes_no_more_work_the_longer_it_is(
    piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []
    for times in (20_000, 100_000):
        decoder = Counting(strict=False)
        monkeypatch.setattr(sys.modules[parse_written_action.__module__], "_DECODER", decoder)
        with pytest.raises(InvalidActionError):
            parse_written_action(piece * times, ACTIONS)
        attempts.append(decoder.attempts)
    assert attempts[0] == attempts[1] <= 20_000


def test_an_action_of_another_task_is_refused() -> None:
    with pytest.raises(InvalidActionError, match="Actions: submit_severity"):
        parse_written_action(LOOK, ["submit_severity"])


@pytest.mark.parametrize("arguments", ["{", "[]", "null", '"x"', "[" * 100_000])
def test_arguments_that_are_no_object_are_explained(arguments: str) -> None:
    with pytest.raises(InvalidActionError, match="query_logs"):
        parse_called_action(ModelToolCall("1", "query_logs", arguments), ACTIONS)
