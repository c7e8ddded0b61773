"""The tamper matrix: whatever somebody changes in any table or column is found, or is harmless.

The table of columns is taken from the schema, so that a new column is tested without
anybody thinking of it.
"""

from __future__ import annotations

import pytest

from node.audit.fsck import Conclusion
from node.storage.tables import metadata
from tests.support.exchanged import AtRest, audit

HARMLESS = {
    "alembic_version", "nonces", "alarms", "settings_kept", "queues", "outbox", "skips",
    "witnessed",
    "network_documents.installed_at", "listings.installed_at", "revocations.installed_at",
    "cases.request_kind", "cases.state", "cases.opened_at", "cases.changed_at",
    "messages.changed_at",
    "contested",  # but for its identity, which a test of its own changes
    "auditor_tokens", "checkpoints", "log_notices", "persons", "timestamps", "unproven",
    "envelopes.key_id", "envelopes.made_at",
}  # fmt: skip
"""Tables and columns that prove nothing and that nothing proves: what they hold is shown, or
delays, or is derived again. `node/storage/tables.py` says for each what an editor gains."""

COLUMNS = [
    f"{table.name}.{column.name}"
    for table in metadata.sorted_tables
    for column in table.columns
    if table.name not in HARMLESS and f"{table.name}.{column.name}" not in HARMLESS
]


@pytest.mark.parametrize("where", COLUMNS)
def test_a_changed_column_is_found(fiji: AtRest, where: str) -> None:
    """Whoever changes one value of any row that matters is found out."""
    table, _, name = where.partition(".")
    rows = fiji.places(table)
    assert rows, "the exchange leaves rows in every table that is tested"
    for number, place in enumerate(rows):
        copy = fiji.copy(fiji.folder.parent / f"altered-{number}")
        assert copy.alter(table, name, place) == 1
        assert audit(copy).conclusion is Conclusion.FALSE, place


@pytest.mark.parametrize(
    "table",
    [
        "log_head", "log_entries", "log_tiles", "network_documents", "listings", "messages",
        "refusals", "cases", "envelopes", "revocations",
    ],
)  # fmt: skip
def test_a_deleted_row_is_found(fiji: AtRest, table: str) -> None:
    """Whoever deletes any row of these tables is found out."""
    for number, place in enumerate(fiji.places(table)):
        copy = fiji.copy(fiji.folder.parent / f"less-{number}")
        assert copy.delete(table, place) == 1
        assert audit(copy).conclusion is not Conclusion.SOUND, place
