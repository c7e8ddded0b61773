"""The trust that is stored: every row verifies, and is what its columns say.

The chain of documents, the listings and the revocations are verified again from their
bytes, in the order of their installation; the log's keys and the peers' come from there
and from nowhere else. Knows no entry of the log; which installations it recorded is
compared at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from keys.directory import Directory
from node.audit.fsck.report import Notes
from node.storage import Connection, audit_rows, audit_watch_rows
from node.storage.audit_rows import Values
from protocol.checkpoint import LogKeys
from protocol.dsse import Unverified
from protocol.errors import Rejected
from protocol.listing import decode_listing, decode_listing_text
from protocol.network import decode_document, decode_document_text
from protocol.revocation import decode_revocation, decode_revocation_text

INSTALLED: Final = {
    "network.installed": ("network_documents", "document"),
    "listing.installed": ("listings", "listing"),
    "revocation.installed": ("revocations", "revocation"),
}
"""The records of installations: the table of each, and its field with the digest."""


@dataclass(slots=True)
class StoredTrust:
    """What is stored about trust, and which of it the log has recorded."""

    directory: Directory
    stored: dict[str, dict[str, int]]  # times of installation by digest, by table
    recorded: dict[str, dict[str, int]] = field(
        default_factory=lambda: {table: {} for table, _ in INSTALLED.values()}
    )

    def log_keys(self, authority: str, number: int) -> LogKeys | None:
        """Give the keys of a log of an authority, or None if they are not here."""
        try:
            return self.directory.log_keys(authority, number, even_revoked=True)[1]
        except Rejected:
            return None

    def keys_of(self, origin: str) -> LogKeys | None:
        """Give the keys of a log by its name, or None if they are not here."""
        try:
            return self.directory.keys_of_log(origin, even_revoked=True)
        except Rejected:
            return None

    def witness_pairs(self, authority: str) -> list[LogKeys]:
        """Give the keys with which an authority witnesses, those of every time."""
        entries = [one.trusted.document.authority(authority) for one in self.directory.chain]
        pairs = {term.key_ids for entry in entries if entry is not None for term in entry.witness}
        found = (self.directory.index.pair(key_ids) for key_ids in pairs)
        return [LogKeys(*pair) for pair in found if pair is not None]

    def compare(self, notes: Notes, *, erased: int) -> None:
        """Compare what is stored with what the log recorded, once all of it was read."""
        for table, digests in self.stored.items():
            recorded = self.recorded[table]
            for digest in sorted(digests.keys() & recorded.keys()):
                if digests[digest] != recorded[digest]:
                    sentence = "The log records its installation at another time."
                    notes.false("trust-row-altered", f"{table} {digest}", sentence)
            for digest in sorted(digests.keys() - recorded.keys()):
                place, sentence = f"{table} {digest}", "The log has no record of its installation."
                # A record that was erased might have been this one.
                (notes.open if erased else notes.false)("trust-not-recorded", place, sentence)
            for digest in sorted(recorded.keys() - digests.keys()):
                sentence = "The log records its installation, but it is not stored."
                notes.false("trust-row-missing", f"{table} {digest}", sentence)


def load_trust(conn: Connection, network: str, notes: Notes) -> StoredTrust:
    """Verify all stored documents, listings and revocations, and note what does not hold."""
    tables = {
        "network_documents": audit_rows.document_rows(conn),
        "listings": audit_rows.listing_rows(conn),
        "revocations": audit_rows.revocation_rows(conn),
    }
    raw = [[(bytes(row[1]), int(row[2])) for row in rows] for rows in tables.values()]
    closings = audit_watch_rows.notice_rows(conn)
    raw.append([(bytes(row.raw), int(row.at)) for row in closings if row.kind == "closed"])
    directory = Directory.from_stored(network, *raw)
    held = _held(directory) if directory.chain else None
    for table, rows in tables.items():
        notes.count("documents", len(rows))
        for row in rows:
            _check_row(table, row, held, notes)
    if not directory.chain:
        sentence = "No network document is stored, so no signature can be judged."
        notes.open("no-document", "network_documents", sentence)
    return StoredTrust(
        directory, {table: {row[0]: row[2] for row in rows} for table, rows in tables.items()}
    )


def _held(directory: Directory) -> set[str]:
    """Give the digests of everything that verified."""
    documents = (*directory.chain, *directory.splits, *directory.healed)
    held = {one.trusted.digest for one in documents}
    held |= {one.trusted.digest for chain in directory.listing_chains.values() for one in chain}
    return held | {one.trusted.digest for one in directory.revocations}


def _check_row(table: str, row: Values, held: set[str] | None, notes: Notes) -> None:
    digest, raw, _installed_at, *columns = row
    place = f"{table} {digest}"
    try:
        statement, said = _DECODERS[table](bytes(raw))
    except Rejected as fault:
        notes.false("trust-row-altered", place, f"It is not in its form: {fault.detail}.")
        return
    if statement.identity != digest or list(said) != columns:
        notes.false("trust-row-altered", place, "Its columns are not what its signed text says.")
    if held is not None and statement.identity not in held:
        sentence = "It does not verify after what was installed before it."
        notes.false("trust-row-not-authentic", place, sentence)


def _document(raw: bytes) -> tuple[Unverified, Sequence[object]]:
    statement = decode_document(raw)
    return statement, [decode_document_text(statement.text).version]


def _listing(raw: bytes) -> tuple[Unverified, Sequence[object]]:
    statement = decode_listing(raw)
    listing = decode_listing_text(statement.text)
    return statement, [listing.authority, listing.serial]


def _revocation(raw: bytes) -> tuple[Unverified, Sequence[object]]:
    statement = decode_revocation(raw)
    return statement, [decode_revocation_text(statement.text).key_id]


_DECODERS: Final[dict[str, Callable[[bytes], tuple[Unverified, Sequence[object]]]]] = {
    "network_documents": _document,
    "listings": _listing,
    "revocations": _revocation,
}
