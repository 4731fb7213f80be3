"""disable_feature_flag: turn one feature flag off."""

from __future__ import annotations

from pydantic import Field

from scenarios.vocabulary.action import Remediation
from scenarios.vocabulary.parameters import Name, Parameters
from scenarios.vocabulary.target import FLAG


class Flag(Parameters):
    """A feature flag."""

    flag: Name = Field(description="Exact name of the flag.")


DISABLE_FEATURE_FLAG = Remediation(
    name="disable_feature_flag",
    title="Disable feature flag",
    description="Turn one feature flag off. Flag names are found in evidence: status, deploys, logs.",
    parameters=Flag,
    deed="disabled the flag {target}",
    target=FLAG,
)
