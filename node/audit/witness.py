"""The witness: this node's word on the logs of others (C2SP tlog-witness, SPEC 6.5).

A cosignature says: this is the newest state of that log that I have seen, and it continues
every state that I have cosigned before. It is worth something only if the memory behind it
never goes back. So the state is changed in the writer's transaction, from exactly the one
that was compared, and the lines leave only after the commit; a crash between the two costs
a log nothing but asking again, and it is given the lines that are kept.

    said = witness.answer(tx, body)                # add-checkpoint, as C2SP has it
    note = witness.follow(tx, origin, continuation)   # the same on the way of an exchange

Whose logs they are is for the directory to say. Two checkpoints of one size with two roots
are proof against the log, whoever brings them: they are handed on, with whatever answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from keys.directory import Directory
from keys.pairs import SignerPair
from keys.ring import KeyRing
from node.office import Office
from node.storage import Connection, peer_rows, witness_rows
from node.storage.peer_rows import Alarm
from node.storage.witness_rows import Witnessed
from node.storage.writer import Tx
from protocol import witness_wire
from protocol.checkpoint import (
    LOG_ORIGIN,
    Checkpoint,
    LogKeys,
    SignedCheckpoint,
    cosign,
    owner_of,
    verify_checkpoint,
    with_cosignatures,
    without_cosignatures,
    witness_name,
)
from protocol.continuation import VerifiedContinuation
from protocol.digest import sha256_hex
from protocol.errors import Busy, Forked, Malformed, NotAuthentic, Recovering, Rejected
from protocol.fork import make_fork
from protocol.merkle import EMPTY_ROOT, verify_consistency
from protocol.note import (
    ED25519,
    ED25519_COSIGNATURE,
    ML_DSA_44,
    Note,
    NoteSignature,
    VerifierKey,
    decode_note,
)
from protocol.witness_wire import AddCheckpoint

OnFork: TypeAlias = Callable[[Tx, bytes], object]
"""Takes a fork proof (`protocol.fork`) in the transaction in which it was found."""

# A word is kept and given again, but not for ever: its time says until when nobody had
# shown anything newer. A log that is idle asks once a day.
FRESH_S: Final = 12 * 3_600
_TRUNCATED_AGAIN_S: Final = 86_400
_TRUNCATED: Final = "log-truncated"


@dataclass(frozen=True, slots=True)
class Said:
    """What a witness says to add-checkpoint: one of C2SP's statuses, and the body."""

    status: int
    body: bytes
    content_type: str = witness_wire.TEXT_TYPE


@dataclass(frozen=True, slots=True)
class _Moves:
    """Nothing speaks against moving from `old` to `signed`, or to a fresher word on it."""

    old: Witnessed | None
    signed: SignedCheckpoint


@dataclass(frozen=True, slots=True)
class _Contradicts:
    """A signed checkpoint cannot be true beside `state`, or beyond where its log was closed."""

    signed: SignedCheckpoint
    state: Witnessed | None  # None: beyond the closing
    said: Said


_MALFORMED: Final = Said(400, b"malformed\n")
_NOT_SIGNED: Final = Said(403, b"no valid signature of the log\n")
_UNKNOWN: Final = Said(404, b"unknown origin\n")
_INCONSISTENT: Final = Said(422, b"not consistent\n")


class Witness:
    """Cosigns the logs of one network for one authority."""

    def __init__(
        self, office: Office, on_fork: OnFork, halted: Callable[[], str | None] = lambda: None
    ) -> None:
        """Cosign as `office`; `on_fork` is given what proves that a log has two histories.

        `halted` says why our own log may not sign, if so. Then the database is not the one
        it was, and what stands in it about other logs may be old as well: no word is given.
        """
        self._office = office
        self._on_fork = on_fork
        self._halted = halted
        self._expanded: tuple[KeyRing, SignerPair] | None = None

    @property
    def name(self) -> str:
        """The name under which this node cosigns."""
        return witness_name(self._office.network, self._office.authority)

    # --- add-checkpoint -------------------------------------------------------------------
    def known(self, conn: Connection, body: bytes, now: int) -> Said | None:
        """Answer what needs no change of the state; None if `answer` has to decide.

        For a reader: whoever asks without effect, or with nonsense, costs no transaction.
        """
        judged = self._judge(conn, self._office.directory, body, now)
        return judged if isinstance(judged, Said) else None

    def answer(self, tx: Tx, body: bytes) -> Said:
        """Answer add-checkpoint, moving the state with this unit if it may move."""
        judged = self._judge(tx.conn, self._office.trusted(tx), body, tx.now)
        match judged:
            case Said():
                return judged
            case _Contradicts(signed, state, said):
                self._accuse(tx, signed, state)
                return said
            case _Moves(old, signed):
                moved = self._cosign(tx, old, signed)
                if moved is None:  # another process of this node was first
                    return _conflict(witness_rows.read_witnessed(tx.conn, _origin(signed)))
                return self._lines_of(moved)

    def _judge(
        self, conn: Connection, directory: Directory, body: bytes, now: int
    ) -> Said | _Moves | _Contradicts:
        """Go through C2SP's checks in their order."""
        try:
            request = witness_wire.decode_add_checkpoint(body)
        except Rejected:
            return _MALFORMED
        try:
            keys = self._keys_of(directory, request.origin)
        except Rejected:
            return _UNKNOWN
        if request.size == 0 and not _is_empty(request):
            return _INCONSISTENT
        try:
            raw = _own_lines_alone(request.checkpoint_raw, request.origin, keys)
            signed = verify_checkpoint(raw, origin=request.origin, keys=keys)
        except NotAuthentic:
            return _NOT_SIGNED
        except Rejected:
            return _MALFORMED
        return self._compare(conn, directory, request, signed, now)

    def _keys_of(self, directory: Directory, origin: str) -> LogKeys:
        """Find the keys of a log of somebody else in this network; `Rejected` if there are none."""
        if LOG_ORIGIN.fullmatch(origin) is None or owner_of(origin) == self._office.authority:
            raise Malformed("no log, or one of our own, which we do not witness")
        return directory.keys_of_log(origin)

    def _compare(
        self,
        conn: Connection,
        directory: Directory,
        request: AddCheckpoint,
        signed: SignedCheckpoint,
        now: int,
    ) -> Said | _Moves | _Contradicts:
        """Compare a signed checkpoint with what is remembered of its log."""
        new, state = signed.checkpoint, witness_rows.read_witnessed(conn, request.origin)
        size, root = (0, EMPTY_ROOT) if state is None else (state.size, state.root)
        if request.old_size != size:
            said = _conflict(state)
            forked = state is not None and new.size == size and new.root != root
            return _Contradicts(signed, state, said) if forked else said
        if state is not None and new.size == size and new.root != root:
            return _Contradicts(signed, state, _INCONSISTENT)
        try:
            verify_consistency(
                old_size=size, old_root=root, new_size=new.size, new_root=new.root,
                path=request.path,
            )  # fmt: skip
            _require_within_end(directory, new)
        except Forked:
            return _Contradicts(signed, None, _INCONSISTENT)
        except NotAuthentic:
            return _INCONSISTENT
        if state is not None and self._still_good(state, new, now):
            return self._lines_of(state)
        return _Moves(state, signed)

    # --- on the way of an exchange ----------------------------------------------------------
    def follow(self, tx: Tx, origin: str, told: VerifiedContinuation) -> bytes:
        """Move the state along a verified continuation; gives the checkpoint with our word.

        `Forked` if the continuation shows another history than was cosigned, or one beyond
        where the log was closed; `Unproven` if it does not show that it continues it. The
        caller has the proof in hand, and keeps it.
        """
        directory, new = self._office.trusted(tx), told.signed.checkpoint
        self._keys_of(directory, origin)
        if new.origin != origin:
            raise NotAuthentic("a continuation of another log")
        state = witness_rows.read_witnessed(tx.conn, origin)
        if state is not None:
            told.require(state.size, state.root)
        _require_within_end(directory, new)
        if state is not None and self._still_good(state, new, tx.now):
            return state.raw
        moved = self._cosign(tx, state, told.signed)
        if moved is None:
            raise Busy("another process moved what is remembered of this log")
        return moved.raw

    # --- reading ----------------------------------------------------------------------------
    def checkpoint(self, conn: Connection, origin_digest: str) -> bytes | None:
        """Give the newest cosigned checkpoint of the log with this SHA-256 of its origin."""
        for origin in witness_rows.list_origins(conn):
            if sha256_hex(origin.encode()) == origin_digest:
                state = witness_rows.read_witnessed(conn, origin)
                return None if state is None else state.raw
        return None

    # --- the word itself --------------------------------------------------------------------
    def _cosign(self, tx: Tx, old: Witnessed | None, signed: SignedCheckpoint) -> Witnessed | None:
        """Cosign and remember; None if `old` is no longer what is remembered."""
        halted = self._halted()
        if halted is not None:
            raise Recovering(halted)
        ed25519, ml_dsa = self._signers()
        lines = cosign(
            signed.checkpoint, name=self.name, ed25519=ed25519, ml_dsa=ml_dsa, now=tx.now
        )
        new = signed.checkpoint
        raw = with_cosignatures(without_cosignatures(signed.raw), lines)
        moved = Witnessed(new.origin, new.size, new.root, raw, tx.now)
        return moved if witness_rows.move_witnessed(tx.conn, old, moved) else None

    def _signers(self) -> SignerPair:
        ring = self._office.keys.ring
        if self._expanded is None or self._expanded[0] is not ring:
            self._expanded = ring, ring.signers("witness")
        return self._expanded[1]

    def _still_good(self, state: Witnessed, new: Checkpoint, now: int) -> bool:
        """Say whether the kept lines answer for this checkpoint: same state, key and time."""
        if (state.size, state.root) != (new.size, new.root) or now - state.at >= FRESH_S:
            return False
        ed25519, _ = self._signers()
        mark = VerifierKey(self.name, ED25519_COSIGNATURE, ed25519.public.raw).key_hash
        return any(line.key_hash == mark for line in self._own_lines(state.raw))

    def _own_lines(self, raw: bytes) -> tuple[NoteSignature, ...]:
        return tuple(line for line in decode_note(raw).signatures if line.name == self.name)

    def _lines_of(self, state: Witnessed) -> Said:
        return Said(200, witness_wire.encode_cosignatures(self._own_lines(state.raw)))

    # --- contradictions ---------------------------------------------------------------------
    def _accuse(self, tx: Tx, signed: SignedCheckpoint, state: Witnessed | None) -> None:
        """Hand on a proof of two histories; keep what was signed beyond a closing, once a day."""
        if state is not None:
            self._on_fork(tx, make_fork(state.raw, signed.raw))
            return
        detail = f"{_origin(signed)} was closed below a checkpoint that it has signed"
        alarm_truncated(tx, signed, None, detail)


def alarm_truncated(tx: Tx, signed: SignedCheckpoint, closure: str | None, detail: str) -> None:
    """Alarm that a log was cut off, with what it had signed; once a day, for it can sign more."""
    authority, since = owner_of(_origin(signed)), tx.now - _TRUNCATED_AGAIN_S
    if peer_rows.count_alarms(tx.conn, _TRUNCATED, authority, since) == 0:
        alarm = Alarm(tx.now, _TRUNCATED, authority, closure, detail, kept=signed.raw)
        peer_rows.insert_alarm(tx.conn, alarm)


def _origin(signed: SignedCheckpoint) -> str:
    return signed.checkpoint.origin


def _conflict(state: Witnessed | None) -> Said:
    size = 0 if state is None else state.size
    return Said(409, witness_wire.encode_size(size), witness_wire.SIZE_TYPE)


def _require_within_end(directory: Directory, checkpoint: Checkpoint) -> None:
    """Refuse, with `Forked`, a checkpoint beyond where its log was closed."""
    closed = directory.closure(checkpoint.origin)
    if closed is not None:
        closed.closure.require_within(checkpoint)


def _is_empty(request: AddCheckpoint) -> bool:
    """Say whether a checkpoint of size zero has the one root that it can have."""
    expected = Checkpoint(request.origin, 0, EMPTY_ROOT).body()
    return decode_note(request.checkpoint_raw).body == expected


def _own_lines_alone(raw: bytes, origin: str, keys: LogKeys) -> bytes:
    """Give the note with the lines of the log's own keys alone, in their order.

    C2SP lets other lines stand anywhere among them, and has a witness ignore those.
    """
    note = decode_note(raw)
    marks = [
        VerifierKey(origin, ED25519, keys.ed25519.raw).key_hash,
        VerifierKey(origin, ML_DSA_44, keys.ml_dsa.raw).key_hash,
    ]
    own = [line for line in note.signatures if line.name == origin and line.key_hash in marks]
    if not own:
        raise NotAuthentic("no line of the log itself")
    return Note(note.body, tuple(sorted(own, key=lambda one: marks.index(one.key_hash)))).encode()
