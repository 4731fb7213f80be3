"""Where OpenEnv looks for the server."""
