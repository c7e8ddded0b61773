"""Closings of logs in a node: installed once, kept, recorded, and found again."""

from __future__ import annotations

import pytest

from node.audit.records import ClosureInstalled
from node.storage import Connection, log_rows, notice_rows
from node.storage.notice_rows import Notice
from node.storage.writer import Tx
from protocol.errors import Equivocation
from protocol.merkle import leaf_hash
from tests.support.pair import FIJI, QUMRAN, Pair

ROOT = leaf_hash(b"root")


def _kinds(conn: Connection) -> list[str]:
    return [row.kind for row in log_rows.iterate_entries(conn, 1)]


def _closed(conn: Connection) -> list[Notice]:
    return notice_rows.read_notices(conn, "closed")


def test_the_closing_of_a_peers_log_is_kept_recorded_and_found_again(pair: Pair) -> None:
    """The next log of the peer is open from then on, also after a restart."""
    node = pair[FIJI].node
    raw = pair.trust.closure(QUMRAN, 42, ROOT)

    def install(tx: Tx) -> bool:
        return node.office.install_closure(tx, raw)

    assert node.writer.write_now(install)
    assert not node.writer.write_now(install)
    assert node.office.directory.open_log_number(QUMRAN) == 2
    (kept,) = node.database.read(_closed)
    origin = node.office.directory.log_keys(QUMRAN, 1)[0]
    assert (kept.origin, kept.raw) == (origin, raw)
    assert node.database.read(lambda conn: notice_rows.read_notice(conn, "closed", origin)) == kept
    assert node.database.read(lambda conn: notice_rows.read_notice(conn, "fork", origin)) is None
    assert node.database.read(_kinds).count(ClosureInstalled.kind) == 1
    node.database.read(node.office.load)
    assert node.office.directory.open_log_number(QUMRAN) == 2
    assert node.office.directory.refused == ()


def test_a_unit_of_the_same_transaction_sees_the_closing_and_an_undone_one_is_not_seen(
    pair: Pair,
) -> None:
    """What is installed is in force for the units after it, unless it was undone."""
    node = pair[FIJI].node
    raw = pair.trust.closure(QUMRAN, 42, ROOT)

    def undone(tx: Tx) -> None:
        node.office.install_closure(tx, raw)
        assert node.office.trusted(tx).open_log_number(QUMRAN) == 2
        raise Equivocation("something else was wrong")

    with pytest.raises(Equivocation):
        node.writer.write_now(undone)
    assert node.office.directory.open_log_number(QUMRAN) == 1
    assert node.database.read(_closed) == []
    assert node.writer.write_now(lambda tx: node.office.trusted(tx).open_log_number(QUMRAN)) == 1


def test_our_own_closing_is_trusted_and_not_recorded_in_the_closed_log(pair: Pair) -> None:
    """A closed log says nothing more: the first record of the next one names its end."""
    node = pair[FIJI].node
    raw = pair.trust.closure(FIJI, 42, ROOT)
    before = node.database.read(_kinds)
    assert node.writer.write_now(lambda tx: node.office.install_closure(tx, raw))
    assert node.office.directory.open_log_number(FIJI) == 2
    assert node.database.read(_kinds) == before
