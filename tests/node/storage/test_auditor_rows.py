"""Auditors' tokens on both databases: known by their digest, and good for their time alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from node.clock import SystemRandom
from node.storage import auditor_rows
from node.storage.auditor_rows import AuditorToken, make_token, token_digest, valid_token
from node.storage.engine import Database
from node.storage.tables import auditor_tokens


def kept(database: Database, *tokens: AuditorToken) -> None:
    """Store tokens."""
    for token in tokens:
        database.transact(lambda conn, token=token: auditor_rows.insert_token(conn, token))  # type: ignore[misc]  # mypy cannot type it


def test_a_token_is_good_from_its_making_to_its_end(database: Database) -> None:
    """Not a second before or after, and only with its own text."""
    text = make_token(SystemRandom())
    token = AuditorToken(token_digest(text), "court", 100, 200)
    kept(database, token)
    for now, expected in ((99, None), (100, token), (199, token), (200, None)):
        assert database.read(lambda conn, now=now: valid_token(conn, text, now)) == expected  # type: ignore[misc]  # mypy cannot type it
    for other in (make_token(SystemRandom()), text[:-1], text + "A", "", token.digest, "é"):
        assert database.read(lambda conn, other=other: valid_token(conn, other, 150)) is None  # type: ignore[misc]  # mypy cannot type it


def test_the_text_of_a_token_is_stored_nowhere(database: Database) -> None:
    """Whoever reads the table cannot use what it holds."""
    text = make_token(SystemRandom())
    kept(database, AuditorToken(token_digest(text), "court", 100, 200))
    (row,) = database.read(lambda conn: conn.execute(auditor_tokens.select()).all())
    assert text not in str(row)
    assert len(text) == 43  # 256 bits


def test_a_name_has_one_token_and_taking_it_back_ends_it(database: Database) -> None:
    """A second of the name is refused; a taken one is gone, and says what it was."""
    first = AuditorToken("ab" * 32, "court", 100, 200)
    kept(database, first, AuditorToken("cd" * 32, "audit", 100, 200))
    with pytest.raises(IntegrityError):
        kept(database, replace(first, digest="ef" * 32))
    assert database.transact(lambda conn: auditor_rows.delete_token(conn, "court")) == first
    assert database.transact(lambda conn: auditor_rows.delete_token(conn, "court")) is None
    assert [one.name for one in database.read(auditor_rows.list_tokens)] == ["audit"]
