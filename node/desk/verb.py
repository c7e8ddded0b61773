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

from node.access.check import Reach
from node.access.roles import Person, Role
from node.audit.bundle import Fetch
from node.cases.law import Law
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
    law: Law
    person: Person | None = None  # who asked for the verb
    fetch: Fetch | None = None  # asks peers about their logs, while the node serves
    live: Live | None = None

    @property
    def register(self) -> Register:
        """The register of cases; a desk that was opened without keys has none."""
        if self.register_or_none is None:
            raise Misuse("a verb that needs the keys, at a desk that was opened without")
        return self.register_or_none

    @property
    def asking(self) -> Person:
        """Who asked for the verb; there always is somebody where one runs."""
        if self.person is None:
            raise Misuse("a verb that nobody asked for")
        return self.person

    def unit(self, work: Callable[[Tx], T]) -> T:
        """Run one unit of work and give its result."""
        results: list[T] = []

        def signed(tx: Tx) -> None:
            if self.person is not None:
                tx.by = self.person.id or person_id(tx.conn, self.person.name, self.random)
            results.append(work(tx))

        self.write(signed)
        return results[-1]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: what it does, what it takes, who may, and whether it writes or needs the keys.

    Its argument `case`, and those of `also`, name cases, `draft` a draft: whoever asks must
    know them as `reach` says, and the verb is given their whole ids. `opens` says that it
    gives what is said in a case, which is recorded as a read before anything is given.
    `two` names the arguments that say what a second person has to agree to first; None if
    one person is enough.
    """

    act: Callable[[Desk, Any], Result]  # its second argument is what `takes` says
    takes: type[Arguments] = Nothing
    may: frozenset[Role] = frozenset()
    writes: bool = False
    needs_keys: bool = False
    opens: bool = False
    reach: Reach = "read"
    also: frozenset[str] = frozenset()
    two: frozenset[str] | None = None

    @property
    def needs_writer(self) -> bool:
        """Whether a desk that can only read is not enough: a read that is recorded writes."""
        return self.writes or self.opens


def no_writing(_: Callable[[Tx], object]) -> object:
    """Stand where a desk may only read."""
    raise Misuse("writing at a desk that was opened for reading")
