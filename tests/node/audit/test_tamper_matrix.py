"""The tamper matrix: whatever somebody changes in any table or column is found, or is harmless.

Tables and columns are taken from the schema, so that a new one is tested without anybody
thinking of it; what may stay unfound stands in `tamper.py` with its reason. By default one
row of each table is changed; `-m slow` changes every row.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from node.storage.engine import StorageFailed
from node.storage.tables import metadata
from tests.node.audit import tamper
from tests.support.exchanged import AtRest, audit
from tests.support.tampering import Bench, back_date, insert_like, swap, try_alter
from tests.support.watched import Watched

TABLES = [table.name for table in metadata.sorted_tables]
COLUMNS = dict(tamper.columns())
FOUND_COLUMNS = [name for name in COLUMNS if name not in tamper.HARMLESS_COLUMNS]
TIMES = [name for name, column in COLUMNS.items() if tamper.is_time(column)]
FOUND_TIMES = [name for name in TIMES if name not in tamper.HARMLESS_COLUMNS]


def ends(rest: AtRest, table: str) -> list[str]:
    """Give the first and the last row of a table."""
    places = rest.places(table)
    assert places, f"nothing that the three nodes did leaves a row in {table}"
    return list(dict.fromkeys((places[0], places[-1])))


def not_found(bench: Bench, name: str, places: list[str]) -> list[str]:
    """Change one column of rows, one after the other; gives those that no auditor found."""
    table, _, column = name.partition(".")
    unfound = []
    for place in places:
        if not try_alter(bench.fresh(), table, column, place):
            continue
        if not bench.found():
            unfound.append(place)
    return unfound


# --- what it starts from --------------------------------------------------------------------


def test_all_three_nodes_are_sound_before_anybody_changes_anything(met: Watched) -> None:
    """Whatever is found below was put there by the change."""
    for rest in (met.fiji, met.qumran, met.tonga, met.before):
        assert audit(rest).findings == ()


def test_every_reason_is_about_something_that_exists() -> None:
    """A column that was renamed takes its verdict with it, or loses it."""
    assert tamper.HARMLESS_COLUMNS.keys() <= COLUMNS.keys()
    assert tamper.AT_START | tamper.BY_PEERS.keys() <= COLUMNS.keys()
    tables = {
        *tamper.HARMLESS_INSERTS, *tamper.HARMLESS_DELETES, *tamper.HARMLESS_SWAPS, *tamper.OPEN,
        *tamper.DELETED_AT_START, *tamper.DELETED_BY_PEERS,
    }  # fmt: skip
    assert tables <= set(TABLES)


def test_the_page_is_what_the_matrix_says() -> None:
    """Who reads the documentation reads what is tested."""
    assert tamper.DOCUMENT.read_text(encoding="utf-8") == tamper.document()


# --- every column ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", FOUND_COLUMNS)
def test_a_changed_value_is_found(bench: Bench, name: str) -> None:
    """Whoever changes one value of a row that matters is found out by an auditor."""
    assert not_found(bench, name, ends(bench.original, name.partition(".")[0])[-1:]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", FOUND_COLUMNS)
def test_a_changed_value_is_found_in_every_row(bench: Bench, name: str) -> None:
    """No row is an exception."""
    assert not_found(bench, name, bench.original.places(name.partition(".")[0])) == []


@pytest.mark.parametrize("name", sorted(tamper.HARMLESS_COLUMNS))
def test_a_harmless_change_is_harmless(bench: Bench, name: str) -> None:
    """A reason stands only where it is needed, and the node goes on as if nothing were."""
    table, _, column = name.partition(".")
    # Some rows are compared (a person with a login, an envelope that waits), others not: they
    # stand at any place in the table.
    some = table in {"persons", "envelopes"}
    places = bench.original.places(table) if some else ends(bench.original, table)
    changed = [place for place in places if try_alter(bench.fresh(), table, column, place)]
    assert not changed or len(not_found(bench, name, changed)) > 0
    if changed:
        assert try_alter(bench.fresh(), table, column, changed[0])
        assert bench.node_at_start() is None


@pytest.mark.parametrize("name", FOUND_TIMES)
def test_a_time_that_was_set_back_is_found(bench: Bench, name: str) -> None:
    """Nothing that matters can be made to look older than it is."""
    table, _, column = name.partition(".")
    for place in ends(bench.original, table)[-1:]:
        assert back_date(bench.fresh(), table, column, place) == 1
        assert bench.found(), place


@pytest.mark.parametrize("name", sorted(tamper.AT_START))
def test_the_node_notices_when_it_starts(bench: Bench, name: str) -> None:
    """What the node signs with is compared before it signs again."""
    table, _, column = name.partition(".")
    for place in ends(bench.original, table):
        assert try_alter(bench.fresh(), table, column, place)
        assert bench.node_at_start() is not None, place


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_bit_that_flips_anywhere_in_the_file_is_a_finding_or_a_failure(
    bench: Bench, seed: int
) -> None:
    """Whatever is damaged, the audit ends with a report, or says that storage is broken."""
    raw, chance = bench.original.database_file.read_bytes(), random.Random(seed)
    ended: Counter[str] = Counter()
    for _ in range(150):
        at = chance.randrange(100, len(raw))
        changed = raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]
        bench.fresh().database_file.write_bytes(changed)
        try:
            ended[bench.auditor().conclusion.value] += 1
        except StorageFailed as fault:
            ended[fault.reason] += 1
    assert ended["false"] > 25
    assert ended.keys() <= {"sound", "false", "undecided", "broken", "refused"}


# --- every table ----------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_an_inserted_row_is_found(bench: Bench, table: str) -> None:
    """A row that nobody wrote has no record, no proof or no place."""
    place = ends(bench.original, table)[0]
    if table == "settings_kept":
        return  # a copy under another name is no setting, and under its own is refused
    assert insert_like(bench.fresh(), table, place) == 1
    assert bench.found() == (table not in tamper.HARMLESS_INSERTS)


@pytest.mark.parametrize("table", TABLES)
def test_a_deleted_row_is_found(bench: Bench, table: str) -> None:
    """What was recorded, counted or proved is missed."""
    places = ends(bench.original, table)
    found = []
    for place in places:
        assert bench.fresh().delete(table, place) == 1
        found.append(bench.found())
    if table in tamper.DELETED_BY_PEERS:
        return  # below, with the peer
    assert all(found) if table not in tamper.HARMLESS_DELETES else not all(found)


@pytest.mark.slow
@pytest.mark.parametrize("table", sorted(set(TABLES) - tamper.HARMLESS_DELETES.keys()))
def test_any_deleted_row_is_found(bench: Bench, table: str) -> None:
    """No row is an exception."""
    for place in bench.original.places(table):
        assert bench.fresh().delete(table, place) == 1
        assert bench.found() or table in tamper.DELETED_BY_PEERS, place


@pytest.mark.parametrize("table", sorted(tamper.DELETED_AT_START))
def test_the_node_misses_a_row_when_it_starts(bench: Bench, table: str) -> None:
    """A node without its head, its tiles or its trust says so and signs nothing under them."""
    assert bench.fresh().delete(table, bench.original.places(table)[0]) == 1
    assert bench.node_at_start() is not None


@pytest.mark.parametrize("table", TABLES)
def test_swapped_rows_are_found(bench: Bench, table: str) -> None:
    """What one row holds is not true of another."""
    places = ends(bench.original, table)
    rest = bench.fresh()
    if len(places) == 1 or not swap(rest, table, *places):
        return  # one row, or rows that are nothing but keys: then it is an edit, above
    assert bench.found() == (table not in tamper.HARMLESS_SWAPS)
