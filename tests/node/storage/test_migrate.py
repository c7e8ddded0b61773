"""The steps of the migrations give exactly the tables that the code believes in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from node.storage.engine import Database, open_database
from node.storage.migrate import SchemaNewer, SchemaState, migrate, schema_state
from node.storage.tables import metadata

CONSTRAINTS = """
    SELECT conrelid::regclass::text || ': ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT table_name || ': ' || column_name || ' ' || data_type || ' '
        || is_nullable || ' ' || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public'
"""

IGNORED = re.compile("alembic_version|sqlite_sequence")  # of the tools, and not ours


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    """Open a database without tables."""
    opened = open_database(empty_database_url)
    yield opened
    opened.close()


def _described(conn: Connection) -> list[str]:
    """Describe every table, column and constraint in the database's own words."""
    if conn.dialect.name == "postgresql":
        lines = conn.exec_driver_sql(CONSTRAINTS).scalars().all()
    else:
        found = conn.exec_driver_sql("SELECT tbl_name, sql FROM sqlite_schema WHERE sql <> ''")
        lines = [
            f"{name}: {part.strip().strip(',')}" for name, sql in found for part in sql.splitlines()
        ]
    kept = (re.sub(r"\s+", " ", line) for line in lines if not IGNORED.search(line))
    return sorted(line for line in kept if line)


def test_models_and_migrations_agree(database: Database) -> None:
    """Alembic finds nothing that a further step would have to change."""

    def compare(conn: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(conn, opts=options), metadata))

    assert database.read(compare) == []


def test_models_and_migrations_agree_to_the_letter(empty: Database) -> None:
    """Checks, keys and names, which Alembic does not compare, are the same as well."""
    empty.alter(metadata.create_all)
    modelled = empty.read(_described)
    empty.alter(metadata.drop_all)
    assert empty.read(_described) == []
    migrate(empty)
    assert len(modelled) > len(metadata.tables)
    assert empty.read(_described) == modelled


def test_a_new_database_gets_all_steps(empty: Database) -> None:
    """An empty database has every step before it, and none after."""
    before = schema_state(empty)
    assert before.current is None
    assert before.pending[-1] == before.newest
    assert migrate(empty) == before
    assert schema_state(empty) == SchemaState(before.newest, before.newest, ())
    tables = empty.read(lambda conn: set(sa.inspect(conn).get_table_names()))
    assert tables == {*metadata.tables, "alembic_version"}


def test_migrating_again_changes_nothing(database: Database) -> None:
    """A start on tables that are there is a start without a write."""
    before = database.read(_described)
    assert migrate(database).pending == ()
    assert database.read(_described) == before


def test_looking_does_not_change_anything(empty: Database) -> None:
    """`doctor` can ask for the state of a database that has none."""
    assert schema_state(empty).current is None
    assert empty.read(lambda conn: sa.inspect(conn).get_table_names()) == []


def test_tables_of_a_newer_release_are_refused(database: Database) -> None:
    """An older release does not touch what it cannot know."""
    newer = "UPDATE alembic_version SET version_num = '9999'"
    database.transact(lambda conn: conn.exec_driver_sql(newer))
    for look in (migrate, schema_state):
        with pytest.raises(SchemaNewer, match="9999") as caught:
            look(database)
        assert caught.value.reason == "refused"
