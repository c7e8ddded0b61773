"""Requests that may be repeated: one effect for each Idempotency-Key of a person.

    with repeats.once(person, key, digest):
        ...                     nobody else does the same meanwhile
        desk = repeats.marking(desk, person, key, digest)

The mark that a request was done is written in the transaction of its effect, so it stands
if and only if the effect does, whatever crashes. The answer is added after it, sealed, and
kept for a day. A request that was refused leaves no mark and may be asked again. Knows no
HTTP but a status number.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from node.api.problems import own
from node.desk.verb import Desk
from node.storage import repeat_rows
from node.storage.repeat_rows import NOT_ANSWERED
from node.storage.vault import WRAPPED_BYTES, Vault
from node.storage.writer import Tx

_NAME: Final = "repeat\0"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request under a key: whose, which key, and the digest of all that was asked."""

    person: str
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Answer:
    """How it was answered."""

    status: int
    body: bytes = field(repr=False)


@dataclass(slots=True)
class Repeats:
    """Which requests are under way in this node, and those that were done."""

    vault: Vault
    _under_way: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def once(self, asked: Asked) -> Iterator[None]:
        """Hold the key while its request is under way; raises `Problem` if somebody does."""
        place = (asked.person, asked.key)
        with self._lock:
            if place in self._under_way:
                raise own("under-way", Retry_After="1")
            self._under_way.add(place)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(place)

    def find(self, desk: Desk, asked: Asked) -> Answer | None:
        """Give the answer that was given before; None if nothing was done under this key.

        Raises `Problem` if something else was asked under it, or if the answer is not kept.
        """
        found = desk.database.read(
            lambda conn: repeat_rows.read_repeat(conn, asked.person, asked.key)
        )
        if found is None:
            return None
        if found.request != asked.digest:
            raise own("key-reused")
        if found.status == NOT_ANSWERED:
            raise own("answer-lost")
        wrapped, sealed = found.sealed_answer[:WRAPPED_BYTES], found.sealed_answer[WRAPPED_BYTES:]
        return Answer(found.status, self.vault.open(_name(asked), wrapped, asked.digest, sealed))

    def marking(self, desk: Desk, asked: Asked) -> Desk:
        """Give a desk whose units of work also note that the request was done."""
        write = desk.write

        def marked(work: Callable[[Tx], object]) -> object:
            def both(tx: Tx) -> object:
                result = work(tx)
                repeat_rows.note_done(tx.conn, asked.person, asked.key, asked.digest, at=tx.now)
                return result

            return write(both)

        return replace(desk, write=marked)

    def keep(self, desk: Desk, asked: Asked, answer: Answer) -> None:
        """Keep the answer of a request that was done."""
        wrapped = self.vault.new_key(_name(asked))
        sealed = wrapped + self.vault.seal(_name(asked), wrapped, asked.digest, answer.body)

        def keep(tx: Tx) -> None:
            repeat_rows.keep_answer(tx.conn, asked.person, asked.key, answer.status, sealed)

        desk.write(keep)

    def forget(self, desk: Desk, asked: Asked) -> None:
        """Forget a request that was refused, if a part of it had left a mark."""
        row = desk.database.read(
            lambda conn: repeat_rows.read_repeat(conn, asked.person, asked.key)
        )
        if row is not None:
            desk.write(lambda tx: repeat_rows.forget(tx.conn, asked.person, asked.key))


def _name(asked: Asked) -> str:
    """Name what the answer is sealed for: an answer opens for nobody else's key."""
    return f"{_NAME}{asked.person}\0{asked.key}"
