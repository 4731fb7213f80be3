"""The table "Where do I add…" of docs/architecture.md, tried out: a toy of each kind is added through the files it names."""
