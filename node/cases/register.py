"""The register of cases: opening one, adding to it, receiving into it, and reading it.

Verbs here take and give typed messages and never see an envelope. A case is what
both sides hold of one request; where it stands follows from messages and receipts alone.
What comes in is not judged: what is not understood, or not allowed now, is kept and shown
and changes nothing. What goes out by `make_move` has an effect, or is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from node.audit.casework_records import CaseAbandoned, CaseSentAgain
from node.audit.records import EvidenceListed
from node.cases.evidence_in_body import manifest_in, with_manifest
from node.cases.standings import OPENS, Standings
from node.evidence.manifest import Manifest
from node.office import Office
from node.outbox import Draft, Outbox, Posted
from node.storage import Connection, case_rows, standing_rows
from node.storage.case_rows import Case, StoredMessage
from node.storage.vault import Vault
from node.storage.writer import Tx
from protocol.encoding import Json
from protocol.errors import Malformed, Rejected
from protocol.lifecycle import Rule, Step, hindrances, moves, owed
from protocol.lifecycle_words import GUARD_WORDS
from protocol.messages import (
    KIND,
    AuthenticMessage,
    Message,
    Side,
    decode_inner,
    decode_message_text,
)

_CASE_ID_BYTES: Final = 16
_DERIVED_AT_ONCE: Final = 256
_ABANDONED: Final = "The request was abandoned before it arrived."
_UNKNOWN_KIND: Final = "UNKNOWN"


class CaseNotFound(Exception):
    """No case here has this id, or several begin like it, or it was erased."""


class NotNow(Exception):
    """The life cycle does not allow this step as the case stands; `why` is its code."""

    def __init__(self, event: str, why: str, possible: Sequence[str]) -> None:
        """Say which step, why not, and which are possible."""
        told = ", ".join(possible) or "none; the other side moves next"
        guard = GUARD_WORDS.get(why.removeprefix("guard:"))
        asked = f"it asks for this: {guard}" if guard else f"the case does not stand there ({why})"
        super().__init__(f"{event} has no effect now, for {asked}. Possible now: {told}")
        self.why = why


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """One message of a case as its signed text says, and how it stands."""

    stored: StoredMessage
    message: Message = field(repr=False)
    inner: bytes = field(repr=False)

    @property
    def manifest(self) -> Manifest | None:
        """The manifest it carries; None if there is none or it is not in its form."""
        try:
            return manifest_in(self.message.body)
        except Rejected:
            return None


@dataclass(frozen=True, slots=True)
class ShownCase:
    """A case with all its messages, and those that claim a place already taken."""

    case: Case
    messages: tuple[ShownMessage, ...]
    contested: tuple[tuple[str, int, str], ...]


class Register:
    """The cases of one authority."""

    def __init__(
        self, office: Office, vault: Vault, outbox: Outbox, standings: Standings,
        random: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        """Keep the cases of `office`, posting through `outbox`."""
        self._office = office
        self._vault = vault
        self.vault = vault  # for what keeps sealed rows of its own beside cases
        self._outbox = outbox
        self.standings = standings
        self._random = random

    def send_request(
        self, tx: Tx, *, to: str, request_kind: str, body: Mapping[str, Json],
        manifest: Manifest | None = None,
    ) -> Posted:  # fmt: skip
        """Open a case with another authority and post the request in it (SPEC 4)."""
        case_id = f"{self._office.authority}/{self._random(_CASE_ID_BYTES).hex()}"
        case = self.open_case(tx, case_id, peer=to, side="requesting", request_kind=request_kind)
        return self._post(tx, case, OPENS, {**body, "request_kind": request_kind}, manifest)

    def add_event(
        self, tx: Tx, case: str, *, kind: str, body: Mapping[str, Json],
        manifest: Manifest | None = None,
    ) -> Posted:  # fmt: skip
        """Post an event in a case that is here, from whichever side we are, effect or not."""
        if KIND.fullmatch(kind) is None or kind == OPENS:
            raise Malformed("not the name of an event")
        return self._post(
            tx, self.find(tx.conn, case, lock=True, readable=True), kind, body, manifest
        )

    def make_move(
        self, tx: Tx, name: str, *, event: str, body: Mapping[str, Json],
        manifest: Manifest | None = None,
    ) -> Posted:  # fmt: skip
        """Post an event that has an effect now, or is allowed now; else raises `NotNow`."""
        case = self.find(tx.conn, name, lock=True, readable=True)
        whole = body if manifest is None else with_manifest(body, manifest)
        self.check_move(tx.conn, case, event=event, body=whole, now=tx.now)
        return self._post(tx, case, event, body, manifest)

    def check_move(
        self, conn: Connection, case: Case, *, event: str, body: Mapping[str, Json], now: int
    ) -> None:
        """Raise `NotNow` if our step would have no effect as the case stands."""
        judged = self.standings.judge(conn, case, Step(event, side_of(case), body, now, ""))
        if judged.rule is None:
            possible = sorted({one.event for one in self.moves(conn, case, now)})
            raise NotNow(event, judged.why or "not-allowed-now", possible)

    def moves(self, conn: Connection, case: Case, now: int) -> tuple[Rule, ...]:
        """Give what our side may do now; what a body must hold is left aside."""
        standing = self.standings.now(conn, case)
        return tuple(
            rule for rule in moves(standing, side_of(case))
            if standing is None or not hindrances(standing, rule, now=now)
        )  # fmt: skip

    def _post(
        self, tx: Tx, case: Case, kind: str, body: Mapping[str, Json], manifest: Manifest | None
    ) -> Posted:
        whole = body if manifest is None else with_manifest(body, manifest)
        posted = self._outbox.post(tx, case, Draft(kind, whole))
        self.standings.posted(tx, case, posted.signed)
        if manifest is not None:
            self._list_evidence(tx, posted.identity, manifest)
        return posted

    def _list_evidence(self, tx: Tx, identity: str, manifest: Manifest) -> None:
        digest, items = manifest.digest, len(manifest.items)
        tx.record(EvidenceListed(self._office.network, tx.now, identity, digest, items))

    def open_case(self, tx: Tx, case_id: str, *, peer: str, side: str, request_kind: str) -> Case:
        """Store a new case, with a key of its own and a random name for the log."""
        case = Case(
            id=case_id,
            side=side,
            peer=peer,
            request_kind=request_kind,
            state="SENT",
            opened_at=tx.now,
            changed_at=tx.now,
            log_id=self._random(_CASE_ID_BYTES).hex(),
            wrapped_key=self._vault.new_key(case_id),
        )
        case_rows.insert_case(tx.conn, case)
        self.standings.open(tx, case)
        return case

    def receive(self, tx: Tx, case: Case, received: AuthenticMessage, order: int | None) -> None:
        """Let an accepted message take effect in its case, at its place in the order.

        No message stops here: a body that is not understood is kept and shown (SPEC 4).
        """
        self.standings.received(tx, case, received, order)
        self.list_evidence(tx, received)
        self.pay(tx, case.id)

    def pay(self, tx: Tx, case_id: str) -> bool:
        """Post what the node itself owes in a case now; False if that is nothing.

        That a measure has ended, or that a withdrawal came after the result: nobody decides
        these (SPEC 16). What cannot be sent now stays owed, and is tried again.
        """
        case = case_rows.read_case(tx.conn, case_id, lock=True)
        if case is None or not case.wrapped_key:
            return False
        event = owed(self.standings.now(tx.conn, case), side_of(case), now=tx.now)
        if event is None:
            return False
        try:
            self._post(tx, case, event, {}, None)
        except Rejected:  # the peer is not permitted now, or its key not known: it stays owed
            return False
        return True

    def settled(self, tx: Tx, case: Case, stored: StoredMessage, was: str) -> None:
        """Let what came of a message of ours take effect; `was` is how it stood before.

        A request that arrives after it was abandoned is withdrawn at once (SPEC 16).
        """
        if self.standings.settled(tx, case, stored, was):
            late = case_rows.read_case(tx.conn, case.id, lock=True) or case
            self._post(tx, late, "withdraw", {"reasons": _ABANDONED}, None)

    def send_again(self, tx: Tx, name: str) -> Case:
        """Give a request that did not arrive in time new time; it still waits in its queue."""
        case = self.find(tx.conn, name, lock=True, readable=True)
        waits = standing_rows.pending_messages(tx.conn, case.id)
        if not any(one.kind == OPENS for one in waits):
            raise NotNow("resend", "expired", ["a new request that supersedes this one"])
        if not self.standings.send_again(tx, case):
            raise self._not_here(tx, case, "resend")
        tx.record(CaseSentAgain(self._office.network, tx.now, case.log_id, by=tx.by))
        return case

    def abandon(self, tx: Tx, name: str) -> Case:
        """Close a case of which nothing ever arrived; if it does, it is withdrawn at once."""
        case = self.find(tx.conn, name, lock=True, readable=True)
        if not self.standings.abandon(tx, case):
            raise self._not_here(tx, case, "abandon_undelivered")
        tx.record(CaseAbandoned(self._office.network, tx.now, case.log_id, by=tx.by))
        return case

    def _not_here(self, tx: Tx, case: Case, event: str) -> NotNow:
        possible = sorted({one.event for one in self.moves(tx.conn, case, tx.now)})
        return NotNow(event, "not-allowed-now", possible)

    def list_evidence(self, tx: Tx, received: AuthenticMessage) -> None:
        """Record the evidence that a message of the other side lists, if it lists any."""
        try:
            manifest = manifest_in(received.message.body)
        except Rejected:
            manifest = None
        if manifest is not None:
            self._list_evidence(tx, received.identity, manifest)

    def derive_missing(self, tx: Tx) -> int:
        """Derive where some cases stand of which nothing is kept; gives how many there were."""
        missing = standing_rows.cases_without(tx.conn, _DERIVED_AT_ONCE)
        for case in case_rows.lock_cases(tx.conn, missing).values():
            self.standings.derive(tx, case)
        return len(missing)

    def find(
        self, conn: Connection, name: str, *, lock: bool = False, readable: bool = False
    ) -> Case:
        """Find a case by its id, or by how it or its random half begins.

        A case that was erased has no key: it is found, but not where it must be `readable`.
        """
        found = case_rows.find_cases(conn, name)
        if len(found) != 1:
            why = "no case is called that" if not found else "several cases begin like that"
            raise CaseNotFound(f"{why}; `comity case list` shows their ids")
        case = case_rows.read_case(conn, found[0], lock=lock)
        if case is None:
            raise CaseNotFound("the case has just gone")
        if readable and not case.wrapped_key:
            raise CaseNotFound(
                "this case was erased, and its texts are gone for good; "
                "`comity audit search --case` shows what happened in it"
            )
        return case

    def show(self, conn: Connection, name: str) -> ShownCase:
        """Read a case with its messages, from their signed bytes and not from the copies."""
        case = self.find(conn, name, readable=True)
        shown = tuple(
            self.open_message(case, one) for one in case_rows.list_messages(conn, case.id)
        )
        return ShownCase(case, shown, tuple(case_rows.list_contested(conn, case.id)))

    def open_message(self, case: Case, stored: StoredMessage) -> ShownMessage:
        """Open a stored message; raises `NotAuthentic` if the row was altered."""
        inner = self._vault.open(case.id, case.wrapped_key, stored.identity, stored.sealed_text)
        message = decode_message_text(decode_inner(inner).text)
        return ShownMessage(replace(stored, kind=message.kind, seq=message.seq), message, inner)


def side_of(case: Case) -> Side:
    """Give the side that we are on in a case."""
    return "requesting" if case.side == "requesting" else "requested"


def request_kind_of(message: Message) -> str:
    """Give the kind of request that a message names, for lists; never a reason to refuse."""
    kind = message.body.get("request_kind")
    known = isinstance(kind, str) and KIND.fullmatch(kind.lower()) is not None
    return kind if known and isinstance(kind, str) else _UNKNOWN_KIND
