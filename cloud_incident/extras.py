"""Optional dependencies: which extra brings a package, and what to say where it is missing."""

from __future__ import annotations

from importlib.util import find_spec

from scenarios.errors import CloudIncidentError


class MissingExtraError(CloudIncidentError):
    """Packages of an extra are not installed. The message has the command that installs them."""

    code = "missing_extra"


def require_extra(extra: str, *packages: str) -> None:
    """Check that the packages of an extra can be imported, without importing them.

    Raises:
        MissingExtraError: if one of them is not installed.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise MissingExtraError(f"{', '.join(missing)} not installed; run: pip install 'cloud-incident[{extra}]'")
