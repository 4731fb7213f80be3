"""Measures agents on incidents, and incidents by what agents earn on them.

The rooms, from the bottom up: `agents` decide, `running` plays them and keeps trajectories, `statistics` computes
figures from trajectories, `reporting` presents the figures, `audit` measures the environment itself. Other code imports
a room through its `__init__` only.
"""
