"""The verbs of the log: erase, let auditors read, make bundles, keep timestamps.

Parses arguments and renders results; what may be done, the modules of `node.audit` say.
Reading one's own log needs no verb: `comity audit` reads the database itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field

from node.access.roles import AUDITING as AUDITORS
from node.access.roles import CASEWORK, RUNNING, Role
from node.audit.bundle import Gathered, add_peer_heads, gather_case
from node.audit.erasure import Spans, erase_case, erase_records
from node.audit.faults import NotHere
from node.audit.kept import KeptHead, newest_number, verify_head
from node.audit.named import find_case
from node.audit.records import LogTimestamped, TokenEnded, TokenMade
from node.audit.stamped import read_token
from node.audit.tiles import tile_reader
from node.desk.arguments import Arguments, Base64, CaseName, Nothing
from node.desk.verb import Desk, Result, Verb
from node.logs import get
from node.setup import AlreadyThere
from node.storage import Connection, auditor_rows, case_rows, timestamp_rows
from node.storage.auditor_rows import AuditorToken, make_token, token_digest
from node.storage.case_rows import Case, StoredMessage
from node.storage.timestamp_rows import Timestamp
from node.storage.writer import Tx
from protocol.digest import sha256_hex
from protocol.encoding import to_base64
from protocol.errors import NotAuthentic, TooLarge
from protocol.limits import INTEGER_MAX, NOTE_BYTES_MAX, TIMESTAMP_BYTES_MAX
from protocol.merkle import TreeView

_log = get("auditing")

_BUNDLE_BYTES_MAX: Final = 180 * 1024 * 1024  # in base64 it has to fit into an answer
_TOKEN_DAYS_MAX: Final = 3_660
_DAY_S: Final = 86_400
_SPANS_CHARS_MAX: Final = 64 * 1024

Reason = Annotated[
    str, Field(max_length=64, description="Why, as one word of the record: retention-ended.")
]
TokenName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}$", description="What the token is called."),
]
LogNumber = Annotated[int, Field(ge=1, le=INTEGER_MAX, description="Which of our logs.")]


class EraseRecords(Arguments):
    """Destroy what records say, and keep that they were."""

    log: LogNumber | None = None
    entries: Annotated[str, Field(max_length=_SPANS_CHARS_MAX, description="Positions: 3,7-9.")]
    reason: Reason


class EraseCase(Arguments):
    """Destroy the texts of a case."""

    case: CaseName
    reason: Reason


class KeepTimestamp(Arguments):
    """Keep a timestamp over a checkpoint of our open log."""

    log: LogNumber
    checkpoint: Base64
    token: Base64


class OneCase(Arguments):
    """Which case."""

    case: CaseName


class MakeToken(Arguments):
    """Let an auditor read the log for some days."""

    name: TokenName
    days: Annotated[int, Field(ge=1, le=_TOKEN_DAYS_MAX, description="For how long.")]


class OneToken(Arguments):
    """Which token."""

    name: TokenName


def _audit_erase(desk: Desk, args: EraseRecords) -> Result:
    spans, reason = Spans.parse(args.entries), args.reason
    number = args.log or desk.database.read(newest_number)
    network = desk.office.network
    erased = desk.unit(lambda tx: erase_records(tx, network, spans, log=number, reason=reason))
    _forget(desk)
    return {
        "schema": "comity.erased/1", "log": number, "entries": str(erased), "count": erased.count,
        "reason": reason,
    }  # fmt: skip


def _case_erase(desk: Desk, args: EraseCase) -> Result:
    def erase(tx: Tx) -> str:
        case = desk.register.find(tx.conn, args.case, lock=True)
        erase_case(tx, desk.office.network, case, reason=args.reason)
        return case.id

    erased = desk.unit(erase)
    _forget(desk)
    return {"schema": "comity.erased/1", "case": erased, "reason": args.reason}


def _forget(desk: Desk) -> None:
    """Leave nothing of what was erased beside the database, also while the node runs."""
    if not desk.database.forget():
        _log.warning("erased-in-use", reason="a reader holds the state of before; it goes later")


# --- timestamps ------------------------------------------------------------


def _audit_timestamp(desk: Desk, args: KeepTimestamp) -> Result:
    """Keep a timestamp over a checkpoint of our open log; who signed it is not judged here."""
    number, checkpoint, token = args.log, args.checkpoint, args.token
    if len(checkpoint) > NOTE_BYTES_MAX or len(token) > TIMESTAMP_BYTES_MAX:
        raise TooLarge("a checkpoint or a timestamp of more bytes than one has")
    digest = sha256_hex(token)

    def keep(tx: Tx) -> KeptHead:
        head = verify_head(desk.office.directory, desk.office.authority, number, checkpoint)
        read_token(token, checkpoint)
        if number != newest_number(tx.conn):
            raise NotHere("that log is closed: what is timestamped is the open one")
        if TreeView(head.size, tile_reader(tx.conn, number)).root() != head.checkpoint.root:
            raise NotAuthentic("the checkpoint is not one of the log as it stands here")
        stamp = Timestamp(digest, number, head.size, tx.now, checkpoint, token)
        if not timestamp_rows.insert_timestamp(tx.conn, stamp):
            raise AlreadyThere("this timestamp is kept already")
        tx.record(LogTimestamped(desk.office.network, tx.now, head.size, digest, by=tx.by))
        return head

    head = desk.unit(keep)
    return {
        "schema": "comity.timestamp/1", "log": number, "origin": head.checkpoint.origin,
        "size": head.size, "sha256": digest,
    }  # fmt: skip


# --- bundles ---------------------------------------------------------------


def _case_bundle(desk: Desk, args: OneCase) -> Result:
    """A bundle with the texts of the case, which takes its key."""
    name = args.case
    _gather_words(desk)

    def gather(conn: Connection) -> Gathered:
        shown = desk.register.show(conn, name)
        stored = [one.stored for one in shown.messages]
        gathered = _gathered(desk, conn, shown.case, stored)
        manifests = [one.manifest for one in shown.messages]
        gathered.parts["messages"] = [one.inner for one in shown.messages]
        gathered.parts["manifests"] = [one.encode() for one in manifests if one is not None]
        return gathered

    return _bundle(desk, desk.database.read(gather), proofs_only=False)


def _case_proofs(desk: Desk, args: OneCase) -> Result:
    """A bundle of proofs alone; also of a case that was erased."""
    name = args.case
    _gather_words(desk)

    def gather(conn: Connection) -> Gathered:
        case = find_case(conn, name)
        return _gathered(desk, conn, case, case_rows.list_messages(conn, case.id))

    return _bundle(desk, desk.database.read(gather), proofs_only=True)


def _gather_words(desk: Desk) -> None:
    """Have our newest head witnessed first: what it covers is proved to more than us."""
    if desk.live is not None:
        desk.live.gather()


def _gathered(
    desk: Desk, conn: Connection, case: Case, stored: Sequence[StoredMessage]
) -> Gathered:
    return gather_case(conn, desk.office.directory, desk.office.authority, case, stored=stored)


def _bundle(desk: Desk, gathered: Gathered, *, proofs_only: bool) -> Result:
    add_peer_heads(desk.database, desk.office.directory, gathered, desk.fetch)
    created = desk.clock.now()
    raw = gathered.make(desk.office.network, created=created, proofs_only=proofs_only)
    if len(raw) > _BUNDLE_BYTES_MAX:
        raise TooLarge(f"a bundle of {len(raw):,} bytes; with --proofs-only it is small")
    return {
        "schema": "comity.bundle/1", "case": gathered.case.id, "proofs_only": proofs_only,
        "left_out": gathered.left_out, "bundle": to_base64(raw),
    }  # fmt: skip


# --- auditors' tokens ------------------------------------------------------


def _token_make(desk: Desk, args: MakeToken) -> Result:
    """Make a token; its text is in the answer and nowhere else."""
    name, days = args.name, args.days
    text = make_token(desk.random)
    digest = token_digest(text)

    def make(tx: Tx) -> AuditorToken:
        if any(one.name == name for one in auditor_rows.list_tokens(tx.conn)):
            raise AlreadyThere("there is a token of that name: end it first, or choose another")
        token = AuditorToken(digest, name, tx.now, tx.now + days * _DAY_S)
        auditor_rows.insert_token(tx.conn, token)
        tx.record(TokenMade(desk.office.network, tx.now, digest, token.expires, by=tx.by))
        return token

    return {"schema": "comity.token/1", **_token(desk.unit(make)), "token": text}


def _token_list(desk: Desk, _: Nothing) -> Result:
    now = desk.clock.now()
    tokens = desk.database.read(auditor_rows.list_tokens)
    return {
        "schema": "comity.tokens/1",
        "tokens": [{**_token(one), "ended": one.expires <= now} for one in tokens],
    }


def _token_end(desk: Desk, args: OneToken) -> Result:
    def end(tx: Tx) -> AuditorToken:
        token = auditor_rows.delete_token(tx.conn, args.name)
        if token is None:
            raise NotHere("there is no token of that name: `comity audit token list`")
        tx.record(TokenEnded(desk.office.network, tx.now, token.digest, by=tx.by))
        return token

    return {"schema": "comity.token-ended/1", **_token(desk.unit(end))}


def _token(one: AuditorToken) -> Result:
    return {
        "name": one.name, "sha256": one.digest, "created": one.created, "expires": one.expires,
    }  # fmt: skip


AUDITING: Final[Mapping[str, Verb]] = {
    "audit.erase": Verb(_audit_erase, EraseRecords, RUNNING, writes=True, needs_keys=True),
    "audit.timestamp": Verb(_audit_timestamp, KeepTimestamp, RUNNING, writes=True, needs_keys=True),
    "audit.token.make": Verb(_token_make, MakeToken, RUNNING, writes=True, needs_keys=True),
    "audit.token.list": Verb(_token_list, may=RUNNING | AUDITORS),
    "audit.token.end": Verb(_token_end, OneToken, RUNNING, writes=True, needs_keys=True),
    "case.bundle": Verb(
        _case_bundle, OneCase, CASEWORK | AUDITORS, needs_keys=True, opens=True, reach="whole"
    ),
    "case.proofs": Verb(_case_proofs, OneCase, CASEWORK | AUDITORS, reach="record"),
    "case.erase": Verb(
        _case_erase,
        EraseCase,
        frozenset({Role.OFFICER}),
        writes=True,
        needs_keys=True,
        two=frozenset({"case", "reason"}),
    ),
}
