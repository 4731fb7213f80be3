"""Graders: pure functions from what an agent did and said to a score, with every point given or withheld explained."""

from graders.conduct import Conduct
from graders.grading import GRADERS, Grader, grade
from graders.knowing import OF_PROVED, describe_pace
from graders.reasons import CALM_REASONS, Reason
from graders.rivals import read_lists
from graders.score import DECIMALS, Grade, Point

__all__ = [
    "CALM_REASONS",
    "DECIMALS",
    "GRADERS",
    "OF_PROVED",
    "Conduct",
    "Grade",
    "Grader",
    "Point",
    "Reason",
    "describe_pace",
    "grade",
    "read_lists",
]
