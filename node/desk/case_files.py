"""The verbs that give what a case holds as files: manifests, receipts; and what waits.

Parses arguments and renders results; decides nothing about cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.access import roles
from node.cases.register import ShownMessage
from node.desk.arguments import Arguments, CaseName, Nothing
from node.desk.verb import Desk, Result, Verb
from node.storage import peer_rows, queue_rows
from protocol.encoding import Json, to_base64
from protocol.receipt_file import encode_receipt_file


class OneCase(Arguments):
    """Which case."""

    case: CaseName


def _case_manifests(desk: Desk, args: OneCase) -> Result:
    """The manifests that a case holds, whole, for `evidence verify`."""
    name = args.case
    shown = desk.database.read(lambda conn: desk.register.show(conn, name))
    manifests: list[Json] = []
    for one in shown.messages:
        manifest = one.manifest
        if manifest is not None:
            manifests.append(
                {
                    "message": one.stored.identity,
                    "from": one.message.sender,
                    "seq": one.message.seq,
                    "manifest": to_base64(manifest.encode()),
                }
            )
    return {"schema": "comity.manifests/1", "case": shown.case.id, "manifests": manifests}


def _case_receipts(desk: Desk, args: OneCase) -> Result:
    """Receipts of a case, each as a file that a stranger can verify offline."""
    name = args.case
    shown = desk.database.read(lambda conn: desk.register.show(conn, name))
    return {
        "schema": "comity.receipts/1",
        "case": shown.case.id,
        "receipts": [
            {
                "message": one.stored.identity,
                "kind": one.message.kind,
                "issuer": one.message.recipient,
                "file": to_base64(_receipt_file(desk, one)),
            }
            for one in shown.messages
            if one.stored.receipt is not None
        ],
    }


def _receipt_file(desk: Desk, one: ShownMessage) -> bytes:
    directory = desk.office.directory
    return encode_receipt_file(
        one.stored.receipt or b"",
        documents=directory.documents_raw(directory.document.version),
        listings=directory.listings_raw(one.message.recipient),
        closures=directory.closures_raw(),
    )


def _outbox(desk: Desk, _: Nothing) -> Result:
    waiting, queues, alarms = desk.database.read(
        lambda conn: (
            queue_rows.list_shown(conn),
            {queue.peer: queue for queue in queue_rows.list_queues(conn)},
            peer_rows.list_alarms(conn, 20),
        )
    )
    fresh = queue_rows.QueueState("")
    return {
        "schema": "comity.outbox/1",
        "waiting": [
            {
                "message": one.identity,
                "to": one.peer,
                "queued": one.queued_at,
                "expires": one.expires,
                "bytes": size,
                "attempts": one.attempts,
                "why": one.last_code or queues.get(one.peer, fresh).last_code,
                "next_try": queues.get(one.peer, fresh).next_try_at or None,
            }
            for one, size in waiting
        ],
        "alarms": [
            {"at": one.at, "kind": one.kind, "peer": one.peer, "message": one.subject,
             "detail": one.detail}
            for one in alarms
        ],
    }  # fmt: skip


_READERS: Final = roles.CASEWORK | roles.AUDITING

CASE_FILES: Final[Mapping[str, Verb]] = {
    "case.manifests": Verb(_case_manifests, OneCase, _READERS, needs_keys=True, opens=True),
    "case.receipts": Verb(_case_receipts, OneCase, _READERS, needs_keys=True, opens=True),
    "outbox": Verb(_outbox, may=roles.EVERYBODY),
}
