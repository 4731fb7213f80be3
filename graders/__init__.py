"""Graders: pure functions from what an agent did and said to a score, with every point given or withheld explained."""

from graders.conduct import Conduct
from graders.grading import grade
from graders.score import Grade, Point

__all__ = ["Conduct", "Grade", "Point", "grade"]
