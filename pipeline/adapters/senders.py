"""Who may notify: the account's credentials, and the addresses that a request may come from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Sources:
    """Source addresses: those ``allowed`` (empty: every one), and the proxies that are believed about others."""

    allowed: tuple[Network, ...] = ()
    proxies: tuple[Network, ...] = ()

    def source(self, peer: str, forwarded: Sequence[str]) -> Address | None:
        """Return whom a request is from; None when a proxy of ours names no address.

        ``forwarded`` are the values of ``X-Forwarded-For``, believed from right to left for as long as it is a proxy
        of ours that speaks: what stands further left may have been written by anybody.
        """
        source = _address(peer)
        hops = [hop for value in forwarded for hop in value.split(",")]
        while source is not None and hops and _within(source, self.proxies):
            source = _address(hops.pop().strip())
        return source

    def allows(self, source: Address | None) -> bool:
        """Say whether a source may notify."""
        return not self.allowed or (source is not None and _within(source, self.allowed))


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


class Credentials:
    """User name and password of the account; compared in a time that says nothing about them."""

    def __init__(self, username: str, password: str) -> None:
        """Keep a digest of both: digests are of one length, and comparing them tells nothing of that either."""
        self._expected = _digest(f"{username}:{password}".encode())

    def are_in(self, authorization: str) -> bool:
        """Say whether a header of HTTP Basic holds them."""
        scheme, _, token = authorization.strip().partition(" ")
        try:
            given = base64.b64decode(token.strip(), validate=True)
        except (binascii.Error, ValueError):
            given = b""
        return hmac.compare_digest(_digest(given), self._expected) and scheme.lower() == "basic"


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
