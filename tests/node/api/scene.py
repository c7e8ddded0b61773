"""A node that serves its API on loopback, with people who have keys.

    async with serving(light_pair[FIJI].node) as api:
        answer = await api.get("/v1/cases", api.key("anna"))
        assert answer.status == 200 and answer.json()["schema"] == "comity.cases/1"

Everything is real: TLS, keys, rows. Anna works on cases in every role, Otto only reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import yarl

from node.access.people import words
from node.access.roles import CASEWORK, Person, Role
from node.api.staff import Staff
from node.app import Node
from node.desk import Desk
from node.run import desk_of
from node.storage import Connection, key_rows
from node.storage.key_rows import AccessKey, key_digest
from node.storage.person_rows import person_id
from node.storage.vault import Vault
from node.transport.limits import TransportLimits
from node.transport.tls import client_context, pin_of, server_context
from tests.support.network import bound
from tests.support.people import add_user

PEOPLE: Mapping[str, frozenset[Role]] = {
    "anna": CASEWORK,
    "berta": CASEWORK,
    "otto": frozenset({Role.CASE_OFFICER}),
    "ada": frozenset({Role.ADMINISTRATOR}),
    "rita": frozenset({Role.AUDITOR}),
}
_LONG_S = 10**9


@dataclass(frozen=True, slots=True)
class Answer:
    """What the node answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401  (whatever was answered)
        """Give the body as JSON."""
        return json.loads(self.body)


@dataclass(slots=True)
class Api:
    """The API of one node, as a program sees it."""

    node: Node
    desk: Desk
    port: int
    context: ssl.SSLContext
    people: dict[str, Person]
    session: aiohttp.ClientSession
    keys: dict[str, str] = field(default_factory=dict)

    def key(self, name: str = "anna", *, scopes: str = "", expires: int = _LONG_S * 10) -> str:
        """Give an access key of a person, made for this test."""
        made = key_rows.make_key(self.desk.random)

        def insert(conn: Connection) -> None:
            key = AccessKey(
                key_digest(made), self.people[name].id or "", made[-8:], scopes, None, 0, expires
            )
            key_rows.insert_key(conn, key)

        self.node.database.transact(insert)
        return made

    async def ask(
        self, method: str, path: str, key: str | None = None, body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """Ask once; `body` is sent as JSON unless it is bytes."""
        given = dict(headers or {})
        if key is not None:
            given["Authorization"] = f"Bearer {key}"
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if raw is not None:
            given.setdefault("Content-Type", "application/json")
        async with self.session.request(
            method, self.url(path), data=raw, headers=given, allow_redirects=False
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    def url(self, path: str) -> yarl.URL:
        """Give the URL of a path, whose escapes stay as they are."""
        return yarl.URL(f"https://127.0.0.1:{self.port}{path}", encoded=True)

    async def get(self, path: str, key: str | None = None, **headers: str) -> Answer:
        """Read."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("GET", path, key, headers=named)

    async def post(
        self, path: str, key: str | None = None, body: object = None, **headers: str
    ) -> Answer:
        """Write."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", path, key, {} if body is None else body, headers=named)

    async def raw(self, text: bytes) -> bytes:
        """Send bytes over a connection of their own, and give what comes until its end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context)
        try:
            writer.write(text)
            async with asyncio.timeout(20):
                return await reader.read(-1)
        finally:
            writer.close()


def settle(node: Node) -> dict[str, Person]:
    """Add the people of the scene."""

    def add(conn: Connection) -> dict[str, Person]:
        found = {}
        for name, roles in PEOPLE.items():
            known = person_id(conn, name, node.random)
            found[name] = Person(name, roles, known)
            add_user(conn, found[name])
        return found

    assert words(CASEWORK)
    return node.database.transact(add)


@contextlib.asynccontextmanager
async def serving(
    node: Node, *, limits: TransportLimits | None = None, listening: socket.socket | None = None
) -> AsyncIterator[Api]:
    """Serve the API of a node until the block ends."""
    desk = desk_of(node, asyncio.get_running_loop())
    staff = Staff(desk, Vault(desk.office.keys.ring.storage_key, desk.random), limits=limits)
    peers = node.settings.peers
    certificate = peers.certificate.read_bytes()
    listening = listening or bound()
    port = listening.getsockname()[1]
    await staff.start(listening, server_context(certificate, peers.private_key.read_bytes()))
    context = client_context(frozenset({pin_of(certificate)}))
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            yield Api(node, desk, port, context, settle(node), session)
    finally:
        await staff.close()
