"""What Alembic runs to apply the steps, on the connection that `migrate` hands over.

There is no other way in: no URL, no configuration file. The transaction belongs to the
caller, who commits all pending steps or none.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from node.storage import tables

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=tables.metadata,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
context.run_migrations()
