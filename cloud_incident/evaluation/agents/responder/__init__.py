"""A scripted responder: it works an incident by rules that an on-call engineer would accept, and knows no incident."""

from __future__ import annotations

from cloud_incident.evaluation.agents.responder.responder import Responder

__all__ = ["Responder"]
