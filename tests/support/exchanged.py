"""Two authorities that have exchanged everything an audit can meet, at rest on disk.

    made = await exchange(tmp_path)
    report = audit(made.fiji)               # sound
    made.fiji.tamper("UPDATE log_entries SET at = at + 1 WHERE position = 3")

Real nodes, keys, logs and databases; the envelopes are carried by hand, without HTTP.
In Fiji's log: its request with evidence (delivered), the answer it accepted, a note that
still waits, and one that came too late and was finally refused, as it refused one itself.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from keys.keyfile import read_key_file
from node.app import Node, open_node
from node.audit.fsck import Report, fsck
from node.audit.guard import read_guard
from node.audit.log import open_origin
from node.clock import SystemClock
from node.evidence.manifest import Item, Manifest
from node.inbox import Brought
from node.outbox import Draft
from node.settings import Settings, load_settings
from node.storage import queue_rows
from node.storage.engine import open_database
from node.storage.tables import metadata
from node.storage.vault import Vault
from node.storage.writer import Tx
from protocol.revocation import Revocation, sign_revocation
from tests.support.clock import ManualClock, SeededRandom
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import NETWORK, make_network

FIJI, QUMRAN = "fj.justice", "qm.justice"
LATE_S = 1_000
EVIDENCE = Manifest((Item("a.txt", "text/plain", 1, "ab" * 32),))


@dataclass(frozen=True, slots=True)
class AtRest:
    """The folder of a node that is down."""

    folder: Path

    @property
    def settings(self) -> Settings:
        """The settings of the node."""
        return load_settings(self.folder / "comity.toml")

    @property
    def database_file(self) -> Path:
        """The SQLite file."""
        return self.folder / "comity.db"

    def copy(self, target: Path) -> AtRest:
        """Give a copy of the whole folder."""
        return AtRest(Path(shutil.copytree(self.folder, target)))

    def open(self, clock: ManualClock) -> Node:
        """Open the node, without its network."""
        settings = self.settings
        return open_node(settings, read_key_file(settings.keys.file, PASSPHRASE), clock=clock)

    def tamper(self, *statements: str) -> int:
        """Change rows as somebody with the file would; gives the number of rows changed."""
        changed = 0
        conn = sqlite3.connect(self.database_file)
        conn.execute("PRAGMA ignore_check_constraints=ON")
        conn.create_function("altered", 2, altered, deterministic=True)
        with conn:
            for statement in statements:
                changed += conn.execute(statement).rowcount
        conn.close()
        return changed

    def places(self, table: str) -> list[str]:
        """Give for each row of a table the condition that names it, in the order of its key."""
        key = [column.name for column in metadata.tables[table].primary_key.columns]
        quoted = ", ".join(f'quote("{name}")' for name in key)
        order = ", ".join(f'"{name}"' for name in key)
        rows = self.select(f'SELECT {quoted} FROM "{table}" ORDER BY {order}')  # noqa: S608  (names from the schema)
        return [
            " AND ".join(f'"{name}" = {value}' for name, value in zip(key, row, strict=True))
            for row in rows
        ]

    def alter(self, table: str, column: str, place: str) -> int:
        """Give one column of one row another value of its type."""
        kind = metadata.tables[table].columns[column].type
        integer = int(not isinstance(kind, (sa.LargeBinary, sa.String)))
        value = f'altered("{column}", {integer})'
        return self.tamper(f'UPDATE "{table}" SET "{column}" = {value} WHERE {place}')  # noqa: S608  (names from the schema)

    def delete(self, table: str, place: str) -> int:
        """Delete one row."""
        return self.tamper(f'DELETE FROM "{table}" WHERE {place}')  # noqa: S608  (a name from the schema)

    def select(self, statement: str) -> list[tuple[object, ...]]:
        """Read rows."""
        conn = sqlite3.connect(self.database_file)
        rows = conn.execute(statement).fetchall()
        conn.close()
        return rows


def altered(value: object, integer: int) -> str | bytes | int:
    """Give another value of the same type and length; for SQL in `tamper`."""
    if value is None:
        return 7 if integer else b"7"
    if isinstance(value, int):
        return value + 1_000_000
    if value in {"", b""}:
        return "1" if value == "" else b"1"
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    text = str(value)
    return text[:-1] + ("1" if text[-1] == "0" else "0")


def audit(node: AtRest, *, texts: bool = True, guard: bool = True) -> Report:
    """Audit a node's log on a database that is opened for reading."""
    settings = node.settings
    database = open_database(settings.database.url.get_secret_value(), read_only=True)
    ring = read_key_file(settings.keys.file, PASSPHRASE)
    try:
        return fsck(
            database,
            network=settings.network,
            authority=settings.authority,
            origin=database.read(
                lambda conn: open_origin(conn, settings.network, settings.authority)
            ),
            guard=read_guard(settings.guard.file) if guard else None,
            vault=Vault(ring.storage_key, SeededRandom()) if texts else None,
        )
    finally:
        database.close()


@dataclass(frozen=True, slots=True)
class Exchanged:
    """Both nodes at rest, the case they share, and the time it is now."""

    fiji: AtRest
    qumran: AtRest
    case: str
    now: int


async def exchange(folder: Path, databases: Mapping[str, str] | None = None) -> Exchanged:
    """Make two nodes and let them exchange."""
    made = make_network(folder, (FIJI, QUMRAN), databases)
    clock = ManualClock(SystemClock().now())
    rests = {name: AtRest(one.settings_file.parent) for name, one in made.items()}
    nodes = {name: one.open(clock) for name, one in rests.items()}
    try:
        case = await talk(nodes[FIJI], nodes[QUMRAN], clock)
    finally:
        for node in nodes.values():
            node.close()
    return Exchanged(rests[FIJI], rests[QUMRAN], case, clock.now())


async def talk(fiji: Node, qumran: Node, clock: ManualClock) -> str:
    """Let two nodes exchange everything that two can; gives their case."""
    posted = await fiji.writer.write(
        lambda tx: fiji.register.send_request(
            tx,
            to=QUMRAN,
            request_kind="INFORMAL_INQUIRY",
            body={"text": "please"},
            manifest=EVIDENCE,
        )
    )
    case = posted.case
    await fiji.writer.write(lambda tx: fiji.office.install_revocation(tx, _revocation(qumran, tx)))
    await carry(fiji, qumran)
    await post(qumran, case, Draft("answer", {"text": "here"}))
    await carry(qumran, fiji)
    for one, other in ((fiji, qumran), (qumran, fiji)):
        await post(one, case, Draft("note", {"text": "too late"}, lifetime_s=10))
        clock.advance(LATE_S)
        await carry(one, other)
    await post(fiji, case, Draft("note", {"text": "more"}))
    return case


def _revocation(node: Node, tx: Tx) -> bytes:
    """Give a node's revocation of a key that nothing here needs."""
    ring, network, authority = node.office.keys.ring, node.office.network, node.office.authority
    key_id = ring.signers("witness").key_ids[0]
    revocation = Revocation(network, authority, "witness", key_id, tx.now, None)
    return sign_revocation(revocation, ring.signers("sign")).encode()


async def post(node: Node, name: str, draft: Draft) -> None:
    """Post a message in a case."""

    def post(tx: Tx) -> None:
        case = node.register.find(tx.conn, name, lock=True)
        posted = node.outbox.post(tx, case, draft)
        node.register.standings.posted(tx, case, posted.signed)

    await node.writer.write(post)


async def carry(sender: Node, recipient: Node) -> None:
    """Bring what waits to the recipient, and its answers back."""
    to = recipient.settings.authority
    waiting = sender.database.read(lambda conn: queue_rows.list_waiting(conn, to))
    brought = Brought(sender.settings.authority, "", None, 0)
    verdicts = await recipient.inbox.accept(brought, [one.envelope for one in waiting])
    proofs = [one.receipt or one.proof for one in verdicts]
    examined = [sender.outbox.examine(to, raw) for raw in proofs if raw is not None]
    await sender.writer.write(lambda tx: sender.outbox.settle(tx, examined))


__all__ = [
    "FIJI", "NETWORK", "QUMRAN", "AtRest", "Exchanged", "audit", "carry", "exchange", "post",
    "talk",
]  # fmt: skip
