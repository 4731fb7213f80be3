"""Which model to ask, read from the variables of the environment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.endpoint import EndpointSettings
from cloud_incident.evaluation.agents.replies import Prices

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingError(Exception):
    """A variable of the environment cannot be read. The message names the variable and what it takes."""


def read_endpoint_settings(variables: Mapping[str, str]) -> EndpointSettings:
    """Read the model's address, name, key, limits and prices. An empty variable counts as unset.

    `MAX_SECONDS` (1200) bounds the whole run, `REQUEST_SECONDS` (60) one request, `RETRY_SECONDS` (1) is the first wait
    before another attempt; `PROMPT_PRICE` and `COMPLETION_PRICE` are US dollars per million tokens.

    Raises:
        SettingError: if a number is not one, or the address or the key cannot be used.
    """
    number = partial(_read_number, variables)
    try:
        return EndpointSettings(
            base_url=variables.get("API_BASE_URL") or "https://router.huggingface.co/v1",
            model=variables.get("MODEL_NAME") or "meta-llama/Llama-3.1-8B-Instruct",
            api_key=(variables.get("API_KEY") or variables.get("HF_TOKEN") or "").strip(),
            total_seconds=number("MAX_SECONDS", 1200.0),
            request_seconds=number("REQUEST_SECONDS", 60.0),
            first_wait=number("RETRY_SECONDS", 1.0),
            requests_per_minute=number("REQUESTS_PER_MINUTE", 0.0),
            prices=Prices(number("PROMPT_PRICE", 0.0), number("COMPLETION_PRICE", 0.0)),
        )
    except ValueError as error:
        raise SettingError(str(error)) from error


def _read_number(variables: Mapping[str, str], name: str, default: float) -> float:
    written = variables.get(name) or str(default)
    try:
        number = float(written)
    except ValueError:
        number = -1.0
    if not 0.0 <= number < float("inf"):
        raise SettingError(f"{name} takes a number, 0 or more, not {written!r}.")
    return number
