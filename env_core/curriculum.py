"""A curriculum: the difficulty of the next incidents follows the scores of the last ones."""

from __future__ import annotations

from collections import deque

from scenarios.generator.naming import DIFFICULTIES


class Curriculum:
    """Goes up one difficulty when the mean of the last `window` scores is `up` or more, and down at `down` or less.

    Scores are the grader's, 0.0 to 1.0. After a change it starts to count anew, so that it never moves before `window`
    scores are in. The same scores give the same difficulties.

    Raises:
        ValueError: if the difficulty is none, the window is empty, or `down` is not below `up`.
    """

    def __init__(self, difficulty: int = 1, *, window: int = 20, up: float = 0.8, down: float = 0.3) -> None:
        if difficulty not in DIFFICULTIES:
            raise ValueError(f"difficulty is {min(DIFFICULTIES)} to {max(DIFFICULTIES)}, not {difficulty}.")
        if window < 1:
            raise ValueError(f"window is 1 score or more, not {window}.")
        if not down < up:
            raise ValueError(f"down has to be below up; {down} is not below {up}.")
        self.difficulty = difficulty
        """Of the next incidents, 1 to 5."""
        self._up, self._down = up, down
        self._scores: deque[float] = deque(maxlen=window)

    def record(self, score: float) -> int:
        """Take a score into account; the difficulty of the next incidents."""
        self._scores.append(score)
        if len(self._scores) == self._scores.maxlen:
            mean = sum(self._scores) / len(self._scores)
            self._move((mean >= self._up) - (mean <= self._down))
        return self.difficulty

    def _move(self, steps: int) -> None:
        difficulty = self.difficulty + steps
        if steps and difficulty in DIFFICULTIES:
            self.difficulty = difficulty
            self._scores.clear()
