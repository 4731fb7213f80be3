"""Failure modes in the words of people who had read debriefs and never the lists that grade them."""
