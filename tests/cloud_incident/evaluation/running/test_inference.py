"""The user's baseline script, run as the user runs it."""

from __future__ import annotations

import io
import os
import runpy
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloud_incident.evaluation.agents.variables import SettingError
from cloud_incident.evaluation.running.baseline import Baseline, format_score_table
from tests.cloud_incident.evaluation.scripted_model import serving
from tests.servers import full_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.catalogue import Catalogue
    from tests.cloud_incident.evaluation.scripted_model import ScriptedModel

KEY = "token"
ROOT = Path(__file__).parents[4]
PERFECT = [
    "Task                  Difficulty  S0    S1    S2    Average",
    "alert_classification  Easy        1.00  1.00  1.00  1.00",
    "root_cause_analysis   Medium      1.00  1.00  1.00  1.00",
    "remediation_planning  Hard        1.00  1.00  1.00  1.00",
    "Overall                                             1.00",
]


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with serving() as model:
        yield model


def inference(**variables: str) -> subprocess.CompletedProcess[str]:
    """The script run to its end in this process, whose imports are done; `in_a_process` starts it as a user does."""
    written = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(written[0]), redirect_stderr(written[1]):
        for name in set(os.environ) - set(chosen := surroundings(variables)):
            patch.delenv(name)
        for name, value in chosen.items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / "inference.py"), run_name="__main__")
    out, err = (stream.buffer.getvalue().decode() for stream in written)
    return subprocess.CompletedProcess("inference.py", int(ended.value.code or 0), out, err)


def in_a_process(**variables: str) -> subprocess.CompletedProcess[str]:
    command, chosen = [sys.executable, "inference.py"], surroundings(variables)
    return subprocess.run(command, cwd=ROOT, env=chosen, capture_output=True, text=True, timeout=60, check=False)


def surroundings(variables: dict[str, str]) -> dict[str, str]:
    """The environment without the script's variables, but for those given."""
    ours = ("API_BASE_URL", "MODEL_NAME", "HF_TOKEN", "API_KEY", "ENV_URL", "MAX_SECONDS")
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    return {**clean, "FALLBACK_AGENT": "random", "RETRY_SECONDS": "0.001", **variables}


def steps(run: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of steps."""
    return [line for line in run.stdout.splitlines() if "/" in line.split(" score ")[0][:14] and " at " not in line]


def test_a_good_model_scores_everything(model: ScriptedModel) -> None:
    run = inference(API_BASE_URL=model.address, MODEL_NAME="perfect", HF_TOKEN=KEY)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert run.stdout.splitlines()[-7:-2] == PERFECT
    assert "random 0." in run.stdout
    assert not any("decided:" in line for line in steps(run))
    scored = [line.split()[0] for line in run.stdout.splitlines() if " score " in line]
    assert scored == [f"{task}-00{index}" for task in ("AC", "RCA", "RP") for index in (1, 2, 3)]


@pytest.mark.slow
def test_a_good_model_scores_everything_on_a_server(model: ScriptedModel) -> None:
    with full_server() as address:
        run = inference(API_BASE_URL=model.address, MODEL_NAME="prose", HF_TOKEN=KEY, ENV_URL=address)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-7:-2] == PERFECT


def test_without_a_key_the_responder_decides() -> None:
    run = inference(FALLBACK_AGENT="")
    assert run.returncode == 0, run.stderr
    assert all(line.endswith("[responder decided: no API key is set]") for line in steps(run))
    assert run.stdout.splitlines()[-7] == PERFECT[0]
    assert float(run.stdout.splitlines()[-3].split()[-1]) > 0.5
    assert "The model decided 0 steps" in run.stdout


def test_a_server_that_always_fails_is_survived_and_told(model: ScriptedModel) -> None:
    run = inference(API_BASE_URL=model.address, MODEL_NAME="500", API_KEY=KEY)
    assert run.returncode == 0, run.stderr
    assert "[random decided: HTTP 500 (Internal error) after 4 attempts]" in steps(run)[0]
    assert all("random decided:" in line for line in steps(run))
    assert len(model.of("500")) == 12


def test_time_is_bounded(model: ScriptedModel) -> None:
    run = inference(API_BASE_URL=model.address, MODEL_NAME="slow", API_KEY=KEY, MAX_SECONDS="0.5")
    assert run.returncode == 0, run.stderr
    assert all("random decided: the time budget of 0.5 s is spent" in line for line in steps(run))


def test_an_environment_that_is_not_there_fails(model: ScriptedModel) -> None:
    run = inference(API_BASE_URL=model.address, MODEL_NAME="perfect", ENV_URL="http://127.0.0.1:1")
    assert run.returncode == 1
    assert "AC-001 score none  [ConnectError" in run.stdout
    assert "9 of 9 failed and are in no average." in run.stdout
    assert "0.00" not in run.stdout


@pytest.mark.parametrize(
    "variables",
    [
        {"MAX_SECONDS": "soon"},
        {"MAX_SECONDS": "nan"},
        {"REQUESTS_PER_MINUTE": "-1"},
        {"API_BASE_URL": "router"},
        {"HF_TOKEN": "ключ"},
        {"FALLBACK_AGENT": "nobody"},
    ],
)
def test_settings_that_cannot_be_read_are_refused(variables: dict[str, str]) -> None:
    with pytest.raises(SettingError):
        Baseline.from_variables({"FALLBACK_AGENT": "random", **variables})


def test_a_wrong_setting_ends_in_a_message() -> None:
    run = in_a_process(MAX_SECONDS="soon")
    assert run.returncode == 1
    assert run.stderr == "MAX_SECONDS takes a number, 0 or more, not 'soon'.\n"


def test_the_documents_variables_and_defaults() -> None:
    baseline = Baseline.from_variables({"FALLBACK_AGENT": "random", "HF_TOKEN": " token\n", "MODEL_NAME": ""})
    assert baseline.endpoint.base_url == "https://router.huggingface.co/v1"
    assert baseline.endpoint.model == "meta-llama/Llama-3.1-8B-Instruct"
    assert baseline.endpoint.api_key == "token"
    assert baseline.endpoint.temperature == 0.0


def test_the_table_is_the_documents(catalogue: Catalogue) -> None:
    earned = [1.0, 1.0, 1.0, 1.0, 0.2, 1.0, 0.6, 0.45, 0.59]
    scenarios = list(catalogue.scenarios.values())
    scores = {scenario.id: score for scenario, score in zip(scenarios, earned, strict=True)}
    assert format_score_table(scenarios, scores) == [
        "Task                  Difficulty  S0    S1    S2    Average",
        "alert_classification  Easy        1.00  1.00  1.00  1.00",
        "root_cause_analysis   Medium      1.00  0.20  1.00  0.73",
        "remediation_planning  Hard        0.60  0.45  0.59  0.55",
        "Overall                                             0.76",
    ]
