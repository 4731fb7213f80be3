"""`python -m cloud_incident`: the command line."""

from cloud_incident.cli import main

main()
