"""Seeing a server run: logs, metrics and traces of what it is asked and of what happens to its episodes."""
