"""Three authorities at rest that have met everything a node can keep: no table is empty.

    made = await watched(tmp_path)
    made.fiji.tamper("DELETE FROM witnessed")

On top of `exchanged`: peers cosigned the log and Fiji cosigned theirs, an auditor has a
token, a person acted, Tonga's log forked and was closed, a message was skipped and another
contested. All of it is made by the node's own functions, or signed with real keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from keys.keyfile import read_key_file
from keys.ring import KeyRing
from node.app import Node
from node.audit.records import ForkFound, KeyRotated, LogTimestamped, TokenMade
from node.clock import SystemClock
from node.inbox import Brought
from node.outbox import Draft
from node.storage import (
    auditor_rows,
    log_rows,
    notice_rows,
    peer_rows,
    person_rows,
    queue_rows,
    watch_rows,
    witness_rows,
)
from node.storage.log_tables import TimestampRow
from node.storage.statements import insert_into
from node.storage.tables import metadata
from node.storage.writer import Tx
from protocol.checkpoint import (
    Checkpoint,
    cosign,
    log_origin,
    sign_checkpoint,
    with_cosignatures,
    witness_name,
)
from protocol.closure import Closure, sign_closure
from protocol.digest import sha256, sha256_hex
from protocol.fork import make_fork
from protocol.note import NoteSignature
from tests.support import exchanged
from tests.support.clock import ManualClock
from tests.support.exchanged import FIJI, QUMRAN, AtRest
from tests.support.forge import envelope_parts
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import NETWORK, make_network
from tests.support.worked import work

TONGA = "to.justice"
OFFICER = "uid 1000"
LATER_S = 60
COSIGNED_AT = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Watched:
    """All three nodes at rest, the case of Fiji and Qumran, and the time it is now.

    `before` is Fiji's folder as a backup had it: whole, sound, and a few entries ago.
    """

    fiji: AtRest
    qumran: AtRest
    tonga: AtRest
    before: AtRest
    case: str
    now: int


async def watched(folder: Path, databases: Mapping[str, str] | None = None) -> Watched:
    """Make the nodes and let everything happen once; a backup is one only on SQLite."""
    made = make_network(folder, (FIJI, QUMRAN, TONGA), databases)
    clock = ManualClock(SystemClock().now())
    rests = {name: AtRest(one.settings_file.parent) for name, one in made.items()}
    nodes = {name: rest.open(clock) for name, rest in rests.items()}
    fiji, qumran = nodes[FIJI], nodes[QUMRAN]
    case = await exchanged.talk(fiji, qumran, clock)
    await _ask_again(fiji, qumran)
    await _contradict(fiji, qumran, case, clock)
    await exchanged.post(qumran, case, Draft("note", {"text": "again"}))
    await exchanged.carry(qumran, fiji)
    rings = {name: _ring(rest) for name, rest in rests.items()}
    await fiji.writer.write(lambda tx: _keep_more(tx, fiji, rings[TONGA]))
    work(fiji, case)
    await _cosign_all(nodes, rings)
    fiji.close()
    before = rests[FIJI].copy(folder / "backup")
    clock.advance(LATER_S)
    nodes[FIJI] = fiji = rests[FIJI].open(clock)
    await exchanged.post(fiji, case, Draft("note", {"text": "after the backup"}))
    await _cosign_all(nodes, rings)
    for node in nodes.values():
        node.close()
    return Watched(rests[FIJI], rests[QUMRAN], rests[TONGA], before, case, clock.now())


def _ring(rest: AtRest) -> KeyRing:
    ring = read_key_file(rest.settings.keys.file, PASSPHRASE)
    assert isinstance(ring, KeyRing)
    return ring


async def _ask_again(fiji: Node, qumran: Node) -> None:
    """Open a second case, which waits for its answer."""
    await fiji.writer.write(
        lambda tx: fiji.register.send_request(
            tx, to=QUMRAN, request_kind="mla", body={"text": "another matter"}
        )
    )
    await exchanged.carry(fiji, qumran)


async def _contradict(fiji: Node, qumran: Node, case: str, clock: ManualClock) -> None:
    """Let Qumran say a second thing in the place of its answer."""
    shown = qumran.database.read(lambda conn: qumran.register.show(conn, case))
    first = next(one.message for one in shown.messages if one.stored.direction == "out")
    second = replace(first, body={"text": "something else"}, salt=bytes(32))
    key = qumran.office.directory.seal_key(FIJI, clock.now())
    raw = envelope_parts(second, qumran.office.keys.sign, key).encode()
    (verdict,) = await fiji.inbox.accept(Brought(QUMRAN, "", None, 0), [raw])
    assert verdict.refusal == "equivocation"


def _keep_more(tx: Tx, fiji: Node, tonga: KeyRing) -> None:
    """Fill the tables that an exchange alone leaves empty, each with its record."""
    conn, now = tx.conn, tx.now
    tx.by = person_rows.person_id(conn, OFFICER, fiji.random)
    for days, name in enumerate(("audit", "court"), 1):
        token = auditor_rows.token_digest(name)
        until = now + days * 86_400
        auditor_rows.insert_token(conn, auditor_rows.AuditorToken(token, name, now, until))
        tx.record(TokenMade(NETWORK, now, token, until, by=tx.by))
    tx.by = person_rows.person_id(conn, f"{OFFICER}0", fiji.random)
    tx.record(KeyRotated(NETWORK, now, "hop", "00", "01", by=tx.by))
    _fork(tx, tonga)
    pair = tonga.signers("sign")
    closure = Closure(NETWORK, TONGA, 1, 50, sha256(b"end"), "lost-state", 2, now)
    fiji.office.install_closure(tx, sign_closure(closure, pair).encode())
    _timestamp(tx, fiji)
    for number in range(2):
        peer_rows.take_nonce(conn, f"{number:064x}", "nonce", now + 60)
        peer_rows.write_setting(conn, f"setting {number}", str(now))
    for peer in (QUMRAN, TONGA):
        queue_rows.write_queue(conn, queue_rows.QueueState(peer, claimed_by="courier"))


def _fork(tx: Tx, tonga: KeyRing) -> None:
    one, other = (_signed(tonga, TONGA, 9, sha256(side), tx.now) for side in (b"one", b"other"))
    origin, proof = log_origin(NETWORK, TONGA, 1), make_fork(one, other)
    notice = notice_rows.Notice(sha256_hex(proof), origin, proof, tx.now)
    notice_rows.insert_notice(tx.conn, "fork", notice)
    tx.record(ForkFound(NETWORK, tx.now, origin, notice.digest))


def _timestamp(tx: Tx, fiji: Node) -> None:
    """Keep a timestamp; its token stands for one, which the audit of storage does not open."""
    head = log_rows.read_head(tx.conn, fiji.log.origin)
    assert head is not None
    token = b"a token of a timestamp authority"
    row = TimestampRow(
        digest=sha256_hex(token), log=1, size=head.size, checkpoint=head.checkpoint,
        token=token, at=tx.now,
    )  # fmt: skip
    table = metadata.tables["timestamps"]
    tx.conn.execute(insert_into(table), {one.name: getattr(row, one.name) for one in table.columns})
    tx.record(LogTimestamped(NETWORK, tx.now, head.size, row.digest))


def _signed(ring: KeyRing, authority: str, size: int, root: bytes, now: int) -> bytes:
    ed25519, ml_dsa = ring.signers("log")
    checkpoint = Checkpoint(log_origin(NETWORK, authority, 1), size, root)
    return sign_checkpoint(checkpoint, ed25519=ed25519, ml_dsa=ml_dsa, now=now)


async def _cosign_all(nodes: dict[str, Node], rings: dict[str, KeyRing]) -> None:
    """Let every node cosign the newest head of every other, and the owner keep the words."""
    for owner, node in nodes.items():
        head = _head(node)
        witnesses = [name for name in nodes if name != owner]
        for name in witnesses:
            await _remember(nodes[name], _cosigned(head, [name], rings))
        raw = _cosigned(head, witnesses, rings).checkpoint
        kept = watch_rows.KeptCheckpoint(1, head.size, raw, len(witnesses), SystemClock().now())
        await node.writer.write(
            lambda tx, kept=kept: watch_rows.keep_checkpoint(tx.conn, kept)  # type: ignore[misc]  # mypy cannot type it
        )
    fiji = nodes[FIJI]
    raw = _signed(rings[TONGA], TONGA, 40, sha256(b"not shown"), SystemClock().now())
    unproved = watch_rows.Unproved(log_origin(NETWORK, TONGA, 1), 40, sha256(b"not shown"), raw, 1)
    await fiji.writer.write(lambda tx: watch_rows.insert_unproved(tx.conn, unproved))


def _head(node: Node) -> log_rows.Head:
    head = node.database.read(lambda conn: log_rows.read_head(conn, node.log.origin))
    assert head is not None
    return head


def _cosigned(
    head: log_rows.Head, names: Sequence[str], rings: dict[str, KeyRing]
) -> log_rows.Head:
    checkpoint = Checkpoint(head.origin, head.size, head.root)
    lines: list[NoteSignature] = []
    for name in names:
        ed25519, ml_dsa = rings[name].signers("witness")
        lines += cosign(
            checkpoint, name=witness_name(NETWORK, name), ed25519=ed25519, ml_dsa=ml_dsa,
            now=COSIGNED_AT,
        )  # fmt: skip
    return replace(head, checkpoint=with_cosignatures(head.checkpoint, lines))


async def _remember(node: Node, head: log_rows.Head) -> None:
    new = witness_rows.Witnessed(head.origin, head.size, head.root, head.checkpoint, COSIGNED_AT)

    def move(tx: Tx) -> None:
        old = witness_rows.read_witnessed(tx.conn, head.origin)
        assert witness_rows.move_witnessed(tx.conn, old, new)

    await node.writer.write(move)


__all__ = ["FIJI", "QUMRAN", "TONGA", "Watched", "watched"]
