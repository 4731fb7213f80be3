"""The file of proofs: it is added to as they come, and what stands in it is not tried again."""

from __future__ import annotations

import json
from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest

from benchmarks import proving
from scenarios.proofs import Rejection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class _Here:
    """A pool that does everything at once, in this process."""

    def __init__(self, _: int | None) -> None:
        pass

    def __enter__(self) -> _Here:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, work: Callable[..., object], *given: object) -> Future[object]:
        future: Future[object] = Future()
        future.set_result(work(*given))
        return future


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The draws that are tried; all are rejected."""
    seen: list[tuple[int, int]] = []

    def reject(seed: int, difficulty: int) -> proving.Outcome:
        seen.append((seed, difficulty))
        return proving.Outcome(seed, difficulty, "bad-release", Rejection("not_felt", {}), 0.0)

    monkeypatch.setattr(proving, "prove_draw", reject)
    monkeypatch.setattr(proving, "ProcessPoolExecutor", _Here)
    return seen


def test_a_range_is_proved_in_pieces(tmp_path: Path, tried: list[tuple[int, int]]) -> None:
    file = tmp_path / "proofs.jsonl"
    file.write_text(f"{json.dumps({'seed': 11, 'difficulty': 2, 'proof': {}})}\n{{'seed': 12, 'diff", "utf-8")
    proving.main(3, 10, 2, str(file))
    assert tried == [(10, 2), (12, 2)]  # the line of the second was cut off
    assert file.read_text("utf-8").count("\n") == 1
    proving.main(4, 10, 2, str(file))
    assert tried == [(10, 2), (12, 2), (13, 2)]
    rejected = [json.loads(line) for line in (tmp_path / "proofs.jsonl.rejected").read_text("utf-8").splitlines()]
    assert sorted(line["seed"] for line in rejected) == [10, 12, 13]
    assert {line["rejected"] for line in rejected} == {"not_felt"}
