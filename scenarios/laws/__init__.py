"""The laws of systems that run, as checks: each plays a system and tells in sentences where a law is broken.

`scenarios.world` and `scenarios.telemetry` keep the laws; nothing here is needed to play an incident.
"""

from scenarios.laws.arithmetic import find_forbidden, list_sources
from scenarios.laws.checking import LAWS, find_breaches
from scenarios.laws.subject import Move, Play, Subject

__all__ = ["LAWS", "Move", "Play", "Subject", "find_breaches", "find_forbidden", "list_sources"]
