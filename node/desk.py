"""The desk: every verb that a person at this authority has, by name, with its arguments.

A verb is a plain function over a `Desk`. It runs inside `comity run` when the node is up
(the command line reaches it through the control socket) and in the command's own process
when it is not; it cannot tell which. Arguments and results are JSON. Files are read by the
command, as the person who typed it, and never by the node.

This module parses arguments and renders results. It decides nothing about cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias, TypeVar, cast

from keys.fingerprint import document_fingerprint, fingerprint
from node.cases.register import Register, ShownMessage
from node.clock import Clock, Random
from node.evidence.manifest import Manifest, decode_manifest
from node.office import Office
from node.outbox import Posted
from node.rotation import PURPOSES, Rotated, publish, rotate
from node.settings import Settings
from node.storage import case_rows, peer_rows, queue_rows
from node.storage.case_rows import Case
from node.storage.engine import Database
from node.storage.writer import Tx
from protocol.encoding import Fields, Json, canonical, to_base64
from protocol.errors import Malformed, Misuse
from protocol.identity import check_authority_id
from protocol.messages import KIND
from protocol.receipt_file import encode_receipt_file

T = TypeVar("T")
Result: TypeAlias = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Desk:
    """What verbs work with; `write` raises `Misuse` where only reading is possible."""

    settings: Settings
    office: Office
    database: Database
    write: Callable[[Callable[[Tx], object]], object]
    clock: Clock
    random: Random
    register_or_none: Register | None

    @property
    def register(self) -> Register:
        """The register of cases; a desk that was opened without keys has none."""
        if self.register_or_none is None:
            raise Misuse("a verb that needs the keys, at a desk that was opened without")
        return self.register_or_none

    def unit(self, work: Callable[[Tx], T]) -> T:
        """Run one unit of work and give its result."""
        results: list[T] = []
        self.write(lambda tx: results.append(work(tx)))
        return results[-1]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: what it does, and whether it writes or needs the private keys."""

    act: Callable[[Desk, Fields], Result]
    takes: frozenset[str] = frozenset()
    writes: bool = False
    needs_keys: bool = False


def _request_send(desk: Desk, args: Fields) -> Result:
    to = check_authority_id(args.text("to"))
    kind = _request_kind(args.text("kind"))
    body, manifest = args.object("body"), _manifest(args)
    posted = desk.unit(
        lambda tx: desk.register.send_request(
            tx, to=to, request_kind=kind, body=body, manifest=manifest
        )
    )
    return _posted("comity.request/1", posted)


def _case_event(desk: Desk, args: Fields) -> Result:
    case, kind = args.text("case"), args.text("event", pattern=KIND)
    body, manifest = args.object("body"), _manifest(args)
    posted = desk.unit(
        lambda tx: desk.register.add_event(tx, case, kind=kind, body=body, manifest=manifest)
    )
    return _posted("comity.event/1", posted)


def _request_kind(text: str) -> str:
    if KIND.fullmatch(text.lower()) is None:
        raise Malformed("a kind of request is a word like MLA_EVIDENCE")
    return text.upper()


def _manifest(args: Fields) -> Manifest | None:
    found = args.take("manifest")
    return None if found is None else decode_manifest(canonical(found))


def _posted(schema: str, posted: Posted) -> Result:
    return {
        "schema": schema,
        "case": posted.case,
        "message": posted.identity,
        "seq": posted.seq,
        "state": "queued",
    }


def _case_list(desk: Desk, _: Fields) -> Result:
    cases = desk.database.read(case_rows.list_cases)
    return {"schema": "comity.cases/1", "cases": [_case(one) for one in cases]}


def _case_show(desk: Desk, args: Fields) -> Result:
    name = args.text("case")
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


def _case_manifests(desk: Desk, args: Fields) -> Result:
    """The manifests that a case holds, whole, for `evidence verify`."""
    name = args.text("case")
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


def _case_receipts(desk: Desk, args: Fields) -> Result:
    """Receipts of a case, each as a file that a stranger can verify offline."""
    name = args.text("case")
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
    )


def _outbox(desk: Desk, _: Fields) -> Result:
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


def _network_install(desk: Desk, args: Fields) -> Result:
    """Install documents, listings and revocations, in that order; says what was new."""
    office = desk.office
    kinds = (
        ("documents", office.install_document),
        ("listings", office.install_listing),
        ("revocations", office.install_revocation),
    )
    given = [(install, raw) for name, install in kinds for raw in _raws(args, name)]
    new = [desk.unit(partial(_install, install, raw)) for install, raw in given]
    trusted = office.directory.document
    return {
        "schema": "comity.installed/1",
        "network": office.network,
        "version": trusted.version,
        "fingerprint": str(document_fingerprint(trusted.digest)),
        "sha256": trusted.digest,
        "new": new,
    }


def _install(install: Callable[[Tx, bytes], bool], raw: bytes, tx: Tx) -> bool:
    return install(tx, raw)


def _raws(args: Fields, name: str) -> Sequence[bytes]:
    return [Fields({"raw": item}, name).base64("raw") for item in args.items(name, count_max=1_024)]


def _network_show(desk: Desk, _: Fields) -> Result:
    directory = desk.office.directory
    if not directory.chain:  # a node that was just made
        return {"schema": "comity.network/1", "network": desk.office.network, "version": 0}
    trusted = directory.document
    return {
        "schema": "comity.network/1",
        "network": desk.office.network,
        "version": trusted.version,
        "expires": trusted.document.expires,
        "fingerprint": str(document_fingerprint(trusted.digest)),
        "sha256": trusted.digest,
        "authorities": [
            {"id": one.id, "status": one.status, "listed": one.id in directory.listing_chains}
            for one in trusted.document.authorities
        ],
    }


def _keys_show(desk: Desk, _: Fields) -> Result:
    """The keys of this node, without anything secret."""
    ring, directory = desk.office.keys.ring, desk.office.directory
    listed: frozenset[str] = frozenset()
    if directory.chain and desk.office.authority in directory.listing_chains:
        listing = directory.listing(desk.office.authority).listing
        listed = frozenset(one.key.key_id for one in listing.keys)
    sign = fingerprint(ring.signers("sign").key_ids)
    public = [(entry, entry.public().key_id) for entry in ring.entries]
    return {
        "schema": "comity.keys/1",
        "authority": ring.authority,
        "fingerprint": sign.digits,
        "sha256": sign.hex,
        "keys": [
            {"purpose": entry.purpose, "algorithm": entry.algorithm, "key_id": key_id,
             "created": entry.created, "until": entry.retired, "listed": key_id in listed}
            for entry, key_id in public
        ],
    }  # fmt: skip


def _keys_rotate(desk: Desk, args: Fields) -> Result:
    purpose = args.choice("purpose", PURPOSES)
    given = args.take("passphrase")
    known = None if given is None else Fields({"p": given}, "arguments").base64("p")
    done = rotate(
        desk.office, desk.settings, cast("Rotated", purpose), passphrase=known,
        random=desk.random, now=desk.clock.now(), write=desk.unit,
    )  # fmt: skip
    return {
        "schema": "comity.rotation/1", "purpose": done.purpose, "retired": done.retired,
        "until": done.until, "key_id": done.key_id,
    }  # fmt: skip


def _keys_publish(desk: Desk, _: Fields) -> Result:
    office = desk.office
    desk.unit(lambda tx: publish(tx, office, desk.settings, office.keys.ring))
    listing = office.directory.listing(office.authority)
    return {
        "schema": "comity.published/1", "authority": office.authority,
        "serial": listing.listing.serial, "expires": listing.listing.expires,
        "listing": to_base64(listing.raw),
    }  # fmt: skip


_SENT = frozenset({"body", "manifest"})

VERBS: Final[Mapping[str, Verb]] = {
    "request.send": Verb(_request_send, _SENT | {"to", "kind"}, writes=True, needs_keys=True),
    "case.event": Verb(_case_event, _SENT | {"case", "event"}, writes=True, needs_keys=True),
    "case.list": Verb(_case_list),
    "case.show": Verb(_case_show, frozenset({"case"}), needs_keys=True),
    "case.manifests": Verb(_case_manifests, frozenset({"case"}), needs_keys=True),
    "case.receipts": Verb(_case_receipts, frozenset({"case"}), needs_keys=True),
    "outbox": Verb(_outbox),
    "network.install": Verb(
        _network_install,
        frozenset({"documents", "listings", "revocations"}),
        writes=True,
        needs_keys=True,
    ),
    "network.show": Verb(_network_show),
    "keys.show": Verb(_keys_show, needs_keys=True),
    "keys.rotate": Verb(
        _keys_rotate, frozenset({"purpose", "passphrase"}), writes=True, needs_keys=True
    ),
    "keys.publish": Verb(_keys_publish, writes=True, needs_keys=True),
}
"""Every verb by its name; the control socket and the command line know no other."""


def act(desk: Desk, name: str, arguments: Mapping[str, Json]) -> Result:
    """Run a verb by its name with JSON arguments; refuses unknown names and arguments."""
    verb = VERBS.get(name)
    if verb is None:
        raise Malformed("no verb is called that")
    if unknown := set(arguments) - verb.takes:
        raise Malformed(f"{name} does not take {len(unknown)} of the arguments")
    return verb.act(desk, Fields(dict(arguments), "arguments"))


def no_writing(_: Callable[[Tx], object]) -> object:
    """Stand where a desk may only read."""
    raise Misuse("writing at a desk that was opened for reading")
