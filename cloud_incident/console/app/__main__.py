"""Prints the document of the files given: bundled script, style sheet, licences. For `scripts/mcp-app`."""

from __future__ import annotations

import sys
from pathlib import Path

from cloud_incident.console.app import assembled

script, style, licences = (Path(file).read_text("utf-8") for file in sys.argv[1:])
sys.stdout.write(assembled(script, style, licences))
