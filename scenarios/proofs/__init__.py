"""Proofs by running: that users feel an incident, how severe it is, what repairs it, and that its cause can be told.

An incident is a background, a system with whatever is innocent, and a fault that strikes it. Lane Z is the background
alone, lane N the incident in which nothing is done, and a lane P one in which a repair is carried out.
"""

from scenarios.proofs.proof import Proof, Rejection
from scenarios.proofs.proving import prove

__all__ = ["Proof", "Rejection", "prove"]
