"""The state of a node at one glance: its log, who has seen it, whose logs it follows.

Reads what is stored and compares it with the guard, so it says the same whether the node
runs or not. Nothing is asked of anybody; how new a word is, its time says.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from keys.lookups import Lookups
from node.audit.guard import FileGuard, guarded_checkpoint
from node.own_log import kept_reason
from node.quorum import Quorum, said, words_on
from node.storage import (
    Connection,
    health_rows,
    log_rows,
    notice_rows,
    peer_rows,
    watch_rows,
    witness_rows,
)
from node.storage.log_rows import Head
from protocol.checkpoint import number_of, verify_checkpoint
from protocol.encoding import Json
from protocol.errors import Recovering, Rejected

_WORDS_FROM = 32  # kept checkpoints in which the last word of a witness is looked for
_ALARMS_LOOKED_AT = "alarms_looked_at"  # as the doctor keeps it


def own_log(conn: Connection, directory: Lookups, authority: str, guard: Path) -> dict[str, Json]:
    """Say how long the log is, when it was signed, and whether anything speaks against it."""
    origin = log_rows.newest_origin(conn)
    head = None if origin is None else log_rows.read_head(conn, origin)
    if head is None:
        return {"origin": origin, "size": 0, "signed_at": None, "halted": "there is no log here"}
    signed_at: int | None = None
    with contextlib.suppress(Rejected):
        number = number_of(head.origin)
        _, keys = directory.log_keys(authority, number, even_revoked=True)
        signed_at = verify_checkpoint(head.checkpoint, origin=head.origin, keys=keys).time
    return {
        "origin": head.origin,
        "size": head.size,
        "signed_at": signed_at,
        "halted": kept_reason(conn, origin=head.origin) or _against_guard(head, guard),
    }


def _against_guard(head: Head, path: Path) -> str | None:
    """Say why the log could not be opened beside its guard, if so."""
    try:
        found = FileGuard(path).read()
    except Recovering as fault:
        return fault.detail
    if found is None:
        return "the guard is absent; only `init` makes one"
    try:
        guarded = guarded_checkpoint(found.checkpoint)
    except Recovering as fault:
        return fault.detail
    if guarded.origin != head.origin:
        return "the guard is that of another log"
    if guarded.size > head.size:
        return f"the database is behind the guard: {head.size} of {guarded.size} entries"
    if guarded.size == head.size and guarded.root != head.root:
        return "the database holds another history than the guard"
    return None


def witnessed(conn: Connection, directory: Lookups, authority: str) -> dict[str, Json]:
    """Say how far the log is witnessed: by how many of how many, and what lies beyond."""
    quorum = Quorum.of(directory, authority)
    origin = log_rows.newest_origin(conn)
    head = None if origin is None else log_rows.read_head(conn, origin)
    number = 0 if head is None else number_of(head.origin)
    newest = watch_rows.newest_checkpoint(conn, number, witnesses_min=1)
    full = watch_rows.newest_checkpoint(conn, number, witnesses_min=max(1, quorum.needed))
    held = () if newest is None else words_on(newest.raw, directory, quorum)
    last = dict(_last_words(conn, directory, quorum, number))
    size = 0 if head is None else head.size
    return {
        "needed": quorum.needed,
        "f": quorum.f,
        "by": len(held),
        "size": None if newest is None else newest.size,
        "behind": size if newest is None else size - newest.size,
        "full_size": None if full is None or not quorum.needed else full.size,
        "said": said(len(held), quorum),
        "explained": quorum.explain(),
        "witnesses": [
            {"authority": one, "size": last.get(one, (None, None))[0],
             "at": last.get(one, (None, None))[1]}
            for one in quorum.witnesses
        ],
    }  # fmt: skip


def _last_words(
    conn: Connection, directory: Lookups, quorum: Quorum, number: int
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Give each witness's word on the newest checkpoint that has one."""
    silent = set(quorum.witnesses)
    for kept in watch_rows.list_checkpoints(conn, number, _WORDS_FROM):
        for word in words_on(kept.raw, directory, quorum):
            if word.witness in silent:
                silent.remove(word.witness)
                yield word.witness, (kept.size, word.at)
        if not silent:
            return


def followed(conn: Connection, directory: Lookups, authority: str) -> list[dict[str, Json]]:
    """Say what is remembered of the logs of all peers."""
    states = {one.origin: one for one in witness_rows.list_witnessed(conn)}
    forked = {one.origin for one in notice_rows.read_notices(conn, "fork")}
    unproved = [one.origin for one in watch_rows.list_unproved(conn)]
    shown: list[dict[str, Json]] = []
    for peer in directory.peers(authority):
        try:
            origin, _ = directory.log_keys(peer, even_revoked=True)
        except Rejected:
            continue
        state = states.get(origin)
        shown.append({
            "peer": peer, "origin": origin,
            "size": None if state is None else state.size,
            "at": None if state is None else state.at,
            "unproven": unproved.count(origin), "forked": origin in forked,
        })  # fmt: skip
    return shown


def forks(conn: Connection) -> list[dict[str, Json]]:
    """Give the fork proofs that are kept, without their bytes."""
    return [
        {"origin": one.origin, "sha256": one.digest, "at": one.at}
        for one in notice_rows.read_notices(conn, "fork")
    ]


def waiting(conn: Connection) -> list[dict[str, Json]]:
    """Give what waits, by peer."""
    return [
        {"peer": peer, "count": one.count, "since": one.since, "why": one.last_code}
        for peer, one in sorted(health_rows.waiting_for_peers(conn).items())
    ]


def alarms(conn: Connection) -> dict[str, Json]:
    """Give how many alarms nobody has looked at, and the newest of them."""
    looked_at = int(peer_rows.read_setting(conn, _ALARMS_LOOKED_AT) or 0)
    count, newest = health_rows.alarms_after(conn, looked_at)
    return {
        "count": count,
        "newest": None if newest is None else {"at": newest[0], "kind": newest[1]},
    }
