"""Qumran as a witness over a database, asked as requests ask it, with forks written down.

scene = scene_of(database, make_trust((FIJI, QUMRAN)))
said = scene.say(scene.log.grown(9).add_checkpoint(0, 9, now=scene.now))
"""

from __future__ import annotations

from dataclasses import dataclass, field

from node.audit.witness import Said, Witness
from node.office import Office
from node.storage import witness_rows
from node.storage.engine import Database
from node.storage.witness_rows import Witnessed
from node.storage.writer import Tx
from tests.support.clock import START
from tests.support.memory_log import MemoryLog
from tests.support.trust import NETWORK, Trust

FIJI, QUMRAN, TONGA = "fj.justice", "qm.justice", "to.justice"


@dataclass(slots=True)
class Scene:
    """Qumran as a witness of Fiji's log, over a database."""

    database: Database
    trust: Trust
    witness: Witness
    office: Office
    forks: list[bytes] = field(default_factory=list)
    now: int = START
    halted: str | None = None

    @property
    def log(self) -> MemoryLog:
        """Fiji's log, empty."""
        return MemoryLog(self.trust.rings[FIJI], FIJI)

    def say(self, body: bytes) -> Said:
        """Ask as a request does: a reader first, and the writer if it must be."""
        known = self.database.read(lambda conn: self.witness.known(conn, body, self.now))
        said = self.database.transact(lambda conn: self.witness.answer(Tx(conn, self.now), body))
        assert known is None or known == said
        return said

    def state(self, origin: str | None = None) -> Witnessed | None:
        """Give what is remembered of Fiji's log."""
        return self.database.read(
            lambda conn: witness_rows.read_witnessed(conn, origin or self.log.origin)
        )

    def trusts(self, trust: Trust) -> None:
        """Let the office trust a newer network."""
        self.trust = trust
        self.office.directory = trust.directory


def scene_of(database: Database, trust: Trust) -> Scene:
    """Make the witness."""
    office = Office(NETWORK, QUMRAN, trust.rings[QUMRAN], START)
    office.directory = trust.directory
    made = Scene(database, trust, Witness(office, lambda *_: None), office)
    made.witness = Witness(office, lambda _, raw: made.forks.append(raw), lambda: made.halted)
    return made
