"""Who may read, who acted, and what waits: small tables, each compared with the records.

Knows no signature: a token is a digest, a person a random id, and of what waits only the
digests are compared.
"""

from __future__ import annotations

from node.audit.fsck.report import FINDINGS_KEPT, Notes, Progress
from node.audit.fsck.rows import Told
from node.storage import Connection, audit_watch_rows
from node.storage.audit_rows import Values
from protocol.digest import sha256_hex
from protocol.envelope import read_envelope
from protocol.errors import Rejected


def read_tokens(conn: Connection, told: Told, notes: Notes) -> None:
    """Compare the tokens of auditors with the records that made and ended them."""
    stored = {row.digest: row for row in audit_watch_rows.token_rows(conn)}
    for digest, row in stored.items():
        notes.count("tokens")
        place = f"token {digest}"
        if digest not in told.tokens:
            if not told.erased["token.made"]:
                notes.false("token-not-recorded", place, "The log has no record of its making.")
        elif told.tokens[digest] != (row.created, row.expires):
            notes.false("token-altered", place, "It was made at another time, or until another.")
        if digest in told.ended:
            notes.false("token-restored", place, "The log records its end, and it is here.")
    for digest in told.tokens.keys() - stored.keys() - told.ended:
        if not told.erased["token.ended"]:
            sentence = "The log records its making and not its end, and it is not here."
            notes.false("token-missing", f"token {digest}", sentence)


def read_persons(conn: Connection, told: Told, notes: Notes) -> None:
    """Look up every person whom a record names."""
    stored = audit_watch_rows.person_ids(conn)
    notes.count("persons", len(stored))
    for person in sorted(told.persons.keys() - stored):
        place = told.persons[person]
        sentence = f"It names {person}, for whom no person stands here (any more)."
        notes.open("person-unknown", place, sentence)


def read_waiting(conn: Connection, notes: Notes, progress: Progress) -> None:
    """Compare what waits in the outbox with the messages that it is to bring."""
    for page in audit_watch_rows.waiting_pages(conn):
        for row in page:
            notes.count("waiting")
            if (wrong := _what_is_wrong(row)) is not None:
                notes.false("outbox-differs", f"waiting {row.id}", wrong)
        progress("waiting", notes.counted["waiting"], 0)
    for identity in audit_watch_rows.queued_without_envelope(conn, FINDINGS_KEPT):
        sentence = "It is to wait, and nothing in the outbox would bring it."
        notes.false("outbox-missing", f"message {identity}", sentence)


def _what_is_wrong(row: Values) -> str | None:
    envelope = bytes(row.envelope)
    if sha256_hex(envelope) != row.digest or row.holds != row.identity:
        return "Its envelope is not the one that was made of its message."
    try:
        header = read_envelope(envelope).header
    except Rejected as fault:
        return f"Its envelope is not in its form: {fault.detail}."
    if (header.recipient, header.key_id) != (row.peer, row.key_id) or row.sealed_to != row.key_id:
        return "It is sealed to another recipient or key than its row says."
    if row.stands != "queued" or (row.until, row.with_peer) != (row.expires, row.peer):
        return "Its message does not wait, or not for this peer until this time."
    return None
