"""Plays the nine curated incidents with a language model and prints its scores.

    export API_BASE_URL="https://router.huggingface.co/v1"
    export MODEL_NAME="meta-llama/Llama-3.1-8B-Instruct"
    export HF_TOKEN="your_token"
    python inference.py

Any OpenAI-compatible endpoint will do; `API_KEY`, where set, goes before `HF_TOKEN`. Where the model fails, and
without a key, the scripted responder decides, and the line of the step says so. After `MAX_SECONDS` (1200) the model is
no longer asked. `ENV_URL` names a server to play on, such as http://127.0.0.1:7860. Exit code 0 if all were played.
"""

from __future__ import annotations

import io
import os
import sys

import anyio

from cloud_incident.evaluation.baseline import Baseline, SettingError, run_baseline


def main() -> int:
    """Run the baseline that the environment's variables ask for; the exit code."""
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
