"""The guide to errors lists the errors that there are, and every error has a code of the table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from http_compat.websocket import ERROR_CODES
from scenarios.errors import ERRORS, CloudIncidentError, ErrorKind

GUIDE = (Path(__file__).parents[1] / "docs" / "errors.md").read_text("utf-8")


def test_the_table_lists_every_error() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (-\d+) \| (\d+) \| (.+) \|$", GUIDE, re.MULTILINE)
    listed = {code: ErrorKind(int(status), int(rpc), int(leave), meaning) for code, status, rpc, leave, meaning in rows}
    assert list(listed.items()) == list(ERRORS.items())


def test_the_codes_of_websockets_are_listed() -> None:
    assert dict(re.findall(r"^\| `(\w+)` \| ([A-Z_]+) \|$", GUIDE, re.MULTILINE)) == ERROR_CODES
    assert ERROR_CODES.keys() <= ERRORS.keys()


def test_an_error_without_a_code_of_the_table_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="'unheard_of' is not in the table"):
        type("UnheardOfError", (CloudIncidentError,), {"code": "unheard_of"})
