"""Which signed state of our own log to show: the newest that enough witnesses have seen.

    head = best_head(conn, directory, "fj.justice", number=1)
    f"witnessed by {len(head.witnesses)} of {head.quorum}"

What is shown is verified first, by the keys that the network lists: a checkpoint whose own
lines do not hold is refused, and a witness counts only if both its lines hold. Reads rows,
signs nothing, knows no record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from keys.directory import Directory
from node.audit.faults import NotHere
from node.storage import Connection, log_rows, watch_rows
from protocol.checkpoint import (
    Checkpoint,
    LogKeys,
    SignedCheckpoint,
    cosignature_lines,
    number_of,
    verify_checkpoint,
    verify_cosignature,
    with_cosignatures,
    without_cosignatures,
)
from protocol.document import KeyTerm
from protocol.errors import Rejected
from protocol.note import NoteSignature


@dataclass(frozen=True, slots=True)
class KeptHead:
    """A signed state of one of our logs, and which of its witnesses have cosigned it.

    `quorum` is how many the network document asks for, 0 where it names no witness.
    """

    number: int
    signed: SignedCheckpoint
    witnesses: tuple[str, ...]
    quorum: int
    keys: LogKeys = field(repr=False)
    words: tuple[NoteSignature, ...] = field(default=(), repr=False)

    @property
    def checkpoint(self) -> Checkpoint:
        """Origin, size and root."""
        return self.signed.checkpoint

    @property
    def size(self) -> int:
        """How many entries it covers."""
        return self.signed.checkpoint.size

    @property
    def raw(self) -> bytes:
        """The exact bytes, with all lines that were kept."""
        return self.signed.raw

    @property
    def shown(self) -> bytes:
        """The checkpoint with the lines of its log, and of its witnesses as listed today.

        Others count for nothing, and a bundle must not hold them (SPEC 15.4).
        """
        return with_cosignatures(without_cosignatures(self.signed.raw), self.words)


def newest_number(conn: Connection) -> int:
    """Give the number of the log that is open."""
    origin = log_rows.newest_origin(conn)
    if origin is None:
        raise NotHere("the database holds no log of this authority")
    return number_of(origin)


def choose_head(
    conn: Connection,
    directory: Directory,
    authority: str,
    *,
    number: int | None = None,
    size: int | None = None,
) -> KeptHead:
    """Give the state that a person asked for: of the open log, and the best, if not named."""
    log = newest_number(conn) if number is None else number
    if size is None:
        return best_head(conn, directory, authority, number=log)
    return head_of_size(conn, directory, authority, number=log, size=size)


def best_head(
    conn: Connection, directory: Directory, authority: str, *, number: int, size_min: int = 0
) -> KeptHead:
    """Give the best cosigned checkpoint of at least `size_min`, else the head of the log."""
    quorum = quorum_of(directory, authority)
    kept = watch_rows.best_checkpoint(conn, number, quorum=quorum, size_min=size_min)
    if kept is not None:
        return verify_head(directory, authority, number, kept.raw)
    head = newest_head(conn, directory, authority, number=number)
    if head.size < size_min:
        raise NotHere(f"the log has {head.size} entries, of which the last is {head.size - 1}")
    return head


def newest_head(conn: Connection, directory: Directory, authority: str, *, number: int) -> KeptHead:
    """Give the head of a log as it is stored, whether anybody has cosigned it or not."""
    newest = newest_number(conn)
    if not 1 <= number <= newest:
        raise NotHere(f"there is no log number {number} here; the open one is {newest}")
    origin, _ = directory.log_keys(authority, number, even_revoked=True)
    row = log_rows.read_head(conn, origin)
    if row is None:
        raise NotHere(f"there is no log number {number} here")
    kept = watch_rows.read_checkpoint(conn, number, row.size)
    return verify_head(directory, authority, number, row.checkpoint if kept is None else kept.raw)


def head_of_size(
    conn: Connection, directory: Directory, authority: str, *, number: int, size: int
) -> KeptHead:
    """Give the signed state of exactly this size, if one is kept."""
    kept = watch_rows.read_checkpoint(conn, number, size)
    if kept is not None:
        return verify_head(directory, authority, number, kept.raw)
    head = newest_head(conn, directory, authority, number=number)
    if head.size != size:
        raise NotHere(
            f"no checkpoint of {size} entries is kept: there is the head, of {head.size}, and "
            "every size at which a witness has cosigned"
        )
    return head


def quorum_of(directory: Directory, authority: str) -> int:
    """Give how many witnesses the newest document asks for."""
    return directory.document.document.quorum(directory.entry(authority))


def witness_pairs(
    directory: Directory, authority: str
) -> Iterator[tuple[str, KeyTerm, str, LogKeys]]:
    """Give the id, a term, the witness name and the keys of every witness that a log has.

    A witness that had several pairs is given once for each, the newest first.
    """
    for witness in directory.entry(authority).witnesses:
        for term in reversed(directory.entry(witness).witness):
            try:
                name, keys = directory.witness_keys(witness, term.start)
            except Rejected:  # a key that is revoked, or in no listing here, gives no word
                continue
            yield witness, term, name, keys


def verify_head(directory: Directory, authority: str, number: int, raw: bytes) -> KeptHead:
    """Verify a checkpoint of one of our logs, and find the words of its witnesses on it."""
    origin, keys = directory.log_keys(authority, number, even_revoked=True)
    signed = verify_checkpoint(raw, origin=origin, keys=keys)
    words: dict[str, list[NoteSignature]] = {}
    for witness, term, name, pair in witness_pairs(directory, authority):
        time = _time_of_word(signed, name, pair)
        if time is not None and term.covers(time):
            words[witness] = cosignature_lines(signed.other_signatures, name=name, keys=pair)
    lines = tuple(line for pair in words.values() for line in pair)
    return KeptHead(number, signed, tuple(words), quorum_of(directory, authority), keys, lines)


def _time_of_word(signed: SignedCheckpoint, name: str, keys: LogKeys) -> int | None:
    try:
        return verify_cosignature(signed.checkpoint, signed.other_signatures, name=name, keys=keys)
    except Rejected:
        return None
