"""Showing an incident to the person who runs it: facts gathered for programs, and a page of them for a terminal."""
