"""What the server says about itself."""

from __future__ import annotations

from importlib.metadata import metadata

from http_compat.about import About


def describe_server() -> About:
    """The name, version, author and description that the package declares."""
    known = metadata("cloud-incident")
    return About(
        name="cloud-incident",
        title="Cloud Incident Response",
        description=known["Summary"],
        version=known["Version"],
        author=known["Author"],
    )
