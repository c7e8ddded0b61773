"""Which addresses a peer's URL may lead to: the last check before a socket is made.

A URL comes from a listing, and a listing comes from a peer: it must not make this node
knock at its own doors. The check stands where the socket is made, after every form of
name, number and resolver, so what is checked is what is connected to.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import yarl

from protocol.errors import Misuse

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
AddressEntry: TypeAlias = (
    "tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]"
)

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(OSError):
    """The address is one that a peer may not send us to."""


def check_address(text: str) -> None:
    """Raise `AddressRefused` unless the address is public, whatever it wraps is too."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError as fault:
        raise AddressRefused("not an IP address") from fault
    for each in _with_wrapped(address):
        if not each.is_global or each.is_multicast:
            raise AddressRefused("a loopback, private, link-local or special address")


def _with_wrapped(address: Address) -> list[Address]:
    """Give the address, or the IPv4 addresses that it only carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    wrapped: list[Address] = [address]
    if address in _NAT64:
        wrapped = [ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)]
    if address.sixtofour is not None:
        wrapped.append(address.sixtofour)
    if address.teredo is not None:
        wrapped.extend(address.teredo)
    return wrapped


def socket_maker(*, allow_private: bool) -> Callable[[AddressEntry], socket.socket]:
    """Give the function that makes the socket for an address just resolved."""

    def make(entry: AddressEntry) -> socket.socket:
        """Check the address, then make a socket for it."""
        family, kind, proto, _, where = entry
        if not allow_private:
            check_address(str(where[0]))
        made = socket.socket(family, kind, proto)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    return make


def base_url(url: str) -> str:
    """Check one URL of a listing and give it without its last slash."""
    try:
        parsed = yarl.URL(url, encoded=True)
        port = parsed.port
    except ValueError as fault:
        raise Misuse("not a URL") from fault
    plain = parsed.user is None and not parsed.query_string and not parsed.fragment
    if parsed.scheme != "https" or not parsed.raw_host or not port or not plain:
        raise Misuse("a peer's URL is https://host[:port][/path] and nothing else")
    return url.rstrip("/")
