"""What a verb is, and what it works with.

A verb is a plain function over a `Desk`. It runs inside `comity run` when the node is up
(the command line reaches it through the control socket) and in the command's own process
when it is not; it cannot tell which. Arguments and results are JSON. Files are read by the
command, as the person who typed it, and never by the node. Knows no verb.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from node.access.roles import Role
from node.audit.bundle import Fetch
from node.cases.register import Register
from node.clock import Clock, Random
from node.desk.arguments import Arguments, Nothing
from node.monitor import Finding
from node.office import Office
from node.settings import Settings
from node.storage.engine import Database
from node.storage.person_rows import person_id
from node.storage.writer import Tx
from protocol.encoding import Json
from protocol.errors import Misuse

T = TypeVar("T")
Result: TypeAlias = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Live:
    """What only a node that serves can say and do."""

    halted: Callable[[], str | None]
    look: Callable[[], Sequence[Finding]]  # at the logs of all peers, now
    gather: Callable[[], None]  # the words of our witnesses on our newest head, now


@dataclass(frozen=True, slots=True)
class Desk:
    """What verbs work with; `write` raises `Misuse` where only reading is possible."""

    settings: Settings
    office: Office
    database: Database
    write: Callable[[Callable[[Tx], object]], object]
    clock: Clock
    random: Random
    register_or_none: Register | None
    person: str | None = None  # who asked for the verb, as the system knows them
    fetch: Fetch | None = None  # asks peers about their logs, while the node serves
    live: Live | None = None

    @property
    def register(self) -> Register:
        """The register of cases; a desk that was opened without keys has none."""
        if self.register_or_none is None:
            raise Misuse("a verb that needs the keys, at a desk that was opened without")
        return self.register_or_none

    def unit(self, work: Callable[[Tx], T]) -> T:
        """Run one unit of work and give its result."""
        results: list[T] = []

        def signed(tx: Tx) -> None:
            if self.person is not None:
                tx.by = person_id(tx.conn, self.person, self.random)
            results.append(work(tx))

        self.write(signed)
        return results[-1]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: what it does, what it takes, who may, and whether it writes or needs the keys.

    `opens` says that it gives content of the case that its argument `case` names: that takes
    need to know, and is recorded as a read.
    """

    act: Callable[[Desk, Any], Result]  # its second argument is what `takes` says
    takes: type[Arguments] = Nothing
    may: frozenset[Role] = frozenset()
    writes: bool = False
    needs_keys: bool = False
    opens: bool = False


def no_writing(_: Callable[[Tx], object]) -> object:
    """Stand where a desk may only read."""
    raise Misuse("writing at a desk that was opened for reading")
