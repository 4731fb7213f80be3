"""Prints the document of a bundled script and a bundled style sheet, whose files are given. For `scripts/mcp-app`."""

from __future__ import annotations

import sys
from pathlib import Path

from cloud_incident.console.app import assemble

script, style = (Path(file).read_text("utf-8") for file in sys.argv[1:])
sys.stdout.write(assemble(script, style))
