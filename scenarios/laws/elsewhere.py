"""Digests plays in a process of its own: reads them as JSON from standard input, and prints their digests."""

from __future__ import annotations

import json
import sys

from scenarios.laws.bytes import read_plays

if __name__ == "__main__":
    sys.stdout.write(json.dumps(read_plays(sys.stdin.read())))
