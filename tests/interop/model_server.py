"""Serves the scripted model, an OpenAI-compatible endpoint that plays perfectly, until it is stopped.

Usage: python -m tests.interop.model_server --port PORT
"""

from __future__ import annotations

import argparse

import uvicorn

from tests.cloud_incident.evaluation.scripted_model import ScriptedModel


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(ScriptedModel().app, port=parser.parse_args().port, log_level="warning", ws="none", lifespan="off")


if __name__ == "__main__":
    main()
