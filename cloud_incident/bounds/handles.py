"""File handles, of which each connection takes one."""

from __future__ import annotations

from contextlib import suppress


def raise_file_handles() -> int | None:
    """Let this process have as many file handles as it may; how many these are, or None where nobody counts them."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # some systems name a limit that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
