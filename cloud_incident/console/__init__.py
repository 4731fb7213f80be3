"""The console: a page on which people work an incident, watch agents and look at evaluations, and what is behind it."""
