"""The closest names to one that does not exist."""

from __future__ import annotations

import pytest

from scenarios.suggesting import suggest


@pytest.mark.parametrize(
    ("name", "names", "said"),
    [
        ("postgres", ["api-gateway", "postgres-db"], "Did you mean postgres-db?"),
        ("RP-01", ["AC-001", "RP-001", "RP-002"], "Did you mean RP-001?"),
        ("RP-01", ["RP-001", "RP-011", "RP-010", "RP-002"], "Did you mean RP-001, RP-011 or RP-010?"),
        ("rp-001", ["RP-001"], "Did you mean RP-001?"),
        ("db_helth", ["db_health", "verify_db_health", "verify_node_health"], "Did you mean db_health?"),
        ("zzz", ["api-gateway", "postgres-db"], ""),
        ("", ["api-gateway"], ""),
        ("x" * 100_000, ["api-gateway"], ""),
        ("a", [], ""),
    ],
)
def test_the_closest_names_are_told(name: str, names: list[str], said: str) -> None:
    assert suggest(name, names) == said
