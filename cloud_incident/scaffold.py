"""Scaffolding: a small incident that passes lint, and the schema that editors complete from."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING

from scenarios.document import IncidentDocument

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_NAME = "incident.schema.json"


def render_schema() -> str:
    """The JSON Schema of incident documents, as text."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **IncidentDocument.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_scaffold(file: Path) -> list[Path]:
    """Write a new incident and the schema beside it; gives the files that were written.

    Raises:
        OSError: if one of them cannot be written. Then there is no new incident.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-") or "incident"
    slug = slug if slug[0].isalpha() else f"incident-{slug}"
    template = files("cloud_incident").joinpath("incident_template.yaml").read_text("utf-8")
    file.parent.mkdir(parents=True, exist_ok=True)
    schema = file.with_name(SCHEMA_NAME)
    schema.write_text(render_schema(), "utf-8")
    file.write_text(template.replace("SLUG", slug.upper()).replace("slug", slug), "utf-8")
    return [file, schema]
