"""Versions of what runs: of services that a team writes, and of software that others write."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenarios.generator.dice import Dice

_TITLES = {
    "postgres": "PostgreSQL 15.6",
    "redis": "Redis 7.2.4",
    "kafka": "Kafka 3.7.0",
    "coredns": "CoreDNS 1.11.1",
    "router": "FRRouting 9.1",
    "mysql": "MySQL 8.0.36",
    "mongodb": "MongoDB 7.0.5",
    "rabbitmq": "RabbitMQ 3.12.12",
    "memcached": "memcached 1.6.23",
}
"""What a software that is not written by its team is called, in the version that its file is about."""


def draw_version(software: str, dice: Dice) -> str:
    """The version of a component at the start."""
    title = _TITLES.get(software)
    return title or f"{dice.whole(1, 9)}.{dice.whole(0, 48)}.{dice.whole(0, 9)}"
