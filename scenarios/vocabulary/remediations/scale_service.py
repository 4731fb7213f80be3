"""scale_service: set the number of replicas of one service."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from scenarios.vocabulary.action import Remediation
from scenarios.vocabulary.parameters import REPLICAS_LIMIT, WHOLE, OnService


class Scale(OnService):
    """A service and how many replicas it shall have."""

    replicas: Annotated[int, Field(ge=1, le=REPLICAS_LIMIT), WHOLE] = Field(description="Desired number of replicas.")


SCALE_SERVICE = Remediation(
    name="scale_service",
    title="Scale service",
    description="Set the number of replicas of one service.",
    parameters=Scale,
    deed="scaled {target}",
)
