"""Incidents without end: worlds, faults and their evidence, drawn from a seed and proved before they are served."""
