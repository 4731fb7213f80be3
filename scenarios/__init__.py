"""Incidents: the action vocabulary, the tasks, and the documents from which both curated and authored incidents load."""
