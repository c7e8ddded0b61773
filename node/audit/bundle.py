"""Making a bundle: one file with all that a stranger needs to judge a case (SPEC 15).

    gathered = gather_case(conn, directory, "fj.justice", case, stored=messages)
    add_peer_heads(database, directory, gathered, fetch)  # what only the other side has
    raw = gathered.make(created=now, proofs_only=True)

Receipts of both sides, our own records of what was sent, the checkpoints that all of them
rest on led to the newest one that witnesses have cosigned, documents, keys, closures, forks
and timestamps. Without the texts it is a bundle of proofs alone. What cannot be had is left
out and said, never made up. Reads rows; whether the whole holds, `protocol.bundle_check`
says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from keys.directory import Directory
from node.audit.grounds import grounds
from node.audit.kept import KeptHead, best_head, newest_head, verify_head
from node.audit.prove import Place, prove_under
from node.audit.tiles import tile_reader
from node.storage import Connection, export_rows, notice_rows, timestamp_rows, witness_rows
from node.storage.case_rows import Case, StoredMessage
from node.storage.engine import Database
from protocol.bundle import About
from protocol.bundle_parts import encode_timestamp, make_bundle
from protocol.checkpoint import Checkpoint, claimed_checkpoint, log_origin, number_of, owner_of
from protocol.continuation import Link, decode_continuation, encode_continuation
from protocol.limits import CONTINUATION_LINKS_MAX
from protocol.merkle import TreeView
from protocol.receipt import named_checkpoint

_LOST: Final = "The witnesses of {}: what its receipts rest on was lost here."

Fetch: TypeAlias = Callable[[str, int, Sequence[int]], "bytes | None"]
"""Asks a peer for a continuation of its log number n from these sizes; None if it is away."""


@dataclass(slots=True)
class Gathered:
    """What a bundle will hold, by folder, and what was left out and why."""

    authority: str
    case: Case
    parts: dict[str, list[bytes]]
    resting: dict[str, dict[int, bytes]] = field(default_factory=dict)  # roots by origin and size
    left_out: list[str] = field(default_factory=list)

    def rest(self, checkpoint: Checkpoint) -> None:
        """Note that something rests on a checkpoint, which a head must lead to."""
        self.resting.setdefault(checkpoint.origin, {})[checkpoint.size] = checkpoint.root

    def make(self, network: str, *, created: int, proofs_only: bool) -> bytes:
        """Make the file; raises `TooLarge` beyond the limits."""
        about = About(network, self.authority, created, self.case.id, proofs_only)
        return make_bundle(about, self.parts).encode()


def gather_case(
    conn: Connection,
    directory: Directory,
    authority: str,
    case: Case,
    *,
    stored: Sequence[StoredMessage],
) -> Gathered:
    """Gather what is here of a case, but for its texts."""
    parts: dict[str, list[bytes]] = defaultdict(list, grounds(directory, (authority, case.peer)))
    gathered = Gathered(authority, case, parts)
    receipts = [one.receipt for one in stored if one.receipt]
    for raw in receipts:
        parts["receipts"].append(raw)
        gathered.rest(named_checkpoint(raw))
    if lacking := len(stored) - len(receipts):
        gathered.left_out.append(f"{lacking} receipts: there are none here for so many messages.")
    sent = [one for one in stored if one.direction == "out"]
    places = [
        Place(one.log, one.log_position)
        for one in sent
        if one.log is not None and one.log_position is not None
    ]
    held = export_rows.origins(conn)
    for origin in held:
        number = number_of(origin)
        here = [one.position for one in places if one.log == number]
        if here or origin in gathered.resting:
            _add_own_log(conn, directory, gathered, log=number, positions=here)
    for origin in gathered.resting:
        if owner_of(origin) == authority and origin not in held:
            gathered.left_out.append(_LOST.format(origin))
    for origin in (*gathered.resting, *export_rows.origins(conn)):
        fork = notice_rows.read_notice(conn, "fork", origin)
        if fork is not None:
            parts["forks"].append(fork.raw)
    return gathered


# --- our own logs ----------------------------------------------------------


def _add_own_log(
    conn: Connection, directory: Directory, gathered: Gathered, *, log: int, positions: list[int]
) -> None:
    """Add records, a timestamp and heads of one of our logs.

    Where receipts rest on a state that the log here does not have, because it was lost, a
    head would lead to some of them only: none is given, and they are as good as before.
    """
    origin = log_origin(directory.network, gathered.authority, log)
    covered = max(gathered.resting.get(origin, {}), default=0)
    covered = max(covered, *(one + 1 for one in positions), 0)
    best = best_head(conn, directory, gathered.authority, number=log)
    seen = bool(best.words) and best.size >= covered
    held = partial(_holds, conn, log, newest_head(conn, directory, gathered.authority, number=log))
    whole = held(_end(directory, origin))
    if not held(gathered.resting.get(origin, {})) or not (seen or whole):
        gathered.left_out.append(_LOST.format(origin))
        return
    stamp = timestamp_rows.first_covering(conn, log, covered) if whole else None
    if stamp is not None:
        gathered.parts["timestamps"].append(encode_timestamp(stamp.checkpoint, stamp.token))
        gathered.rest(claimed_checkpoint(stamp.checkpoint))
    resting = gathered.resting.setdefault(origin, {})
    top = best
    if best.size < max(covered, *resting, 0):
        top = newest_head(conn, directory, gathered.authority, number=log)
    erased = 0
    for position in positions:
        under = best if position < best.size else top
        row = export_rows.entries_at(conn, log, [position]).get(position)
        if row is None or row.record is None:
            erased += 1
        else:
            gathered.parts["records"].append(
                prove_under(conn, under, Place(log, position)).encode()
            )
    if erased:
        gathered.left_out.append(f"Erased records of our own log: {erased}.")
    sizes = set(resting) | {best.size}
    gathered.parts["heads"] += _heads(conn, top, sorted(sizes - {top.size}))
    if best.size < top.size:
        gathered.parts["heads"].append(encode_continuation(best.shown, ()))


def _holds(conn: Connection, log: int, head: KeptHead, states: Mapping[int, bytes]) -> bool:
    """Say whether our log, up to its head, was once in all of these states."""
    read = tile_reader(conn, log)
    return all(
        one <= head.size and TreeView(one, read).root() == root for one, root in states.items()
    )


def _end(directory: Directory, origin: str) -> Mapping[int, bytes]:
    """Give the state in which a log of ours was closed, if it was.

    What we hold beside it was set back before, and may have gone on where nobody saw it.
    """
    found = directory.closure(origin)
    return {} if found is None else {found.closure.size: found.closure.root}


def _heads(conn: Connection, head: KeptHead, sizes: Sequence[int]) -> Iterable[bytes]:
    """Give continuations to one head from all sizes, as many as their links need."""
    view = TreeView(head.size, tile_reader(conn, head.number))
    links = [
        Link(
            size,
            TreeView(size, tile_reader(conn, head.number)).root(),
            tuple(view.consistency_path(size)),
        )
        for size in sizes
    ]
    at_once = CONTINUATION_LINKS_MAX // 2  # their paths take room, too
    for start in range(0, max(1, len(links)), at_once):
        yield encode_continuation(head.shown, links[start : start + at_once])


# --- the log of the other side ---------------------------------------------


def add_peer_heads(
    database: Database, directory: Directory, gathered: Gathered, fetch: Fetch | None
) -> None:
    """Show that the checkpoints of the peer's receipts belong to one log, seen by others.

    No transaction is open while the peer is asked.
    """
    peer = gathered.case.peer
    for origin, roots in sorted(gathered.resting.items()):
        if owner_of(origin) != peer:
            continue
        raw = _fetched(directory, peer, origin, roots, fetch)
        if raw is None:
            remember = partial(
                _remembered, directory=directory, peer=peer, origin=origin, roots=roots
            )
            raw = database.read(remember)
        if raw is None:
            gathered.left_out.append(
                f"The witnesses of {origin}: {peer} could not be asked for what its receipts rest "
                "on."
            )
        else:
            gathered.parts["heads"].append(raw)


def _fetched(
    directory: Directory, peer: str, origin: str, roots: Mapping[int, bytes], fetch: Fetch | None
) -> bytes | None:
    if fetch is None or len(roots) > CONTINUATION_LINKS_MAX:
        return None
    number = number_of(origin)
    raw = fetch(peer, number, sorted(roots))
    if raw is None:
        return None
    told = decode_continuation(raw)
    head = verify_head(directory, peer, number, told.checkpoint_raw)
    return encode_continuation(
        head.shown, [one for one in told.links if one.size in roots and one.size < head.size]
    )


def _remembered(
    conn: Connection, *, directory: Directory, peer: str, origin: str, roots: Mapping[int, bytes]
) -> bytes | None:
    """Without the peer: what we cosigned last, if all receipts rest on just that."""
    state = witness_rows.read_witnessed(conn, origin)
    if state is None or dict(roots) != {state.size: state.root}:
        return None
    number = number_of(origin)
    return encode_continuation(verify_head(directory, peer, number, state.raw).shown, ())
