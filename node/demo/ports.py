"""Ports of loopback for nodes of a demonstration. Knows no node."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from typing import Final

from node.clock import Random
from node.demo.stage import StepFailed

_LOOPBACK: Final = "127.0.0.1"
_PORTS: Final = range(20_000, 32_000)
_PORT_TRIES_MAX: Final = 200


def free_ports(count: int, random: Random) -> list[int]:
    """Give ports of loopback that nobody listens on now.

    They lie below those that systems hand out by themselves: such a one could be taken by
    anybody's next connection, before our node listens.
    """
    ports: list[int] = []
    with ExitStack() as held:
        for _ in range(_PORT_TRIES_MAX):
            port = _PORTS[int.from_bytes(random(4), "big") % len(_PORTS)]
            with suppress(OSError):
                held.enter_context(socket.create_server((_LOOPBACK, port)))
                ports.append(port)
            if len(ports) == count:
                return ports
    raise StepFailed(f"no {count} free ports between {_PORTS.start} and {_PORTS.stop}")
