"""Plays the curated scenarios with a language model and prints its scores.

    export API_BASE_URL="https://router.huggingface.co/v1"
    export MODEL_NAME="meta-llama/Llama-3.1-8B-Instruct"
    export HF_TOKEN="your_token"
    python inference.py

Any OpenAI-compatible endpoint works. If `API_KEY` is set, it is used instead of `HF_TOKEN`. If the model fails, or if
there is no key, the scripted responder decides, and the line of that step says so. After `MAX_SECONDS` (1200) the model
is no longer asked. `ENV_URL` names a server to play on, such as http://127.0.0.1:7860, and
`CLOUD_INCIDENT_TOKEN` the token that it asks for. The exit code is 0 if all were played.
"""

from __future__ import annotations

import io
import os
import sys

import anyio

from cloud_incident.evaluation.agents import SettingError
from cloud_incident.evaluation.running import Baseline, run_baseline


def main() -> int:
    """Run the baseline that the variables of the environment describe, and give the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a model writes what a terminal may not know
    try:
        complete = anyio.run(run_baseline, Baseline.from_variables(os.environ))
    except SettingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
