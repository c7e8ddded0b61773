"""The tamper matrix, the log as a whole: cut, forked, set back, and who finds it.

Each test is one line of `tamper.WHOLE_LOG`. Where the keys and the guard are in wrong hands
too, nothing that this node has can tell; its peers can, and they prove it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from node.app import Node
from node.audit.guard import read_guard
from node.audit.witness import Said, Witness
from node.inbox import Brought
from node.outbox import Draft
from node.own_log import OwnLog
from node.storage import Connection, log_rows, queue_rows, witness_rows
from node.storage.writer import Tx
from protocol.checkpoint import log_origin
from protocol.errors import Recovering
from protocol.fork import verify_fork
from protocol.merkle import consistency_path
from protocol.witness_wire import encode_add_checkpoint
from tests.node.audit import tamper
from tests.support import exchanged
from tests.support.clock import ManualClock
from tests.support.exchanged import FIJI, NETWORK, AtRest, audit
from tests.support.tampering import Bench, forge_log, put_guard
from tests.support.watched import Watched

ORIGIN = log_origin(NETWORK, FIJI, 1)
DONE: set[str] = set()
"""Which lines of the matrix a test here has taken."""


def line(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Say which line of the matrix a test does."""
    assert what in tamper.WHOLE_LOG
    DONE.add(what)
    return lambda test: test


@dataclass(slots=True)
class Peer:
    """Qumran, running, which has cosigned Fiji's log."""

    node: Node
    forks: list[bytes] = field(default_factory=list)

    def remembered(self) -> witness_rows.Witnessed:
        """Give what it remembers of Fiji's log."""
        found = self.node.database.read(lambda conn: witness_rows.read_witnessed(conn, ORIGIN))
        assert found is not None
        return found

    def ask(self, old: int, path: list[bytes], checkpoint: bytes) -> Said:
        """Ask it to cosign a checkpoint."""
        witness = Witness(self.node.office, self._keep, lambda: None)
        body = encode_add_checkpoint(old, path, checkpoint)
        return self.node.writer.write_now(lambda tx: witness.answer(tx, body))

    def _keep(self, _tx: Tx, proof: bytes) -> None:
        self.forks.append(proof)


@pytest.fixture
def qumran(met: Watched, tmp_path: Path) -> Iterator[Peer]:
    """Run Qumran."""
    node = met.qumran.copy(tmp_path / "qumran").open(ManualClock(met.now))
    yield Peer(node)
    node.close()


def show(node: Node, raw: bytes) -> str | None:
    """Show a node a checkpoint of its own log, as a peer does; gives why it halts."""
    own = OwnLog(node.log, node.tiles, node.database, node.writer)
    asyncio.run(own.look(raw, shown_by="qm.justice"))
    return node.log.halted


def go_on(rest: AtRest, case: str, now: int, *texts: str) -> Node:
    """Start a node and let it record more; it is left running."""
    node = rest.open(ManualClock(now))
    assert node.log.halted is None
    for text in texts:
        asyncio.run(exchanged.post(node, case, Draft("note", {"text": text})))
    return node


def head_of(node: Node) -> log_rows.Head:
    """Give the newest head of a node."""
    found = node.database.read(lambda conn: log_rows.read_head(conn, ORIGIN))
    assert found is not None
    return found


def path_of(node: Node, old: int, new: int) -> list[bytes]:
    """Give the consistency path from a node's own tiles."""

    def read(conn: Connection) -> list[bytes]:
        return consistency_path(
            old, new, lambda level, at, width: log_rows.read_tile(conn, 1, level, at)[: 32 * width]
        )

    return node.database.read(read)


# --- found here -----------------------------------------------------------------------------


@line("insert an entry, tiles and head left")
def test_an_inserted_entry_is_found(bench: Bench) -> None:
    """An entry in the middle moves all behind it, and none is where it was signed."""
    rest = bench.fresh()
    rest.tamper(
        "UPDATE log_entries SET position = -1 - position WHERE position >= 5",
        "UPDATE log_entries SET position = -position WHERE position < 0",
        "INSERT INTO log_entries SELECT log, 5, commitment, kind, at, record, salt"
        " FROM log_entries WHERE position = 4",
    )
    assert {"tile-differs", "root-differs"} <= {one.code for one in bench.auditor().findings}


@line("reorder: two entries change places")
def test_reordered_entries_are_found(bench: Bench) -> None:
    """The order of entries is part of what was signed."""
    bench.fresh().tamper(
        "UPDATE log_entries SET position = 1000 WHERE position = 3",
        "UPDATE log_entries SET position = 3 WHERE position = 4",
        "UPDATE log_entries SET position = 4 WHERE position = 1000",
    )
    assert "root-differs" in {one.code for one in bench.auditor().findings}


@line("replace a tile by another one")
def test_a_replaced_tile_is_found(bench: Bench) -> None:
    """A tile is compared with what the entries give, and at the right edge at each start."""
    bench.fresh().tamper("UPDATE log_tiles SET hashes = zeroblob(length(hashes))")
    assert "tile-differs" in {one.code for one in bench.auditor().findings}
    assert bench.node_at_start() is not None


@line("truncate: the last n entries and their tile, head left")
def test_a_truncated_log_is_found(bench: Bench) -> None:
    """The signed head says how many entries there are."""
    bench.fresh().tamper(
        "DELETE FROM log_entries WHERE position >= 20",
        "UPDATE log_tiles SET hashes = substr(hashes, 1, 640)",
    )
    assert "entry-missing" in {one.code for one in bench.auditor().findings}
    assert bench.node_at_start() is not None


@line("set the head back while the node runs")
def test_a_head_that_is_set_back_under_a_running_node_is_found(met: Watched, bench: Bench) -> None:
    """The log moves its head only from the one that its guard holds; nothing leaves."""
    rest = bench.fresh()
    node = go_on(rest, met.case, met.now + 1, "first")
    size, root, checkpoint = met.before.select(
        "SELECT size, hex(root), hex(checkpoint) FROM log_head"
    )[0]
    rest.tamper(
        f"UPDATE log_head SET size = {size}, root = x'{root}', checkpoint = x'{checkpoint}'",  # noqa: S608  (our own values)
        f"DELETE FROM log_entries WHERE position >= {size}",  # noqa: S608  (a number)
        f"UPDATE log_tiles SET hashes = substr(hashes, 1, {32 * int(str(size))})",  # noqa: S608  (a number)
    )
    with pytest.raises(Recovering, match="guard"):
        asyncio.run(exchanged.post(node, met.case, Draft("note", {"text": "second"})))
    node.close()


@line("delete the last n entries and replay an old checkpoint as head")
def test_an_old_checkpoint_as_head_is_found(met: Watched, bench: Bench) -> None:
    """The guard remembers a state that the database does not have any more."""
    before = read_guard(met.before.settings.guard.file)
    size = int(str(met.before.select("SELECT size FROM log_head")[0][0]))
    forge_log(bench.fresh(), size, checkpoint=before)
    assert "behind-guard" in {one.code for one in bench.auditor().findings}
    assert "behind the guard" in str(bench.node_at_start())


@line("back-date an entry: columns, record and commitment made anew")
def test_a_back_dated_entry_is_found(bench: Bench) -> None:
    """An entry that is made anew is another leaf of another tree."""
    rest = bench.fresh()
    rest.tamper(
        "UPDATE log_entries SET at = at - 3600, commitment = zeroblob(32), record = NULL,"
        " salt = NULL WHERE position = 6"
    )
    assert "root-differs" in {one.code for one in bench.auditor().findings}


@line("replay an old checkpoint of the guard, the database left")
def test_a_guard_that_was_set_back_is_advanced_again(met: Watched, bench: Bench) -> None:
    """A guard alone that was set back looks as after a crash, and nothing was lost."""
    before = read_guard(met.before.settings.guard.file)
    assert before is not None
    put_guard(bench.fresh(), before)
    assert bench.auditor().findings == ()
    assert bench.node_at_start() is None


@line("restore a backup of the database")
def test_a_restored_database_is_found(met: Watched, bench: Bench) -> None:
    """The guard is in no backup, and remembers what was signed since."""
    bench.fresh().database_file.write_bytes(met.before.database_file.read_bytes())
    assert {one.code for one in bench.auditor().findings} == {"behind-guard"}
    assert "behind the guard" in str(bench.node_at_start())


# --- found by peers -------------------------------------------------------------------------


@line("restore a backup of everything, guard included")
def test_a_backup_of_everything_is_stopped_by_a_peer(
    met: Watched, qumran: Peer, tmp_path: Path
) -> None:
    """Nothing here knows better; what a peer has cosigned does, before anything is signed."""
    rest = met.before.copy(tmp_path / "restored")
    assert audit(rest).findings == ()
    node = go_on(rest, met.case, met.now)
    assert "restored, or copied" in str(show(node, qumran.remembered().raw))
    node.close()


@line("fork: sign another history from a state before")
def test_a_second_history_is_proved_by_the_first_witness(
    met: Watched, qumran: Peer, tmp_path: Path
) -> None:
    """Two heads of one size, both signed: the proof needs nobody's word."""
    node = go_on(met.before.copy(tmp_path / "restored"), met.case, met.now + 5, "another")
    state, head = qumran.remembered(), head_of(node)
    assert (head.size, head.root != state.root) == (state.size, True)
    said = qumran.ask(state.size, [], head.checkpoint)
    assert (said.status, len(qumran.forks)) == (422, 1)
    keys = qumran.node.office.directory.keys_of_log(ORIGIN)
    assert verify_fork(qumran.forks[0], origin=ORIGIN, keys=keys).origin == ORIGIN
    asyncio.run(exchanged.post(node, met.case, Draft("note", {"text": "and more"})))
    longer = head_of(node)
    path = path_of(node, state.size, longer.size)
    assert qumran.ask(state.size, path, longer.checkpoint).status == 422
    assert qumran.remembered() == state
    node.close()


@line("delete the last n entries, sign the shorter log again, guard too")
def test_a_shorter_log_that_was_signed_again_is_stopped(
    met: Watched, qumran: Peer, bench: Bench
) -> None:
    """A witness gives no word on less than it has seen, and its own copy halts the log."""
    rest, state = bench.fresh(), qumran.remembered()
    shorter = forge_log(rest, state.size - 3)
    put_guard(rest, shorter)
    said = qumran.ask(0, [], shorter)
    assert (said.status, said.body) == (409, b"%d\n" % state.size)
    node = rest.open(ManualClock(met.now))
    assert node.log.halted is None
    assert "restored, or copied" in str(show(node, state.raw))
    node.close()


def test_a_witness_that_was_made_to_forget_proves_itself(
    met: Watched, qumran: Peer, tmp_path: Path
) -> None:
    """Whoever deletes what a witness remembers makes it sign both histories, and both show it."""
    state = qumran.remembered()
    node = go_on(met.before.copy(tmp_path / "restored"), met.case, met.now + 5, "another")
    head = head_of(node)
    forgets = met.qumran.copy(tmp_path / "forgets")
    forgets.tamper("DELETE FROM witnessed")
    peer = Peer(forgets.open(ManualClock(met.now)))
    assert peer.ask(0, [], head.checkpoint).status == 200
    second = peer.remembered()
    assert (second.size, second.root != state.root) == (state.size, True)
    node.close()
    peer.node.close()


# --- columns that also a peer notices -------------------------------------------------------


def refused(met: Watched, rest: AtRest, qumran: Peer, *texts: str) -> set[str | None]:
    """Let a node bring what waits to Qumran; gives what is refused there."""
    node = go_on(rest, met.case, met.now, *texts)
    waiting = node.database.read(lambda conn: queue_rows.list_waiting(conn, "qm.justice"))
    brought = Brought(FIJI, "", None, 0)
    verdicts = asyncio.run(qumran.node.inbox.accept(brought, [one.envelope for one in waiting]))
    node.close()
    return {one.refusal for one in verdicts}


def test_a_peer_misses_the_numbers_between(met: Watched, qumran: Peer, bench: Bench) -> None:
    """A counter that was changed makes the next message one that follows nothing."""
    rest = bench.fresh()
    assert refused(met, rest, qumran) == {None}
    rest = bench.fresh()
    assert rest.alter("cases", "sent_seq", f"id = '{met.case}'") == 1
    rest.tamper("DELETE FROM outbox")
    assert refused(met, rest, qumran, "next") == {"out-of-order"}


def test_a_peer_cannot_open_an_envelope_that_was_changed(
    met: Watched, qumran: Peer, bench: Bench
) -> None:
    """What waits is sealed: nobody on the way, and nobody in the database, can change it."""
    rest = bench.fresh()
    assert rest.tamper("UPDATE outbox SET envelope = altered(envelope, 0)") >= 1
    assert refused(met, rest, qumran) == {"not-authentic"}


def test_the_owner_of_a_log_is_told_of_a_size_it_never_had(
    met: Watched, qumran: Peer, bench: Bench
) -> None:
    """A witness whose memory was set ahead says a number that nobody has signed."""
    rest = bench.fresh()
    origin = qumran.node.log.origin
    assert rest.alter("witnessed", "size", f"origin = '{origin}'") == 1
    owner = qumran.node.database.read(lambda conn: log_rows.read_head(conn, origin))
    assert owner is not None
    fiji = Peer(rest.open(ManualClock(met.now)))
    said = fiji.ask(owner.size, [], owner.checkpoint)
    assert (said.status, int(said.body) > owner.size) == (409, True)
    fiji.node.close()


def test_every_line_of_the_matrix_is_really_done() -> None:
    """No line of the page is a claim alone."""
    assert tamper.WHOLE_LOG.keys() == DONE
