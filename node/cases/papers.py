"""Cases that do not travel over the network: with an authority without a node, or on paper.

    case = papers.register(tx, Outside("requesting", "zz.justice", "MLA_SERVICE"), first)
    papers.record(tx, case.id, PaperStep("acknowledge", at, "DIPLOMATIC", body))
    papers.join(tx, case.id, wire)            # the authority has a node now

They stand in the same register and move by the same life cycle; clocks, lists and statistics
hear of each step as of any other. What a step said is sealed under the case's key. Nothing
proves such a step but our own word: each says by which channel it came and who recorded it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from node.audit.casework_records import CaseRegistered, StepRecorded
from node.cases.draft_text import SALT_BYTES
from node.cases.faults import CaseFault
from node.cases.keeping import Keeping, put_in_charge
from node.cases.register import NotNow, Register
from node.storage import Connection, case_rows, paper_rows, standing_rows
from node.storage.case_rows import Case
from node.storage.paper_rows import StoredStep
from node.storage.vault import Vault
from node.storage.writer import Tx
from protocol.digest import sha256_hex
from protocol.encoding import Fields, Json, canonical, decode, to_base64
from protocol.errors import Malformed
from protocol.lifecycle import EVENTS, Step, moves
from protocol.limits import MESSAGE_TEXT_BYTES_MAX

OneSide = Literal["requesting", "requested"]

_ID_BYTES: Final = 16
_BEGINS: Final = "transmit"
_AHEAD_S_MAX: Final = 86_400  # a letter may be dated tomorrow where it was written
_BODY_BYTES_MAX: Final = MESSAGE_TEXT_BYTES_MAX + 4_096
_ON_PAPER: Final[list[Json]] = [
    {"name": "first signature on paper", "role": "-"},
    {"name": "second signature on paper", "role": "-"},
]


@dataclass(frozen=True, slots=True)
class Outside:
    """A case that is to be registered: on which side we are, with whom, and of what kind."""

    side: OneSide
    peer: str
    kind: str


@dataclass(frozen=True, slots=True)
class PaperStep:
    """One step as it came or went: what, when (Unix seconds), by which channel.

    `side` is needed only for steps that either side can make.
    """

    event: str
    at: int
    channel: str
    body: Mapping[str, Json] = field(repr=False)
    side: OneSide | None = None


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A recorded step with its text open."""

    stored: StoredStep
    body: Mapping[str, Json] = field(repr=False)

    @property
    def step(self) -> Step:
        """The step as the life cycle sees it."""
        side: OneSide = "requesting" if self.stored.side == "requesting" else "requested"
        return Step(self.stored.event, side, self.body, self.stored.at, "")


class Papers:
    """The cases of one authority that came on paper."""

    def __init__(
        self, office_id: str, keeping: Keeping, vault: Vault, random: Callable[[int], bytes]
    ) -> None:
        """Keep them for the authority `office_id`, beside those of the network."""
        self._authority = office_id
        self._keeping = keeping
        self._vault = vault
        self._random = random

    @property
    def _register(self) -> Register:
        return self._keeping.register

    def register(self, tx: Tx, outside: Outside, first: PaperStep) -> tuple[Case, OpenStep]:
        """Put a case into the register, with the request as its first step."""
        if outside.peer == self._authority:
            raise CaseFault("The other authority is this one itself: name the other.")
        case = self._open(tx, outside)
        return case, self.record(tx, case.id, replace(first, event=_BEGINS))

    def _open(self, tx: Tx, outside: Outside) -> Case:
        case_id = f"{self._authority}/{self._random(_ID_BYTES).hex()}"
        case = Case(
            id=case_id, side=outside.side, peer=outside.peer, request_kind=outside.kind,
            state="SENT", opened_at=tx.now, changed_at=tx.now,
            log_id=self._random(_ID_BYTES).hex(), wrapped_key=self._vault.new_key(case_id),
        )  # fmt: skip
        case_rows.insert_case(tx.conn, case)
        self._register.standings.open(tx, case, on_wire=False)
        network = self._keeping.network
        tx.record(CaseRegistered(network, tx.now, case.log_id, outside.side, by=tx.by))
        put_in_charge(tx, self._keeping.network, case, tx.by)
        return case

    def record(self, tx: Tx, name: str, given: PaperStep) -> OpenStep:
        """Record a step that the life cycle allows now; else raises `NotNow`."""
        case = self._register.find(tx.conn, name, lock=True, readable=True)
        self._require_paper(tx.conn, case)
        if given.event not in EVENTS or given.at > tx.now + _AHEAD_S_MAX:
            raise Malformed("a step has the name of an event, and a time that has come")
        side = self._side(given)
        body = self._whole(case, given, side)
        self._require_possible(tx.conn, case, Step(given.event, side, body, given.at, ""))
        place = paper_rows.last_place(tx.conn, case.id) + 1
        made = self._random(_ID_BYTES).hex()
        raw = canonical({
            "body": dict(body), "event": given.event, "side": side, "at": given.at,
            "place": place, "peer": case.peer, "salt": to_base64(self._random(SALT_BYTES)),
        })  # fmt: skip
        stored = StoredStep(
            made, case.id, place, given.event, side, given.channel, given.at, tx.now, tx.by,
            self._vault.seal(case.id, case.wrapped_key, _name(made), raw),
        )  # fmt: skip
        paper_rows.insert_step(tx.conn, stored)
        case_rows.change_case(tx.conn, case.id, changed_at=tx.now)
        record = StepRecorded(
            self._keeping.network, tx.now, case.log_id, made, sha256_hex(raw), by=tx.by
        )
        tx.record(record)
        opened = OpenStep(stored, body)
        self._register.standings.recorded(tx, case, opened.step, place, ours=side == case.side)
        return opened

    def steps(self, conn: Connection, case: Case) -> list[OpenStep]:
        """Read the steps of a case that came on paper, in the order they were recorded."""
        return [self._opened(case, one) for one in paper_rows.list_steps(conn, case.id)]

    def join(self, tx: Tx, paper: str, wire: str) -> tuple[Case, Case]:
        """Say that a case goes on over the network as another; its references go along."""
        old = self._register.find(tx.conn, paper, lock=True)
        self._require_paper(tx.conn, old)
        new = self._register.find(tx.conn, wire, lock=True)
        if not self._keeping.join(tx, old, new):
            raise CaseFault(
                "A case on paper is joined with one that runs over the network and in which we "
                "are on the same side; `comity case list` shows which those are."
            )
        return old, new

    # --- what a step is ------------------------------------------------------

    @staticmethod
    def _side(given: PaperStep) -> OneSide:
        if given.event == _BEGINS:
            return "requesting"
        side = EVENTS[given.event].side
        if side == "requesting" or side == "requested":  # noqa: PLR1714  (mypy narrows by these)
            return side
        if given.side is None:
            raise Malformed("either side can make this step: say which, as side")
        return given.side

    @staticmethod
    def _whole(case: Case, given: PaperStep, side: OneSide) -> Mapping[str, Json]:
        """Give the body with what paper says by being there: channel, kind, signatures."""
        body: dict[str, Json] = {**given.body, "channel": given.channel}
        if given.event == _BEGINS:
            body["request_kind"] = case.request_kind
        if "signatories" in EVENTS[given.event].fields and side != case.side:
            body.setdefault("signatories", _ON_PAPER)
        return body

    def _require_paper(self, conn: Connection, case: Case) -> None:
        standing = standing_rows.read_standing(conn, case.id)
        if standing is None or standing.on_wire:
            raise CaseFault(
                "This case runs over the network, where steps are messages: "
                "`comity case EVENT CASE` makes one."
            )

    def _require_possible(self, conn: Connection, case: Case, step: Step) -> None:
        judged = self._register.standings.judge(conn, case, step)
        if judged.rule is None:
            now = self._register.standings.now(conn, case)
            sides: tuple[OneSide, ...] = ("requesting", "requested")
            possible = sorted({one.event for side in sides for one in moves(now, side)})
            raise NotNow(step.event, judged.why or "not-allowed-now", possible)

    def _opened(self, case: Case, stored: StoredStep) -> OpenStep:
        raw = self._vault.open(case.id, case.wrapped_key, _name(stored.id), stored.sealed_body)
        fields = Fields(decode(raw, bytes_max=_BODY_BYTES_MAX), "step")
        return OpenStep(stored, fields.object("body"))


def _name(step: str) -> str:
    return f"paper:{step}"
