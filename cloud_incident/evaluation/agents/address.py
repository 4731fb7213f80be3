"""Addresses of servers: what of an address says which server is meant, and what is left out of records."""

from __future__ import annotations

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_address(text: str) -> bool:
    """Whether a text is an address of http or https."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises if it is none
    except ValueError:
        return False
    return parts.scheme in _DEFAULT_PORTS and bool(parts.hostname)


def identify_address(text: str) -> str:
    """Give the part of an address that says which server is meant: scheme, host, port and path.

    Two addresses that differ in one of these are two servers, even on one machine. The host is written in lower case,
    a default port and a last slash are left out. User, password, query and fragment are left out too, because they
    may be secrets.

    Raises:
        ValueError: if it is no address of http or https.
    """
    if not is_address(text):
        raise ValueError(f"{text!r} is not an address such as http://127.0.0.1:7860.")
    parts = urlsplit(text)
    host = parts.hostname or ""
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path.rstrip('/')}"
