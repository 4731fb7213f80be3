"""Where the processes of one server share their metrics."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_incident.settings.watching import WatchingSettings

SHARED_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names a directory in which processes share their metrics; the client library reads it."""


@contextmanager
def share_metrics(settings: WatchingSettings) -> Iterator[None]:
    """Give the processes that are forked while this is entered one directory for their metrics, if they keep any."""
    if not settings.counts or SHARED_DIRECTORY in os.environ:
        yield
        return
    parent = os.getpid()
    directory = os.environ[SHARED_DIRECTORY] = tempfile.mkdtemp(prefix="cloud-incident-metrics-")
    try:
        yield
    finally:
        if os.getpid() == parent:  # the forks leave this as well
            shutil.rmtree(directory, ignore_errors=True)
