"""The staff listener beside a node: off until it is configured, and gone with its node."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import aiohttp
import pytest

from node.api.serving import serve_staff
from node.run import desk_of
from node.transport.tls import client_context, pin_of
from tests.support.network import lasting_port
from tests.support.pair import FIJI, Pair


async def ask(pair: Pair, port: int) -> int:
    """Ask without a key; gives the status."""
    certificate = pair[FIJI].node.settings.peers.certificate.read_bytes()
    context = client_context(frozenset({pin_of(certificate)}))
    url = f"https://127.0.0.1:{port}/v1/status"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as answer:
        return answer.status


async def test_it_serves_where_the_settings_say_and_ends_with_the_node(light_pair: Pair) -> None:
    """With the certificate that peers see, unless it has its own."""
    desk, port = desk_of(light_pair[FIJI].node), lasting_port()
    staff = desk.settings.staff.model_copy(update={"listen": f"127.0.0.1:{port}"})
    desk = replace(desk, settings=replace(desk.settings, staff=staff))
    failures: list[Exception] = []
    async with serve_staff(desk, failures.append):
        assert await ask(light_pair, port) == 401
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(light_pair, port)
    assert failures == []


async def test_nothing_listens_before_somebody_has_said_where(light_pair: Pair) -> None:
    """A node that is not configured for it opens no door."""
    desk = desk_of(light_pair[FIJI].node)
    assert desk.settings.staff.address is None
    failures: list[Exception] = []
    before = len(asyncio.all_tasks())
    async with serve_staff(desk, failures.append):
        assert len(asyncio.all_tasks()) == before + 1  # what tells webhooks, and no door
    assert (len(asyncio.all_tasks()), failures) == (before, [])
