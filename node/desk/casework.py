"""The verbs of cases: send, answer, read; and what waits to be delivered.

Parses arguments and renders results; decides nothing about cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, JsonValue

from node.cases.register import ShownMessage
from node.desk.arguments import Arguments, CaseName, Nothing, Texts
from node.desk.verb import Desk, Result, Verb
from node.evidence.manifest import Manifest, decode_manifest
from node.outbox import Posted
from node.storage import case_rows, peer_rows, queue_rows
from node.storage.case_rows import Case
from protocol.encoding import Json, canonical, to_base64
from protocol.errors import Malformed
from protocol.identity import check_authority_id
from protocol.messages import KIND
from protocol.receipt_file import encode_receipt_file

ManifestJson = Annotated[
    dict[str, JsonValue] | None, Field(description="A manifest of evidence, as its file has it.")
]


class SendRequest(Arguments):
    """A request that opens a case."""

    to: str
    kind: str
    body: Texts
    manifest: ManifestJson = None


class AddEvent(Arguments):
    """One event of a case."""

    case: CaseName
    event: str
    body: Texts
    manifest: ManifestJson = None


class OneCase(Arguments):
    """Which case."""

    case: CaseName


def _request_send(desk: Desk, args: SendRequest) -> Result:
    to = check_authority_id(args.to)
    kind = _request_kind(args.kind)
    body, manifest = args.body, _manifest(args.manifest)
    posted = desk.unit(
        lambda tx: desk.register.send_request(
            tx, to=to, request_kind=kind, body=body, manifest=manifest
        )
    )
    return _posted("comity.request/1", posted)


def _case_event(desk: Desk, args: AddEvent) -> Result:
    if KIND.fullmatch(args.event) is None:
        raise Malformed("arguments.event is not in its form")
    case, kind, body, manifest = args.case, args.event, args.body, _manifest(args.manifest)
    posted = desk.unit(
        lambda tx: desk.register.add_event(tx, case, kind=kind, body=body, manifest=manifest)
    )
    return _posted("comity.event/1", posted)


def _request_kind(text: str) -> str:
    if KIND.fullmatch(text.lower()) is None:
        raise Malformed("a kind of request is a word like MLA_EVIDENCE")
    return text.upper()


def _manifest(found: ManifestJson) -> Manifest | None:
    return None if found is None else decode_manifest(canonical(found))


def _posted(schema: str, posted: Posted) -> Result:
    return {
        "schema": schema,
        "case": posted.case,
        "message": posted.identity,
        "seq": posted.seq,
        "state": "queued",
    }


def _case_list(desk: Desk, _: Nothing) -> Result:
    cases = desk.database.read(case_rows.list_cases)
    return {"schema": "comity.cases/1", "cases": [_case(one) for one in cases]}


def _case_show(desk: Desk, args: OneCase) -> Result:
    name = args.case
    shown = desk.database.read(lambda conn: desk.register.show(conn, name))
    return {
        "schema": "comity.case/1",
        "case": _case(shown.case),
        "messages": [_message(one) for one in shown.messages],
        "contested": [
            {"message": identity, "seq": seq, "code": code}
            for identity, seq, code in shown.contested
        ],
    }


def _case(case: Case) -> Result:
    return {
        "id": case.id,
        "side": case.side,
        "peer": case.peer,
        "request_kind": case.request_kind,
        "state": case.state,
        "opened": case.opened_at,
        "changed": case.changed_at,
        "sent": case.sent_seq,
        "received": case.accepted_seq,
    }


def _message(one: ShownMessage) -> Result:
    stored, message, manifest = one.stored, one.message, one.manifest
    evidence: Json = None
    if manifest is not None:
        evidence = {"items": len(manifest.items), "sha256": manifest.digest}
    return {
        "message": stored.identity,
        "from": message.sender,
        "kind": message.kind,
        "seq": message.seq,
        "order": stored.order_number,
        "state": stored.state,
        "created": message.created,
        "receipted": stored.receipt is not None,
        "evidence": evidence,
        "body": {name: value for name, value in message.body.items() if name != "evidence"},
    }


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


CASEWORK: Final[Mapping[str, Verb]] = {
    "request.send": Verb(_request_send, SendRequest, writes=True, needs_keys=True),
    "case.event": Verb(_case_event, AddEvent, writes=True, needs_keys=True),
    "case.list": Verb(_case_list),
    "case.show": Verb(_case_show, OneCase, needs_keys=True),
    "case.manifests": Verb(_case_manifests, OneCase, needs_keys=True),
    "case.receipts": Verb(_case_receipts, OneCase, needs_keys=True),
    "outbox": Verb(_outbox),
}
