"""The console: what there is to look at, for people."""
