"""The verbs of the log: erase, let auditors read, keep timestamps.

Parses arguments and renders results; what may be done, the modules of `node.audit` say.
Reading the log needs no verb: `comity audit` reads the database itself, beside the node.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from node.audit.erasure import Spans, erase_case, erase_records
from node.audit.faults import NotHere
from node.audit.kept import newest_number
from node.audit.records import TokenEnded, TokenMade
from node.desk.verb import Desk, Result, Verb
from node.setup import AlreadyThere
from node.storage import auditor_rows
from node.storage.auditor_rows import AuditorToken, make_token, token_digest
from node.storage.writer import Tx
from protocol.encoding import Fields

_REASON_CHARS_MAX: Final = 64
_TOKEN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")
_TOKEN_DAYS_MAX: Final = 3_660
_DAY_S: Final = 86_400
_SPANS_CHARS_MAX: Final = 64 * 1024


def _audit_erase(desk: Desk, args: Fields) -> Result:
    asked = args.integer_or_none("log", low=1)
    spans = Spans.parse(args.text("entries", chars_max=_SPANS_CHARS_MAX))
    reason = args.text("reason", chars_max=_REASON_CHARS_MAX)
    number = asked or desk.database.read(newest_number)
    network = desk.office.network
    erased = desk.unit(lambda tx: erase_records(tx, network, spans, log=number, reason=reason))
    return {
        "schema": "comity.erased/1", "log": number, "entries": str(erased), "count": erased.count,
        "reason": reason,
    }  # fmt: skip


def _case_erase(desk: Desk, args: Fields) -> Result:
    name, reason = args.text("case"), args.text("reason", chars_max=_REASON_CHARS_MAX)

    def erase(tx: Tx) -> str:
        case = desk.register.find(tx.conn, name, lock=True)
        erase_case(tx, desk.office.network, case, reason=reason)
        return case.id

    return {"schema": "comity.erased/1", "case": desk.unit(erase), "reason": reason}


# --- auditors' tokens ------------------------------------------------------


def _token_make(desk: Desk, args: Fields) -> Result:
    """Make a token; its text is in the answer and nowhere else."""
    name = args.text("name", pattern=_TOKEN_NAME)
    days = args.integer("days", low=1, high=_TOKEN_DAYS_MAX)
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


def _token_list(desk: Desk, _: Fields) -> Result:
    now = desk.clock.now()
    tokens = desk.database.read(auditor_rows.list_tokens)
    return {
        "schema": "comity.tokens/1",
        "tokens": [{**_token(one), "ended": one.expires <= now} for one in tokens],
    }


def _token_end(desk: Desk, args: Fields) -> Result:
    name = args.text("name", pattern=_TOKEN_NAME)

    def end(tx: Tx) -> AuditorToken:
        token = auditor_rows.delete_token(tx.conn, name)
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
    "audit.erase": Verb(
        _audit_erase, frozenset({"log", "entries", "reason"}), writes=True, needs_keys=True
    ),
    "audit.token.make": Verb(
        _token_make, frozenset({"name", "days"}), writes=True, needs_keys=True
    ),
    "audit.token.list": Verb(_token_list),
    "audit.token.end": Verb(_token_end, frozenset({"name"}), writes=True, needs_keys=True),
    "case.erase": Verb(_case_erase, frozenset({"case", "reason"}), writes=True, needs_keys=True),
}
