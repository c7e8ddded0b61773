"""What columns are made of: explicit types, named constraints, strict tables.

The types are the same on both databases, so that a value that one takes the other takes
too. This module knows no table.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

NAMING: Final = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
"""How constraints are called, so that a migration can name the one it drops."""

# STRICT makes SQLite refuse a text in a column of bytes; it knows INTEGER and not BIGINT.
BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STRICT: Final = {"sqlite_strict": True}
STRICT_KEYED: Final = {"sqlite_strict": True, "sqlite_with_rowid": False}
STRICT_COUNTED: Final = {"sqlite_strict": True, "sqlite_autoincrement": True}


def text(*, key: bool = False, empty: bool = False) -> sa.Column[str]:
    """Make a column of text; `empty` means that it may be absent."""
    return sa.Column(sa.Text(), primary_key=key, nullable=empty)


def number(*, key: bool = False, empty: bool = False) -> sa.Column[int]:
    """Make a column of 64-bit numbers that we give, never the database."""
    return sa.Column(BIG, primary_key=key, nullable=empty, autoincrement=False)


def counter() -> sa.Column[int]:
    """Make a key that the database counts up and never gives twice."""
    return sa.Column(BIG, primary_key=True, autoincrement=True)


def binary(*, empty: bool = False) -> sa.Column[bytes]:
    """Make a column of bytes, kept exactly as they came."""
    return sa.Column(sa.LargeBinary(), nullable=empty)


def reference(column: str, *, key: bool = False) -> sa.Column[str]:
    """Make a column that names a row of another table."""
    return sa.Column(sa.Text(), sa.ForeignKey(column), primary_key=key, nullable=False)


def digest(column: str) -> sa.CheckConstraint:
    """Hold `column` to the length of a digest in hex."""
    return sa.CheckConstraint(f"length({column}) = 64", name=f"{column}_length")


class Row(SQLModel, registry=registry(metadata=sa.MetaData(naming_convention=NAMING))):
    """The common base: one set of tables, with names for all constraints."""
