"""The log: gives records their places, grows the tree, and signs its head (SPEC 6).

It runs inside the writer's transaction: assign positions, store commitments, grow the
right edge of the tiles, sign the checkpoint, move the head from exactly the old one. After
the commit it advances the guard, and only then may anything leave. What is cached between
transactions is the right edge alone, and only while it belongs to the committed head; after
a rollback, or a commit whose answer was lost, it is read again.

Start-up compares database, guard and tree. If they do not agree, the log is halted: reads
go on, and every attempt to record raises `Recovering` until a person has acted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeAlias

from node.audit.guard import Guard, guarded_checkpoint
from node.storage import Connection, log_rows
from node.storage.log_rows import Head, NewEntry
from node.storage.writer import PendingEntry, Sequenced
from protocol.checkpoint import (
    Checkpoint,
    LogKeys,
    log_origin,
    number_of,
    sign_checkpoint,
    verify_checkpoint,
)
from protocol.errors import Recovering, Rejected
from protocol.identity import Signer
from protocol.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    ReadTile,
    TileRows,
    TreeView,
    grow,
    leaf_hash,
    tree_root,
)
from protocol.proof import encode_proof
from protocol.record import SALT_BYTES, commitment, entry

FIRST_LOG: Final = 1  # the number of an authority's first log; closing one opens the next


_Tiles: TypeAlias = dict[tuple[int, int], tuple[bytes, bytes]]
_SIGNED_BESIDE_MIN: Final = 64  # entries whose inserts take longer than waking a thread
_TILES_KEPT: Final = 64  # of the right edge: two a level, and some that are full by now


@dataclass(frozen=True, slots=True)
class _Edge:
    """The right edge of the tree as committed, so that growing it reads nothing."""

    size: int
    kept: TileRows


def open_origin(conn: Connection, network: str, authority: str) -> str:
    """Name the log of an authority that is open in this database, or its first, if none is."""
    return log_rows.newest_origin(conn) or log_origin(network, authority, FIRST_LOG)


class Log:
    """One authority's log of one network; the sequencer of the writer."""

    def __init__(
        self,
        origin: str,
        signers: Iterable[Signer],
        guard: Guard,
        random: Callable[[int], bytes],
    ) -> None:
        """Log under `origin` with the Ed25519 and ML-DSA-44 `log` keys."""
        self.origin = origin
        self.number = number_of(origin)
        self._ed25519, self._ml_dsa = signers
        self._keys = LogKeys(self._ed25519.public, self._ml_dsa.public)
        self._guard = guard
        self._random = random
        self._signer = ThreadPoolExecutor(1, thread_name_prefix="log-signer")
        self._edge: _Edge | None = None
        self._unguarded: tuple[Head, Head] | None = None
        self._published: Head | None = None
        self._halted: str | None = "the log has not been opened"

    @property
    def halted(self) -> str | None:
        """Why nothing may be signed, or None."""
        return self._halted

    @property
    def keys(self) -> LogKeys:
        """The public keys that sign this log."""
        return self._keys

    @property
    def published(self) -> Head | None:
        """The newest head that the guard holds: nobody may be shown a newer one."""
        return self._published

    def halt(self, reason: str) -> None:
        """Sign nothing from here on: somebody has shown what this log has signed elsewhere."""
        self._halted = self._halted or reason

    def create(self, conn: Connection, now: int) -> bytes:
        """Store and sign the empty log; gives its checkpoint. For `init` alone."""
        head = self._sign(Head(self.origin, 0, EMPTY_ROOT, b""), now)
        log_rows.insert_head(conn, head)
        return head.checkpoint

    def open(self, conn: Connection) -> None:
        """Compare database, guard and tree before anything is signed."""
        self._halted = None
        try:
            self._compare(conn)
        except Rejected as fault:
            self._halted = fault.detail

    def _compare(self, conn: Connection) -> None:
        head = log_rows.read_head(conn, self.origin)
        if head is None:
            raise Recovering("the database holds no log of this authority")
        signed = verify_checkpoint(head.checkpoint, origin=self.origin, keys=self._keys).checkpoint
        if (signed.size, signed.root) != (head.size, head.root):
            raise Recovering("the head in the database is not what its checkpoint says")
        if tree_root(head.size, self._reader(conn)) != head.root:
            raise Recovering("the tiles in the database do not give the signed root")
        held = self._guard.read()
        if held is None:
            raise Recovering("the guard is absent; only `init` makes one")
        guarded = guarded_checkpoint(held.checkpoint)
        if guarded == signed and not held.torn:
            self._published = head
            return
        if guarded == signed and held.checkpoint == head.checkpoint:
            # What it was to hold had been committed, so the database must be ahead of the rest.
            raise Recovering("the guard is damaged: it has lost a state newer than the database")
        if guarded.origin != self.origin or guarded.size > head.size:
            raise Recovering(
                f"the database is behind the guard: {head.size} entries here, "
                f"{guarded.size} already signed; it was restored or copied"
            )
        if tree_root(guarded.size, self._reader(conn)) != guarded.root:
            raise Recovering("the database holds another history than the guard")
        # Ahead of the guard and consistent: the crash came before anything had left.
        self._guard.advance(guarded, head.checkpoint)
        self._published = head

    def renew(self, conn: Connection, now: int) -> None:
        """Sign the newest head again, with the time of now, so that others see it is alive."""
        old = self._locked_head(conn)
        new = self._sign(old, now)
        log_rows.replace_head(conn, old, new)
        self._unguarded = (old, new)

    def _locked_head(self, conn: Connection) -> Head:
        """Give the head that is to be moved, which nobody else moves meanwhile."""
        if self._halted is not None:
            raise Recovering(self._halted)
        log_rows.lock_log(conn, self.origin)
        head = log_rows.read_head(conn, self.origin)
        if head is None:
            raise Recovering("the head of the log has gone from the database")
        return head

    def sequence(self, conn: Connection, entries: Sequence[PendingEntry], now: int) -> None:
        """Append the entries in their order and sign the new head, in this transaction."""
        old = self._locked_head(conn)
        edge, self._edge = self._edge, None  # until the commit is known
        if edge is None or edge.size != old.size:
            edge = _Edge(old.size, TileRows(_TILES_KEPT))
        rows, leaves = self._place(entries, old.size, now)
        read = self._reader(conn)
        tiles = self._grow(edge, leaves, read)
        view = TreeView(old.size + len(rows), _reader_of(tiles, read), edge.kept)
        head = Head(self.origin, view.size, view.root(), b"")
        if len(rows) >= _SIGNED_BESIDE_MIN:
            new = self._store_and_sign(conn, rows, tiles, head, now)
        else:
            self._store(conn, rows, tiles)
            new = self._sign(head, now)
        if not log_rows.replace_head(conn, old, new):
            raise Recovering("another sequencer moved the head of this log")
        self._answer(entries, rows, new, view)
        self._edge, self._unguarded = _Edge(new.size, edge.kept), (old, new)

    def _place(
        self, entries: Sequence[PendingEntry], start: int, now: int
    ) -> tuple[list[NewEntry], list[bytes]]:
        """Give each record its place and its salt: the rows, and the leaves of the tree."""
        salts = self._random(SALT_BYTES * len(entries))
        rows: list[NewEntry] = []
        leaves = []
        for number, pending in enumerate(entries):
            record, salt = pending.record.encode(), salts[SALT_BYTES * number :][:SALT_BYTES]
            committed = commitment(record, salt)
            kind = pending.record.kind
            rows.append((self.number, start + number, committed, kind, now, record, salt))
            leaves.append(leaf_hash(entry(committed)))
        return rows, leaves

    def _store_and_sign(
        self, conn: Connection, rows: Sequence[NewEntry], tiles: _Tiles, head: Head, now: int
    ) -> Head:
        """Sign on another thread while the rows are inserted: ML-DSA needs no lock of Python."""
        signing = self._signer.submit(self._sign, head, now)
        try:
            self._store(conn, rows, tiles)
        finally:
            signed = signing.result()
        return signed

    def _store(self, conn: Connection, rows: Sequence[NewEntry], tiles: _Tiles) -> None:
        log_rows.insert_entries(conn, rows)
        for place, (before, tile) in tiles.items():
            log_rows.write_tile(conn, self.number, place, tile, new=not before)

    @staticmethod
    def _grow(edge: _Edge, leaves: Sequence[bytes], read: ReadTile) -> _Tiles:
        """Give the tiles that grow, each as it was and as it is."""
        tiles: _Tiles = {}
        for (level, index), more in grow(edge.size, leaves, read, edge.kept).items():
            complete = edge.size >> 8 * level
            width = max(0, complete - index * TILE_WIDTH)
            before = edge.kept.tile(level, index, width, read)
            tiles[level, index] = before, before + more
        return tiles

    def _answer(
        self,
        entries: Sequence[PendingEntry],
        rows: Sequence[NewEntry],
        head: Head,
        view: TreeView,
    ) -> None:
        """Give those who asked the proof of their entry under the new checkpoint."""
        for pending, (log, position, _, _, _, record, salt) in zip(entries, rows, strict=True):
            if pending.then is None:
                continue
            path = view.inclusion_path(position)
            proof = encode_proof(index=position, path=path, checkpoint=head.checkpoint)
            pending.then(Sequenced(log, position, record, salt, proof, head.size))

    def _sign(self, head: Head, now: int) -> Head:
        checkpoint = Checkpoint(self.origin, head.size, head.root)
        raw = sign_checkpoint(checkpoint, ed25519=self._ed25519, ml_dsa=self._ml_dsa, now=now)
        return Head(self.origin, head.size, head.root, raw)

    def committed(self) -> None:
        """Advance the guard over what was committed; if it will not move, halt."""
        if self._unguarded is None:
            return
        old, new = self._unguarded
        self._unguarded = None
        try:
            self._guard.advance(Checkpoint(self.origin, old.size, old.root), new.checkpoint)
        except Recovering as fault:
            self._halted = fault.detail
            raise
        except OSError as fault:
            self._halted = f"the guard cannot be written: {fault.strerror}"
            raise Recovering(self._halted) from fault
        self._published = new

    def abandoned(self) -> None:
        """Forget what was signed: the transaction was rolled back, or its end is unknown."""
        self._edge, self._unguarded = None, None

    def _reader(self, conn: Connection) -> ReadTile:
        """Read tiles from the database."""

        def read(level: int, index: int, width: int) -> bytes:
            found = log_rows.read_tile(conn, self.number, level, index)
            if len(found) < width * HASH_BYTES:
                raise Recovering("tiles of the log are missing in the database")
            return found

        return read


def _reader_of(tiles: _Tiles, read: ReadTile) -> ReadTile:
    """Read tiles as they will be once the transaction is committed."""

    def grown(level: int, index: int, width: int) -> bytes:
        found = tiles.get((level, index))
        return read(level, index, width) if found is None else found[1]

    return grown
