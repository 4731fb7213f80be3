"""The application where OpenEnv looks for it: `uvicorn server.app:app`.

Its settings come from `CLOUD_INCIDENT_SERVE_…` variables.
"""

from cloud_incident import serving

app = serving.application()


def main() -> None:
    """Serve on every interface."""
    serving.main()


if __name__ == "__main__":
    main()
