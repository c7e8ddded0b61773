"""Proving that one record is in the log, for somebody who has nothing else.

    proven = prove_record(conn, directory, "fj.justice", Place(1, 42))
    proven.proof                    # C2SP tlog-proof text
    proven.encode()                 # record, salt and proof in one file

The proof stands under the newest checkpoint that enough witnesses have cosigned, if one
covers the entry, else under the head. The record is shown with its salt, and so is nothing
else of the log. Reads rows; signs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from keys.directory import Directory
from node.audit.faults import NotHere
from node.audit.kept import KeptHead, best_head, newest_number
from node.audit.tiles import tile_reader
from node.storage import Connection, export_rows
from protocol.merkle import TreeView, leaf_hash, verify_inclusion
from protocol.proof import encode_proof
from protocol.receipt import Receipt
from protocol.record import commitment, entry

_PLACE: Final = re.compile(r"(?:([1-9][0-9]{0,8})/)?(0|[1-9][0-9]{0,14})")
_IDENTITY: Final = re.compile(r"[0-9a-f]{1,64}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands: the number of the log, and the position in it."""

    log: int
    position: int


@dataclass(frozen=True, slots=True)
class ProvenRecord:
    """A record, and the proof that its entry is in the log under `head`."""

    place: Place
    kind: str
    head: KeptHead
    record: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    proof: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Give record, salt and proof in the form of a receipt (SPEC 7.1, 15.2)."""
        return Receipt(self.record, self.salt, self.proof).encode()


def find_place(conn: Connection, name: str) -> Place:
    """Find what a person means: a position, LOG/POSITION, or how a message's identity begins."""
    match = _PLACE.fullmatch(name)
    if match is not None:
        return Place(int(match[1] or newest_number(conn)), int(match[2]))
    found = export_rows.find_places(conn, name) if _IDENTITY.fullmatch(name) else []
    if len(found) != 1:
        raise NotHere(
            "several messages begin like that"
            if found
            else "no record and no message is that; "
            "name a position as `audit search` shows it, or how a message begins"
        )
    (message,) = found
    if message.log is None or message.position is None:
        raise NotHere("the message has no entry in a log of ours")
    return Place(message.log, message.position)


def prove_record(
    conn: Connection, directory: Directory, authority: str, place: Place
) -> ProvenRecord:
    """Prove one record; raises `NotHere` if there is none, or none any more."""
    head = best_head(conn, directory, authority, number=place.log, size_min=place.position + 1)
    return prove_under(conn, head, place)


def prove_under(conn: Connection, head: KeptHead, place: Place) -> ProvenRecord:
    """Prove one record under a head of its log that covers it."""
    rows = export_rows.entries_at(conn, place.log, [place.position])
    row = rows.get(place.position)
    if row is None:
        raise NotHere(f"log {place.log} has no entry {place.position}")
    if row.record is None or row.salt is None:
        raise NotHere(f"the record of entry {place.position} was erased: nobody can show it")
    leaf = leaf_hash(entry(commitment(row.record, row.salt)))
    path = TreeView(head.size, tile_reader(conn, place.log)).inclusion_path(place.position)
    root = head.checkpoint.root
    verify_inclusion(leaf=leaf, index=place.position, size=head.size, path=path, root=root)
    proof = encode_proof(index=place.position, path=path, checkpoint=head.shown)
    return ProvenRecord(place, row.kind, head, row.record, row.salt, proof)


def consistency(conn: Connection, log: int, sizes: Sequence[int], size: int) -> list[list[bytes]]:
    """Give for each of the sizes the path that shows the tree of `size` to continue it."""
    view = TreeView(size, tile_reader(conn, log))
    return [view.consistency_path(one) for one in sizes]
