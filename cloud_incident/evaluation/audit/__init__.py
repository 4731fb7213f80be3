"""The audit: OpenEnv's inventory of checks, measured on a sample of generated incidents."""
