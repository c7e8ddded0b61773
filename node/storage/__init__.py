"""Everything a node remembers: SQL and SQLModel live in this package and nowhere else.

The other packages pass a `Connection` along inside a unit of work and hand it to the
functions of the `…_rows` modules; they never write a statement.
"""

from sqlalchemy import Connection

__all__ = ["Connection"]
