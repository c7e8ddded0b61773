"""One case as both sides hold it, and the clocks that each keeps of it.

    scene = Clockwork(database)
    scene.send(MLA, at=MONDAY)                      # delivered, and in order
    scene.step("acknowledge", "requested", at=MONDAY + DAY)
    scene.clock("decision").due_at

Steps go through the life cycle itself, so a step that it does not allow has no effect here
either. Both sides are of `fj` (requesting) and `qm` (requested) unless a test says where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from node.cases.clocks.said_in import codes_in
from node.cases.clocks.table import DELIVERY
from node.cases.clocks.timetable import Timetable
from node.cases.happened import Happened
from node.cases.law import Law, load_law
from node.storage import Connection, case_rows, clock_rows, standing_rows
from node.storage.case_rows import Case
from node.storage.clock_rows import Clock
from node.storage.engine import Database
from node.storage.standing_rows import StoredStanding
from node.storage.writer import Tx
from protocol.digest import sha256_hex
from protocol.encoding import Json
from protocol.lifecycle import OneSide, Standing, Step, apply, machine_of
from tests.support.lifecycles import body_of

REQUESTING: Final = "fj.justice"
REQUESTED: Final = "qm.justice"
SIDES: Final[tuple[OneSide, OneSide]] = ("requesting", "requested")


@dataclass(slots=True)
class Clockwork:
    """A case in the making; `states` says of which State each authority is."""

    database: Database
    kind: str = "MLA_EVIDENCE"
    states: Mapping[str, str] = field(default_factory=lambda: {REQUESTING: "QM", REQUESTED: "QN"})
    law: Law = field(default_factory=load_law)
    name: str = "01"
    standing: Standing | None = None

    def __post_init__(self) -> None:
        """Store the case, once for each side."""
        self.database.transact(self._store)

    def _store(self, conn: Connection) -> None:
        for side in SIDES:
            peer = REQUESTED if side == "requesting" else REQUESTING
            case = Case(
                id=self.case_id(side), side=side, peer=peer, request_kind=self.kind, state="SENT",
                opened_at=0, changed_at=0, wrapped_key=b"k",
                log_id=sha256_hex(f"{self.name}{side}".encode())[:32],
            )  # fmt: skip
            case_rows.insert_case(conn, case)
            machine = machine_of(self.kind)
            standing_rows.insert_standing(conn, StoredStanding(case.id, machine, "SENT"))

    def case_id(self, side: OneSide) -> str:
        """Give the id under which a side's copy is stored."""
        return f"fj.justice/{self.name}{side}"

    # --- what happens ------------------------------------------------------

    def post(self, body: Mapping[str, Json], *, at: int) -> None:
        """Let the requesting side send the request, which has not arrived."""
        step = Step("transmit", "requesting", {"request_kind": self.kind, **body}, at, "00")
        self.database.transact(
            lambda conn: self._tell(conn, "requesting", step, None, confirmed=False)
        )

    def send(self, body: Mapping[str, Json], *, at: int, paper: bool = False) -> None:
        """Let the request be sent and arrive."""
        if not paper:
            self.post(body, at=at)
        whole = {"request_kind": self.kind, **body}
        self._apply(Step("transmit", "requesting", whole, at, "" if paper else "00"))

    def step(
        self, event: str, side: OneSide, *, at: int, body: Mapping[str, Json] | None = None
    ) -> None:
        """Let a step be made, with a good body unless there is one, and have its place."""
        if self.standing is None:
            raise AssertionError("nothing was sent")
        good = body_of(event, self.standing, at)
        self._apply(Step(event, side, {**good, **(body or {})}, at, f"{at:x}"))

    def take(self, step: Step) -> None:
        """Let a ready step have its place."""
        self._apply(step)

    def _apply(self, step: Step) -> None:
        before = self.standing
        self.standing = apply(before, step).standing

        def work(conn: Connection) -> None:
            for side in SIDES:
                self._tell(conn, side, step, before, confirmed=True)

        self.database.transact(work)

    def _tell(
        self, conn: Connection, side: OneSide, step: Step, before: Standing | None,
        *, confirmed: bool,
    ) -> None:  # fmt: skip
        case = case_rows.read_case(conn, self.case_id(side))
        if case is None:
            raise AssertionError("the case was stored")
        after = self.standing if confirmed else before
        changes: dict[str, str | None] = {}
        if after is not None:
            changes["state"] = str(after.state)
        if step.event == "transmit":
            changes["basis"], changes["urgency"] = codes_in(step.body)
        if changes:
            standing_rows.change_standing(conn, case.id, **changes)
        one = Happened(
            case, step.event, step.side, step.body, step.created, step.identity or None,
            ours=step.side == side, confirmed=confirmed, before=before, after=after,
        )  # fmt: skip
        self.timetable(side)(Tx(conn, step.created), one)

    def timetable(self, side: OneSide) -> Timetable:
        """Give the effect of a side's node."""
        authority = REQUESTING if side == "requesting" else REQUESTED
        return Timetable(authority, self.law, self.states.get)

    # --- what is seen ------------------------------------------------------

    def all(self, side: OneSide = "requested") -> list[Clock]:
        """Give all clocks that a side has of the case."""
        return self.database.read(lambda conn: clock_rows.list_clocks(conn, self.case_id(side)))

    def open(self, side: OneSide = "requested") -> dict[str, Clock]:
        """Give the clocks that have not ended, by name."""
        return {one.name: one for one in self.all(side) if one.ended_at is None}

    def clock(self, name: str, side: OneSide = "requested") -> Clock:
        """Give the newest clock of a name."""
        return [one for one in self.all(side) if one.name == name][-1]

    def shared(self, side: OneSide) -> list[tuple[object, ...]]:
        """Give what a side keeps of the clocks that both have: who is waited for by its name."""
        return [
            (one.name, (one.waits_for == "us") is (side == "requesting"), one.rule,
             one.started_at, one.due_at, one.stopped_at, one.ended_at, one.ended_how)
            for one in self.all(side)
            if one.name != DELIVERY
        ]  # fmt: skip
