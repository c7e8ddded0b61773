"""Addresses that a peer may not send us to, in every disguise."""

from __future__ import annotations

import socket

import pytest

from node.transport.addresses import AddressRefused, check_address, socket_maker

INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",  # noqa: S104  (nothing binds)
    "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "240.0.0.1",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2002:a00:1::1", "2001:0:102:304::80ff:fffe",
    "", "localhost", "2130706433", "0x7f000001",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    """Loopback, private, link-local and special ones, also inside IPv6."""
    with pytest.raises(AddressRefused):
        check_address(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_a_public_address_is_let_through(address: str) -> None:
    """The check has something to let through."""
    check_address(address)


def test_a_socket_is_made_only_for_an_address_that_was_checked() -> None:
    """The check stands where the socket is made, unless the settings allow such addresses."""
    entry = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))
    with pytest.raises(AddressRefused):
        socket_maker(allow_private=False)(entry)
    with socket_maker(allow_private=True)(entry) as made:
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
