"""Ask the peers what was lost: the newest state of our log, and the messages with receipts.

Changes nothing but a folder of pages as they came. Everything in them proves itself later,
when it is installed; here only checkpoints are read, for where the log has to be closed.
Knows neither cases nor texts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from node.app import Node
from node.audit.guard import FileGuard, guarded_checkpoint
from node.audit.tiles import tile_reader
from node.logs import get
from node.peers import Peers
from node.recovery.pages import clear, keep_page
from node.recovery.proving import pairs, prove
from node.storage import Connection, case_rows, log_rows, watch_rows
from node.transport.batch import Batch, Receipted
from node.transport.client import PeerClient
from node.transport.errors import TransportFailure
from node.transport.routes import Recovery
from protocol.checkpoint import Checkpoint, LogKeys, log_origin, number_of, verify_checkpoint
from protocol.errors import Malformed, NotAuthentic, Recovering, Rejected
from protocol.merkle import EMPTY_ROOT, tree_root
from protocol.proof import decode_proof
from protocol.receipt import decode_receipt
from protocol.record import decode_decision

_log = get("recovery")

_PAGES_MAX: Final = 2_000  # of one peer, each of up to 64 messages and 8 MiB


class NothingLost(Exception):
    """The log here is what its peers know: there is nothing to recover."""


class PeersAway(Exception):
    """Peers could not be asked, so what they hold would be missed."""

    def __init__(self, away: dict[str, str]) -> None:
        """Keep the code of the failure by peer."""
        super().__init__(", ".join(f"{peer} ({code})" for peer, code in sorted(away.items())))
        self.away = away


class NobodyAsked(Exception):
    """There is no guard, and no peer may be asked which state of our log is the newest."""


@dataclass(frozen=True, slots=True)
class OldLog:
    """The log that has to be closed: the newest that anybody knows, here or elsewhere."""

    number: int
    origin: str
    keys: LogKeys
    here: bool  # whether the database holds it: a backup may be older than the log

    @classmethod
    def of(cls, node: Node) -> OldLog:
        """Find it; `Recovering` if the guard holds one that nobody tells of."""
        number = max(node.log.number, node.office.directory.open_log_number(node.office.authority))
        held = _guarded(node)
        if held is not None and number_of(held.origin) > number:
            raise Recovering(
                f"the guard holds {held.origin}, and nobody tells where the log before it ended:"
                " ask the peers that know, or restore a newer backup"
            )
        origin = log_origin(node.office.network, node.office.authority, number)
        return cls(number, origin, node.log.keys, number == node.log.number)


@dataclass(frozen=True, slots=True)
class Left:
    """Peers that an earlier recovery left out, and from when on they were not asked."""

    peers: tuple[str, ...] = ()
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the peers say: where the old log ends, and how many messages came back."""

    newest: Checkpoint
    lost: Recovery
    messages: dict[str, int] = field(default_factory=dict)  # by peer


@dataclass(slots=True)
class _Fetched:
    """What one peer gave: how many messages, how many that are not here, states of our log."""

    messages: int = 0
    missed: int = 0
    newest: list[Checkpoint] = field(default_factory=list)


async def gather(
    node: Node,
    peers: Peers,
    folder: Path,
    *,
    without: Collection[str] = (),
    left: Left = Left(),
) -> Gathered:
    """Ask every peer but those in `without`, and put their pages into `folder`.

    What those in `left` still owe is no sign that anything was lost again. Raises
    `NothingLost`, `PeersAway` if a peer cannot be asked, or `NobodyAsked` where neither a
    guard nor a peer could say whether a later log was begun already.
    """
    old = OldLog.of(node)
    wanted = [
        peer for peer in node.office.directory.peers(node.office.authority) if peer not in without
    ]
    if not wanted and _guarded(node) is None:
        raise NobodyAsked
    lost = node.database.read(lambda conn: _lost(conn, node, old, left))
    clear(folder)
    fetched: dict[str, _Fetched] = {}
    away: dict[str, str] = {}
    for peer in wanted:
        client = peers.client(peer)
        if client is None:
            away[peer] = "no-address"
            continue
        try:
            known = await _monitored(client, old.origin, old.keys)
            fetched[peer] = await _fetch(client, folder, peer, lost, node)
        except TransportFailure as fault:
            away[peer] = fault.code
        else:
            fetched[peer].newest += known
    if away:
        raise PeersAway(away)
    states = [state for one in fetched.values() for state in one.newest]
    missed = any(one.missed for peer, one in fetched.items() if peer not in left.peers)
    newest = node.database.read(lambda conn: _newest(conn, node, old, states, missed=missed))
    return Gathered(newest, lost, {peer: one.messages for peer, one in fetched.items()})


async def fetch_later(node: Node, peers: Peers, folder: Path, peer: str, lost: Recovery) -> int:
    """Ask one peer that was away when the log was closed; gives how many messages came."""
    client = peers.client(peer)
    if client is None:
        raise PeersAway({peer: "no-address"})
    try:
        return (await _fetch(client, folder, peer, lost, node)).messages
    except TransportFailure as fault:
        raise PeersAway({peer: fault.code}) from fault


async def _monitored(client: PeerClient, origin: str, keys: LogKeys) -> list[Checkpoint]:
    """Ask for the newest checkpoint of ours that the peer has cosigned."""
    raw = await client.witness_checkpoint(origin)
    return [] if raw is None else _own([raw], origin, keys)


def _own(raws: Iterable[bytes], origin: str, keys: LogKeys) -> list[Checkpoint]:
    """Give those of the checkpoints that our own log has signed; no other counts."""
    found = []
    for raw in raws:
        try:
            found.append(verify_checkpoint(raw, origin=origin, keys=keys).checkpoint)
        except Rejected:
            continue  # of another log, or nobody's: it says nothing about ours
    return found


async def _fetch(
    client: PeerClient, folder: Path, peer: str, lost: Recovery, node: Node
) -> _Fetched:
    """Fetch all pages of one peer into its folder."""
    done, passed = _Fetched(), set[str]()
    for number in range(_PAGES_MAX + 1):
        page = await client.recover(lost.above, lost.log, lost.since, lost.after)
        if not page.envelopes:
            break
        if number == _PAGES_MAX:
            raise TransportFailure("bad-answer", "more pages than a peer can owe us", signed=True)
        last = _last_identity(page)
        if last in passed:
            raise TransportFailure("bad-answer", "the same page again and again", signed=True)
        passed.add(last)
        lost = replace(lost, after=last)
        keep_page(folder, peer, number, page.encode())
        done.messages += len(page.envelopes)
        done.missed += _missed(node, peer, page)
        origin = log_origin(node.office.network, node.office.authority, lost.log)
        found = _own(_checkpoints(page), origin, node.log.keys)
        done.newest = sorted((*done.newest, *found), key=_size)[-1:]
    return done


def _missed(node: Node, peer: str, page: Batch) -> int:
    """Count the messages that prove themselves and are not here: so state was lost."""
    proven = []
    try:
        returned = list(pairs(page))
    except Malformed as fault:
        raise TransportFailure("bad-answer", fault.detail, signed=True) from fault
    for raw, receipt in returned:
        try:
            proven.append(prove(node, peer, raw, receipt).signed.identity)
        except Rejected as fault:
            _log.info("not-proved", peer=peer, code=fault.code)
    held = node.database.read(lambda conn: case_rows.known_messages(conn, proven))
    return len(set(proven) - held)


def _size(checkpoint: Checkpoint) -> int:
    return checkpoint.size


def _checkpoints(page: Batch) -> list[bytes]:
    """Give the checkpoints that the receipts of a page rest on."""
    found = []
    for one in page.answers.answers:
        if isinstance(one, Receipted):
            try:
                found.append(decode_proof(decode_receipt(one.receipt).proof).checkpoint_raw)
            except Rejected:
                continue  # said when it is installed
    return found


def _last_identity(page: Batch) -> str:
    """Give the identity of the last message of a page, from its receipt: where to go on."""
    answers = page.answers.answers
    last = answers[-1] if answers else None
    if not isinstance(last, Receipted) or len(answers) != len(page.envelopes):
        raise TransportFailure("bad-answer", "a message without its receipt", signed=True)
    try:
        return decode_decision(decode_receipt(last.receipt).record).identity
    except Rejected as fault:
        raise TransportFailure("bad-answer", fault.detail, signed=True) from fault


# --- our own log -----------------------------------------------------------


def _lost(conn: Connection, node: Node, old: OldLog, left: Left) -> Recovery:
    """Say what to ask for, in terms of the log that will be closed."""
    lost = _lost_here(conn, node, old.keys)
    if not old.here:  # nothing of it is here, and the end of the one before may be missing
        lost = Recovery(0, old.number, lost.since, None)
    return lost if left.since is None else replace(lost, since=min(lost.since, left.since))


def _lost_here(conn: Connection, node: Node, keys: LogKeys) -> Recovery:
    """Say from where on our state may be lost: above the newest that a witness has seen.

    What is in the database above it may be another history than the one that was signed, so
    it is asked for as well; what is here already comes in vain, and does no harm.
    """
    number, origin = node.log.number, node.log.origin
    kept = watch_rows.newest_checkpoint(conn, number)
    if kept is not None:
        try:
            signed = verify_checkpoint(kept.raw, origin=origin, keys=keys)
        except Rejected:
            return Recovery(0, number, 0, None)  # altered: everything is asked for
        if _holds(conn, node, signed.checkpoint):
            return Recovery(signed.checkpoint.size, number, signed.time, None)
    return Recovery(0, number, 0, None)


def _holds(conn: Connection, node: Node, checkpoint: Checkpoint) -> bool:
    """Say whether the log here, as its tiles give it, went through a checkpoint."""
    head = log_rows.read_head(conn, node.log.origin)
    if head is None or checkpoint.size > head.size:
        return False
    try:
        return tree_root(checkpoint.size, tile_reader(conn, node.log.number)) == checkpoint.root
    except NotAuthentic:  # tiles are missing
        return False


def _newest(
    conn: Connection, node: Node, old: OldLog, known: list[Checkpoint], *, missed: bool
) -> Checkpoint:
    """Give the newest state of the old log that anybody may have seen, or `NothingLost`.

    The guard counts where the database does not hold it: then it is what was signed before
    the database was set back. Where it holds it, the guard is no wiser than the database.
    """
    guarded = _guarded(node)
    if guarded is not None and guarded.origin != old.origin:
        guarded = None
    if not old.here:
        empty = Checkpoint(old.origin, 0, EMPTY_ROOT)
        return max([empty, *known, *([] if guarded is None else [guarded])], key=_size)
    foreign = [one for one in known if not _holds(conn, node, one)]
    if guarded is not None and not _holds(conn, node, guarded):
        foreign.append(guarded)
    head = log_rows.read_head(conn, node.log.origin)
    if not foreign:
        if node.log.halted is None and not missed:
            raise NothingLost
        foreign = known or ([] if guarded is None else [guarded])
        if head is not None:
            foreign = [*foreign, Checkpoint(head.origin, head.size, head.root)]
    return max(foreign, key=_size)


def _guarded(node: Node) -> Checkpoint | None:
    try:
        held = FileGuard(node.settings.guard.file).read()
    except Recovering:
        return None  # damaged: it says nothing
    return None if held is None else guarded_checkpoint(held.checkpoint)
