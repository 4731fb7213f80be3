"""scale_service: set the number of replicas of one service."""

from __future__ import annotations

from pydantic import Field

from scenarios.vocabulary.action import Remediation
from scenarios.vocabulary.parameters import REPLICAS_LIMIT, OnService


class Scale(OnService):
    """A service and how many replicas it shall have."""

    replicas: int = Field(ge=1, le=REPLICAS_LIMIT, description="Desired number of replicas.")


SCALE_SERVICE = Remediation(
    name="scale_service",
    title="Scale service",
    description="Set the number of replicas of one service.",
    parameters=Scale,
    deed="scaled {target}",
)
