"""Written documents are read back as what they were."""

from __future__ import annotations

import pytest
import yaml

from scenarios.writing import write_yaml


@pytest.mark.parametrize("number", [0.0, -0.0, -1.5, 8.0, 12_345_678.0, 3])
def test_a_number_is_printed_the_same_when_it_was_read_back(number: float) -> None:
    (read,) = yaml.safe_load(write_yaml({"normal": number})).values()
    assert f"{read:.10g}" == f"{number:.10g}"
