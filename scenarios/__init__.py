"""Incidents: the action vocabulary, the tasks, and the documents from which incidents load."""
