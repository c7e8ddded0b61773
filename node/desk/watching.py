"""The verbs of watching: the state of this node, the logs of peers, and proofs of forks.

Renders what is stored, and has a node that runs look at its peers. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node import state
from node.access.roles import AUDITING, EVERYBODY, RUNNING
from node.audit.faults import NotHere
from node.desk.arguments import Nothing
from node.desk.verb import Desk, Result, Verb
from node.storage import Connection, notice_rows
from protocol.encoding import Json, to_base64


def _status(desk: Desk, _: Nothing) -> Result:
    directory, own = desk.office.directory, desk.office.authority

    def read(conn: Connection) -> Result:
        log = state.own_log(conn, directory, own, desk.settings.guard.file)
        if desk.live is not None and desk.live.halted() is not None:
            log["halted"] = desk.live.halted()
        return {
            "schema": "comity.status/1",
            "authority": own,
            "network": desk.office.network,
            "runs": desk.live is not None,
            "document": _document(desk),
            "log": log,
            "witnessed": state.witnessed(conn, directory, own) if directory.chain else None,
            "peers": [*state.followed(conn, directory, own)],
            "forks": [*state.forks(conn)],
            "waiting": [*state.waiting(conn)],
            "alarms": state.alarms(conn),
        }

    return desk.database.read(read)


def _document(desk: Desk) -> Json:
    if not desk.office.directory.chain:  # a node that was just made
        return None
    trusted = desk.office.directory.document
    return {
        "version": trusted.version, "expires": trusted.document.expires, "sha256": trusted.digest,
    }  # fmt: skip


def _monitor(desk: Desk, _: Nothing) -> Result:
    """Look at the logs of all peers now."""
    if desk.live is None:
        raise NotHere("the node does not run: `comity run` starts it, and looks by itself")
    findings = desk.live.look()
    return {
        "schema": "comity.monitor/1",
        "authority": desk.office.authority,
        "logs": [
            {"peer": one.peer, "origin": one.origin, "verdict": one.verdict,
             "detail": one.detail, "size": one.size, "signed_at": one.signed_at}
            for one in findings
        ],
    }  # fmt: skip


def _forks(desk: Desk, _: Nothing) -> Result:
    """The fork proofs that are kept, whole: each is a file that anybody can verify."""
    found = desk.database.read(lambda conn: notice_rows.read_notices(conn, "fork"))
    return {
        "schema": "comity.forks/1",
        "forks": [
            {"origin": one.origin, "sha256": one.digest, "at": one.at, "proof": to_base64(one.raw)}
            for one in found
        ],
    }


WATCHING: Final[Mapping[str, Verb]] = {
    "status": Verb(_status, may=EVERYBODY),
    "audit.monitor": Verb(_monitor, may=RUNNING | AUDITING),
    "audit.forks": Verb(_forks, may=EVERYBODY),
}
