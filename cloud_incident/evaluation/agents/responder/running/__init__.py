"""How the responder works an incident that runs: by what callers meet, what was changed, and what mends it."""
