"""Which models visitors of a server may have it ask."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

_HIDING = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10")))
"""Networks whose addresses stand for others, which may be private, or that were private once."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Reach:
    """Which models visitors may have this server ask: those at public addresses, and those on hosts that are named.

    With `loopback` those on this machine too.
    """

    hosts: tuple[str, ...] = ()
    loopback: bool = False

    def names(self, host: str) -> bool:
        """Whether a host is allowed by its name, whatever its address."""
        return host.casefold().rstrip(".") in {name.casefold().strip("[]").rstrip(".") for name in self.hosts}

    def holds(self, address: Address) -> bool:
        """Whether an address may be called."""
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            return self.holds(address.ipv4_mapped)
        if address.is_loopback:
            return self.loopback
        hiding = any(address.version == network.version and address in network for network in _HIDING)
        return address.is_global and not (address.is_multicast or address.is_reserved or hiding)


PUBLIC = Reach()
"""Models at public addresses alone."""
