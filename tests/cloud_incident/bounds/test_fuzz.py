"""Requests that are wrong in every way do no harm; `scripts/fuzz-check` sends many more."""

from __future__ import annotations

import pytest

from tests.interop import fuzz_check


@pytest.mark.slow
def test_wrong_requests_do_no_harm() -> None:
    assert fuzz_check.main(600, seed=7) == 0
