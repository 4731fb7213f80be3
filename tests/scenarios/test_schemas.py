"""Schemas for readers: each caller has one of its own, whatever the callers before it did with theirs."""

from __future__ import annotations

from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import ACTIONS


def test_who_changes_a_schema_changes_nobody_elses() -> None:
    for action in ACTIONS.values():
        first = build_arguments_schema(action.parameters)
        kept = repr(first)
        for described in first["properties"].values():
            described.clear()
        first["properties"].clear()
        first.get("required", []).clear()
        assert repr(build_arguments_schema(action.parameters)) == kept
