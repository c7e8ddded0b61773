"""Whole nodes joined by links instead of sockets, on a clock that a test holds.

    pair = Pair.copy_of(template, tmp_path / "nodes")
    posted = await pair.request()                     # Fiji asks Qumran
    await pair[FIJI].send_to(QUMRAN)                  # one pass over its queue
    pair.assert_sound()

Everything is real (keys, log, guard, database, inbox, courier, gossip) but HTTP. Nothing
runs by itself: a courier makes a pass, and gossip a round, when the test says so. Making a
network costs more than a test, so a template is made once and copied.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from keys.keyfile import read_key_file
from keys.ring import KeyRing, new_steward_ring
from node.app import Node, open_node
from node.audit.fsck import Conclusion, fsck
from node.audit.guard import read_guard
from node.audit.log import open_origin
from node.clock import SystemClock, SystemRandom
from node.courier import BackOff, Courier
from node.exchange import Exchange
from node.gossip import Gossip
from node.inbox import Brought, Verdict
from node.outbox import Draft, Posted
from node.peers import Peers
from node.served import Served
from node.settings import load_settings
from node.storage import Connection, peer_rows, queue_rows, tables
from node.storage.queue_rows import Waiting
from node.storage.vault import Vault
from node.storage.writer import Tx
from node.transport.routes import PeerRoutes
from node.watch import Watch
from protocol.encoding import Json
from protocol.messages import Message
from tests.support.clock import ManualClock
from tests.support.forge import Parts, envelope_parts
from tests.support.keyfiles import PASSPHRASE
from tests.support.link import Link
from tests.support.network import NETWORK, make_network
from tests.support.trust import Trust

FIJI, QUMRAN, TONGA = "fj.justice", "qm.justice", "to.justice"
NAMES: Final = (FIJI, QUMRAN, TONGA)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Template:
    """Three nodes that trust each other, at rest, and the keys of everybody."""

    folder: Path
    trust: Trust
    now: int


def make_template(folder: Path, databases: Mapping[str, str] | None = None) -> Template:
    """Make the nodes of a network, to be copied."""
    steward = new_steward_ring("Steward", random=SystemRandom(), now=SystemClock().now())
    made = make_network(folder, NAMES, databases, steward=steward)
    rings: dict[str, KeyRing] = {}
    for name, one in made.items():
        ring = read_key_file(one.settings.keys.file, PASSPHRASE)
        assert isinstance(ring, KeyRing)
        rings[name] = ring
    node = open_node(made[FIJI].settings, rings[FIJI])
    directory = node.office.directory
    node.close()
    trust = Trust(NETWORK, (steward,), rings, directory)
    return Template(folder, trust, SystemClock().now())


@dataclass(slots=True, repr=False)
class Wired:
    """One node with its courier, gossip and exchange; what it needs of others are links."""

    node: Node
    courier: Courier
    gossip: Gossip
    exchange: Exchange
    links: Mapping[str, Link]
    asked: list[str]  # whom the courier wanted to be asked for newer trust
    watch: Watch

    async def send_to(self, peer: str) -> float | None:
        """Make one pass over the queue of a peer; gives the seconds to wait, or None."""
        return (await self.courier._pass(peer)).wait_s

    def routes(self) -> PeerRoutes:
        """Give all that the node serves its peers."""
        node = self.node
        served = Served(node.tiles, node.witness, node.database, node.writer, node.clock)
        return served.added_to(self.exchange.routes())

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run a unit of work."""
        return await self.node.writer.write(work)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Read from storage."""
        return self.node.database.read(work)

    def waiting(self, peer: str | None = None) -> list[Waiting]:
        """Give what waits in the outbox."""
        return self.read(lambda conn: queue_rows.list_waiting(conn, peer))

    def alarms(self) -> list[str]:
        """Give the kinds of all alarms, the oldest first."""
        return [one.kind for one in self.read(peer_rows.list_alarms)][::-1]

    def counts(self) -> dict[str, int]:
        """Count the rows of every table but that of nonces, which each request adds to."""

        def count(conn: Connection) -> dict[str, int]:
            return {
                table.name: len(conn.execute(table.select()).all())
                for table in tables.metadata.sorted_tables
                if table is not tables.nonces
            }

        return self.read(count)

    def rows(self, table: str) -> list[dict[str, object]]:
        """Give the rows of a table, in no particular order."""
        chosen = tables.metadata.tables[table]
        return self.read(lambda conn: [dict(row._mapping) for row in conn.execute(chosen.select())])

    def dump(self) -> dict[str, list[dict[str, object]]]:
        """Give all rows of all tables, as a backup does."""
        return {table.name: self.rows(table.name) for table in tables.metadata.sorted_tables}

    def load(self, rows: Mapping[str, list[dict[str, object]]]) -> None:
        """Put all rows of a backup in the place of what is there, behind the node's back."""

        def put(conn: Connection) -> None:
            for table in reversed(tables.metadata.sorted_tables):
                conn.execute(table.delete())
            for table in tables.metadata.sorted_tables:
                if rows[table.name]:
                    conn.execute(table.insert(), rows[table.name])

        self.node.database.transact(put)

    def records(self) -> list[str]:
        """Give the kinds of all records in the log, in their order."""
        rows = sorted(self.rows("log_entries"), key=lambda row: int(str(row["position"])))
        return [str(row["kind"]) for row in rows]

    def message(self, identity: str) -> dict[str, object]:
        """Give the row of one message."""
        (found,) = [row for row in self.rows("messages") if row["identity"] == identity]
        return found

    def assert_sound(self) -> None:
        """Fail with the findings unless the log and all that it is about are sound."""
        settings = self.node.settings
        ring = read_key_file(settings.keys.file, PASSPHRASE)
        report = fsck(
            self.node.database,
            network=settings.network,
            authority=settings.authority,
            origin=self.node.database.read(
                lambda conn: open_origin(conn, settings.network, settings.authority)
            ),
            guard=read_guard(settings.guard.file),
            vault=Vault(ring.storage_key, SystemRandom()),
        )
        assert report.conclusion is Conclusion.SOUND, report.findings[:5]


@dataclass(slots=True, repr=False)
class Pair:
    """The open nodes of one network, and all links between them."""

    folder: Path
    trust: Trust
    clock: ManualClock
    url: Callable[[str], str | None]  # of a node's database, if it is not SQLite
    nodes: dict[str, Wired] = field(default_factory=dict)
    links: dict[tuple[str, str], Link] = field(default_factory=dict)

    @classmethod
    def copy_of(
        cls, template: Template, folder: Path, url: Callable[[str], str | None] = lambda _: None
    ) -> Pair:
        """Copy the template's folders; `url` gives a copy of a database that is not SQLite."""
        shutil.copytree(template.folder, folder)
        return cls(folder, template.trust, ManualClock(template.now + 1), url)

    def __getitem__(self, name: str) -> Wired:
        """Give a node, opening it on first use."""
        if name not in self.nodes:
            self.nodes[name] = self._open(name)
        return self.nodes[name]

    def _open(self, name: str) -> Wired:
        url = self.url(name)
        overrides = {} if url is None else {"database.url": url}
        settings = load_settings(self.folder / name / "comity.toml", overrides)
        ring = read_key_file(settings.keys.file, PASSPHRASE)
        assert isinstance(ring, KeyRing)
        node = open_node(settings, ring, clock=self.clock)
        links = {peer: self.link(name, peer) for peer in NAMES if peer != name}
        asked: list[str] = []
        gossip = Gossip(node.office, node.outbox, node.writer, self.clock, links.get)
        watch = Watch.over(node.watched, links.get)
        courier = Courier(
            node.office, node.outbox, node.database, node.writer, self.clock,
            name=f"courier of {name}", random=node.random, deliver=links.get,
            logs=watch.shown, ask_for_trust=asked.append,
            back_off=BackOff(first_s=8.0, most_s=64.0),
        )  # fmt: skip
        peers = Peers(node.office, self.clock, node.random, settings)
        exchange = Exchange(
            node.office, node.inbox, courier, gossip, peers,
            watch=watch, writer=node.writer, clock=self.clock,
        )  # fmt: skip
        return Wired(node, courier, gossip, exchange, links, asked, watch)

    def link(self, sender: str, recipient: str) -> Link:
        """Give the link from one node to another, which holds however often they restart."""
        if (sender, recipient) not in self.links:
            key_id = self.trust.rings[sender].hop().public.key_id
            self.links[sender, recipient] = Link(
                sender, recipient, self._routes_of(recipient), self.clock.now, lambda: key_id
            )
        return self.links[sender, recipient]

    def _routes_of(self, name: str) -> Callable[[], PeerRoutes]:
        """Give the routes of a node as it is when asked: it may have been restarted meanwhile."""

        def routes() -> PeerRoutes:
            return self[name].routes()

        return routes

    def close(self, *names: str) -> None:
        """Take nodes down (all, if none is named); the next use opens them again."""
        for name in names or tuple(self.nodes):
            self.nodes.pop(name).node.close()

    def assert_sound(self) -> None:
        """Audit every node that is open."""
        for wired in self.nodes.values():
            wired.assert_sound()

    # --- what authorities do --------------------------------------------------------------

    async def request(
        self, body: Mapping[str, Json] | None = None, *, sender: str = FIJI, to: str = QUMRAN
    ) -> Posted:
        """Open a case with a request."""
        register = self[sender].node.register
        return await self[sender].write(
            lambda tx: register.send_request(
                tx, to=to, request_kind="MLA_EVIDENCE", body=body or {"text": "please"}
            )
        )

    async def event(
        self, case: str, *, sender: str, kind: str = "note", body: Mapping[str, Json] | None = None
    ) -> Posted:
        """Post an event in a case."""
        register = self[sender].node.register
        return await self[sender].write(
            lambda tx: register.add_event(tx, case, kind=kind, body=body or {"text": "more"})
        )

    async def brief_note(self, case: str, *, sender: str, lifetime_s: int) -> Posted:
        """Post a note that expires soon."""
        node, draft = self[sender].node, Draft("note", {"text": "soon"}, lifetime_s=lifetime_s)

        def post(tx: Tx) -> Posted:
            found = node.register.find(tx.conn, case, lock=True)
            posted = node.outbox.post(tx, found, draft)
            node.register.standings.posted(tx, found, posted.signed)
            return posted

        return await self[sender].write(post)

    async def offer(
        self, *raw: bytes, brought_by: str = FIJI, to: str = QUMRAN, nonce: str | None = None
    ) -> list[Verdict]:
        """Bring envelopes to an inbox as a verified request of `brought_by`."""
        hop = self.link(brought_by, to).hop(nonce)
        brought = Brought(hop.authority, hop.key_id, hop.nonce, hop.expires)
        return await self[to].node.inbox.accept(brought, raw)

    async def install(
        self,
        name: str,
        *,
        document: bytes | None = None,
        listing: bytes | None = None,
        revocation: bytes | None = None,
    ) -> None:
        """Install trust in one node, as an officer does."""
        office = self[name].node.office
        for install, raw in (
            (office.install_document, document),
            (office.install_listing, listing),
            (office.install_revocation, revocation),
        ):
            if raw is not None:
                await self[name].write(lambda tx, install=install, raw=raw: install(tx, raw))  # type: ignore[misc]  # mypy cannot type it

    # --- what forgers do ------------------------------------------------------------------

    def opened(self, identity: str, *, by: str = FIJI) -> Message:
        """Give a message as its node holds it."""
        register = self[by].node.register
        row = self[by].message(identity)
        shown = self[by].read(lambda conn: register.show(conn, str(row["case_id"])))
        (found,) = [one.message for one in shown.messages if one.stored.identity == identity]
        return found

    def forge(self, message: Message, *, to: str | None = None) -> Parts:
        """Give the parts of a valid envelope of a message, signed with its sender's keys."""
        key = self.trust.directory.seal_key(to or message.recipient, self.clock.now())
        return envelope_parts(message, self.trust.sign_pair(message.sender), key)


def fresh_message(pair: Pair, **changes: object) -> Message:
    """Give a first message of a case of Fiji's with Qumran, never seen by any node."""
    now = pair.clock.now()
    fields: dict[str, object] = {
        "network": NETWORK, "epoch": 1, "sender": FIJI, "recipient": QUMRAN,
        "case": f"{FIJI}/{'5a' * 16}", "seq": 1, "prev": None, "seen": None, "order": None,
        "salt": bytes(32), "created": now, "expires": now + 86_400, "kind": "transmit",
        "body": {"request_kind": "MLA_EVIDENCE"},
    }  # fmt: skip
    return Message(**{**fields, **changes})  # type: ignore[arg-type]  # fields by name


def sealed(pair: Pair, messages: Sequence[Message]) -> list[bytes]:
    """Sign and seal messages, each to its recipient."""
    return [pair.forge(one).encode() for one in messages]
