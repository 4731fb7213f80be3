"""`cloud-incident demo`: one incident, worked by a script."""

from __future__ import annotations

import os
import sys

import anyio
import click

from cloud_incident.demo import play


@click.command()
@click.option("--plain", is_flag=True, help="No colours.")
def demo(plain: bool) -> None:
    """Play a whole incident over stdio and print it.

    RP-001 from the alert to the score, by a scripted agent through a real MCP client.
    """
    try:
        scored = anyio.run(play, sys.stdout.isatty() and not plain)
    except BaseExceptionGroup as failures:
        _, others = failures.split(BrokenPipeError)
        if others is not None:
            raise others from failures
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
        return
    if not scored:
        raise SystemExit(1)
