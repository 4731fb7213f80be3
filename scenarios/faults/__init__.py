"""Faults as data: a family changes the state of a component that it strikes, and says nothing."""

from scenarios.faults.family import STRENGTHS, FaultFamily
from scenarios.faults.library import FAMILIES
from scenarios.faults.striking import Fault, list_targets, strike, strike_as

__all__ = ["FAMILIES", "STRENGTHS", "Fault", "FaultFamily", "list_targets", "strike", "strike_as"]
