"""Finding cases by words, names and references, without the database holding any word.

    index = WordIndex(vault)            # an Effect: hears of every step
    find(conn, index, "Łukasz Müller", seeker)

A word stands in the database as a digest under a key that is derived from the storage key, so
whoever has the database alone can neither read nor guess it; they see that two cases share a
word. All words of a query must occur in a case; they match whole. A reference, and a case's
id, is also found by how it begins. Knows no verb, and opens no text.
"""

from __future__ import annotations

import hashlib
from typing import Final

from node.cases.happened import Happened
from node.cases.words import words_asked, words_in
from node.storage import Connection, word_rows
from node.storage.vault import Vault
from node.storage.word_rows import Seeker
from node.storage.writer import Tx
from protocol.identity import AUTHORITY_ID

WORD_BYTES: Final = 16
_LABEL: Final = b"words of cases"
_REFERENCE_CHARS_MIN: Final = 3


class WordIndex:
    """Makes the digests by which words are found; as an effect, adds those of each step."""

    def __init__(self, vault: Vault) -> None:
        """Use a key that only the key file's owner can derive."""
        self._key = vault.derived_key(_LABEL)

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return "WordIndex()"

    def __call__(self, tx: Tx, one: Happened) -> None:
        """Add the words of a step, whatever the life cycle makes of it."""
        words = words_in(one.event, one.body)
        word_rows.add_words(tx.conn, one.case.id, [self.digest(word) for word in words])

    def digest(self, word: str) -> bytes:
        """Give what stands for a word that is in its normal form."""
        return hashlib.blake2b(word.encode(), key=self._key, digest_size=WORD_BYTES).digest()


def find(conn: Connection, index: WordIndex, text: str, seeker: Seeker) -> list[str]:
    """Give the ids of cases that a text finds: by name or reference first, then by words."""
    sought = text.strip()
    found: dict[str, None] = {}
    if len(sought) >= _REFERENCE_CHARS_MIN:
        found.update(dict.fromkeys(word_rows.cases_called(conn, sought, seeker)))
    if AUTHORITY_ID.fullmatch(sought) is not None:
        found.update(dict.fromkeys(word_rows.cases_with_peer(conn, sought, seeker)))
    if len(found) >= seeker.limit:
        return list(found)[: seeker.limit]
    words = [index.digest(word) for word in words_asked(sought)]
    found.update(dict.fromkeys(word_rows.cases_with_words(conn, words, seeker)))
    return list(found)[: seeker.limit]
