"""Digests of plays of systems that run, a line each, to be compared with those of another Python and another numpy.

`python -m tests.scenarios.laws.digests` prints them, and which versions it ran with to standard error.
"""

from __future__ import annotations

import platform
import sys

import numpy as np

from scenarios.drawing import draw
from scenarios.generator.naming import DIFFICULTIES
from scenarios.laws.bytes import digest_play
from scenarios.laws.subject import Subject
from scenarios.world import load_system

SEED = 71000
BEGINS = 720.0
"""Seconds of a run after which somebody begins to act; most onsets lie before that."""


def main() -> None:
    """Digest a random and a hostile play of a system written by hand and of one drawn for each difficulty."""
    drawn = (draw(SEED + difficulty, difficulty).system for difficulty in DIFFICULTIES)
    for system in (load_system("analytics-export"), *drawn):
        subject = Subject(system.name, system, BEGINS)
        for play in (subject.play_at_random(), subject.play_to_hurt()):
            sys.stdout.write(f"{system.name} {play.player} {digest_play(system, play)}\n")
    sys.stderr.write(f"Python {platform.python_version()}, numpy {np.__version__}\n")


if __name__ == "__main__":
    main()
