"""Playing incidents to measure them: whether an incident is fit to serve, and what cheats would earn on it."""
