"""The greatest sum of rewards of an incident, found by exact search: it is play with the greatest score."""
