"""Bounds of what comes in: connections, their sizes and times, and how often a caller may ask."""
