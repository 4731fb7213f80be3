"""Benchmarks: scripts that print tables. Compare their ratios; absolute times move with the machine."""
