"""The application where OpenEnv looks for it: `uvicorn server.app:app`.

Its settings come from `CLOUD_INCIDENT_SERVE_…` variables, and from the file that `CLOUD_INCIDENT_CONFIG` names.
"""

from cloud_incident.app import build_app_from_variables
from cloud_incident.cli import serve

app = build_app_from_variables()


def main() -> None:
    """Serve on every interface."""
    serve.main()


if __name__ == "__main__":
    main()
