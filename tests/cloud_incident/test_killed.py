"""Kills without warning, a few of the many of `scripts/kill-check`."""

from __future__ import annotations

import asyncio

import pytest

from tests.interop.kill_check import kill_at_moments, places


@pytest.mark.slow
def test_what_was_answered_is_stored_once_whoever_is_killed() -> None:
    with places() as found:
        for store, server in found.values():
            tally = asyncio.run(kill_at_moments(store, 3, server))
            assert tally.acknowledged
            assert tally.finished
