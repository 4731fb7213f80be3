"""The table "Where do I add…" of docs/architecture.md is tried out: a toy of each kind is added to a copy."""
