"""Graders: pure functions from what an agent did and said to a score, with every point given or withheld explained."""

from graders.conduct import Conduct
from graders.grading import GRADERS, Grader, grade
from graders.hedging import read_lists
from graders.reasons import CALM_REASONS, Reason
from graders.score import DECIMALS, Grade, Point

__all__ = [
    "CALM_REASONS",
    "DECIMALS",
    "GRADERS",
    "Conduct",
    "Grade",
    "Grader",
    "Point",
    "Reason",
    "grade",
    "read_lists",
]
