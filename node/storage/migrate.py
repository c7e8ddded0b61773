"""Bring a database's tables to what this release needs; never one step back.

    state = migrate(database)     # on start-up and in `init`; does nothing if all is there

All pending steps are one transaction, so a crash leaves the old tables or the new ones. A
database that a newer release has altered is refused: this one would misread it. This
module knows no table by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from node.storage.engine import Database, StorageFailed

_HERE: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x636F6D697479  # "comity": two processes never migrate one database at once


class SchemaNewer(StorageFailed):
    """A newer release has altered the tables; run that one, or restore a backup."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Where the tables of a database stand; `current` is None if there are none yet."""

    current: str | None
    newest: str
    pending: tuple[str, ...]


def schema_state(database: Database) -> SchemaState:
    """Tell where the tables stand, without changing anything."""
    return database.read(_state)


def migrate(database: Database) -> SchemaState:
    """Apply the pending steps, all or none, and tell where the tables stood before."""
    before = schema_state(database)
    return database.alter(_upgrade) if before.pending else before


def _upgrade(conn: Connection) -> SchemaState:
    """Apply the steps on a connection whose transaction the database ends."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    before = _state(conn)  # again: somebody else may have been faster
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
    return before


def _state(conn: Connection) -> SchemaState:
    """Compare the step that the database names with those that this release has."""
    scripts = ScriptDirectory(_HERE)
    steps = [step.revision for step in scripts.walk_revisions()][::-1]
    heads = MigrationContext.configure(conn).get_current_heads()
    if not heads:
        return SchemaState(None, steps[-1], tuple(steps))
    if len(heads) > 1 or heads[0] not in steps:
        detail = f"the tables are of a newer release ({', '.join(sorted(heads))})"
        raise SchemaNewer(detail, reason="refused")
    return SchemaState(heads[0], steps[-1], tuple(steps[steps.index(heads[0]) + 1 :]))
