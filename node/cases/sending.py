"""How what was written becomes a message: who signs for it, and when two persons must.

    posted = sending.send(tx, officer, draft_id)              # an approved request
    said = sending.say(tx, by, case, "acknowledge", text)      # an event; or its draft, if it
                                                               # takes a second person

The law's data says of each kind of request whether a second person comes before it is sent,
within a day after (a duty officer alone, in urgent matters), or not at all. The names and
roles of those who answer for it are put into the message by the node, never typed. Who acts
in a case can read it from then on. What may be said when is the life cycle's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from node.access.roles import Person, Role
from node.cases.checks import Checks
from node.cases.drafts import TRANSMIT, Draft, Drafts, Target, Text, whole_body
from node.cases.faults import Incomplete, NeedsAnother, NotYours, WrongState
from node.cases.history import bodies
from node.cases.keeping import keep_reading, put_in_charge
from node.cases.law import Kind
from node.cases.register import Register
from node.outbox import Posted
from node.storage import case_rows, person_rows, standing_rows
from node.storage.writer import Tx
from protocol.encoding import Json
from protocol.errors import Malformed
from protocol.lifecycle import EVENTS, State
from protocol.lifecycle_guards import signatory_names

SECOND_PERSON_S: Final = 86_400
_PROTECTED: Final = "protected_identity"
_NOTHING_SENT: Final = "Nothing was sent, and what you gave is where you have it."


@dataclass(frozen=True, slots=True)
class Signatory:
    """One person who answers for a message, and in which role."""

    person: str
    role: str


class Sending:
    """Sends for one authority what its people may send."""

    def __init__(self, drafts: Drafts, register: Register, checks: Checks) -> None:
        """Send drafts of `drafts`, and what needs none, through `register`."""
        self._network = drafts.network
        self._drafts = drafts
        self._register = register
        self._checks = checks

    # --- requests ------------------------------------------------------------

    def send(self, tx: Tx, by: Person, name: str) -> Posted:
        """Send an approved draft; a duty officer alone one of a kind that allows it."""
        draft = self._drafts.find(tx.conn, name, lock=True)
        stored = draft.stored
        if not draft.is_request:
            raise WrongState("An event of a case is posted by its approval, not sent.")
        kind = self._kind(stored.request_kind or "")
        body, signing = dict(draft.written.body), _signing(draft, tx.by or "")
        if stored.state != State.APPROVED:
            _require_duty(stored.state, kind, by)
            signing = [Signatory(tx.by or "", Role.DUTY_OFFICER)]
            body["second_person_due"] = tx.now + SECOND_PERSON_S
        elif not by.holds(frozenset({Role.OFFICER})):
            raise NotYours(
                "An approved request is sent by a person with the role central-authority-officer."
            )
        self._drafts.require_complete(tx, draft)
        body["signatories"] = _named(tx, signing)
        posted = self._register.send_request(
            tx, to=stored.peer, request_kind=kind.code, body=body,
            manifest=draft.written.manifest,
        )  # fmt: skip
        self._drafts.sent(tx, draft, posted.case, posted.identity)
        first, *others = dict.fromkeys([*stored.writers.split(), *(one.person for one in signing)])
        self._take_charge(tx, posted.case, first, others)
        return posted

    def send_at_once(self, tx: Tx, by: Person, target: Target, text: Text) -> Posted:
        """Send a request of a kind that takes no second person before it."""
        kind = self._kind(target.kind or "")
        body = dict(text.body)
        if kind.second_person == "within-24h" and by.holds(frozenset({Role.DUTY_OFFICER})):
            body["second_person_due"] = tx.now + SECOND_PERSON_S
        elif kind.second_person != "none":
            raise NeedsAnother(
                f"A request of the kind {kind.code} is seen by a second person before it is "
                f"sent: begin with `comity draft new --to {target.to} --kind {kind.code}`."
            )
        report = self._checks.request(target.to, kind.code, whole_body(body, text.manifest), tx.now)
        if not report.may_be_sent:
            raise Incomplete(report, _NOTHING_SENT)
        body["signatories"] = _named(tx, [Signatory(tx.by or "", _role(by))])
        posted = self._register.send_request(
            tx, to=target.to, request_kind=kind.code, body=body, manifest=text.manifest
        )
        self._take_charge(tx, posted.case, tx.by or "", ())
        return posted

    # --- events --------------------------------------------------------------

    def say(self, tx: Tx, by: Person, case: str, event: str, text: Text) -> Posted | Draft:
        """Post an event in a case, or propose it where a second person must agree first."""
        found = self._register.find(tx.conn, case, lock=True, readable=True)
        _require_wire(tx, found.id)
        if EVENTS[event].two_persons:
            return self._propose(tx, by, found.id, event=event, text=text)
        body = dict(text.body)
        if event == "countersign":
            body["signatories"] = _named(tx, [Signatory(tx.by or "", _role(by))])
            self._require_second(tx, found.id, body)
        self._require_complete(tx, found.id, event, whole_body(body, text.manifest))
        posted = self._register.make_move(
            tx, found.id, event=event, body=body, manifest=text.manifest
        )
        level = "protected" if event == _PROTECTED else "reader"
        keep_reading(tx, self._network, found.id, tx.by or "", level)
        return posted

    def approve(
        self, tx: Tx, by: Person, name: str, *, version: int
    ) -> tuple[Draft, Posted | None]:
        """Approve a draft as its second person; what it says in a case is posted by that."""
        draft = self._drafts.approve(tx, by, name, version=version)
        if draft.is_request:
            return draft, None
        stored = draft.stored
        signing = _signing(draft, tx.by or "")
        body = {**draft.written.body, "signatories": _named(tx, signing)}
        posted = self._register.make_move(
            tx, stored.case_id or "", event=stored.event, body=body,
            manifest=draft.written.manifest,
        )  # fmt: skip
        for one in signing:
            keep_reading(tx, self._network, posted.case, one.person)
        return self._drafts.sent(tx, draft, posted.case, posted.identity), posted

    def _propose(self, tx: Tx, by: Person, case: str, *, event: str, text: Text) -> Draft:
        """Make a draft of an event that takes two persons, given to the second at once."""
        found = case_rows.read_case(tx.conn, case)
        if found is None:
            raise Malformed("a case that has just gone")
        two: list[Json] = [{"name": "-", "role": "-"}, {"name": "--", "role": "-"}]
        trial = {**whole_body(text.body, text.manifest), "signatories": two}
        self._require_complete(tx, case, event, trial)
        self._register.check_move(tx.conn, found, event=event, body=trial, now=tx.now)
        target = Target(found.peer, event, found.request_kind, case)
        draft = self._drafts.create(tx, target, text)
        keep_reading(tx, self._network, case, tx.by or "")
        return self._drafts.submit(tx, by, draft.id, version=1)

    def _require_complete(self, tx: Tx, case: str, event: str, body: Mapping[str, Json]) -> None:
        """Raise with all that the law misses; the life cycle alone would say less of why."""
        report = self._checks.event(self._register.show(tx.conn, case), event, body, tx.now)
        if not report.may_be_sent:
            raise Incomplete(report, _NOTHING_SENT)

    def _require_second(self, tx: Tx, case: str, body: Mapping[str, Json]) -> None:
        """Raise if who countersigns is the one who has signed, under whatever role."""
        first = bodies(self._register.show(tx.conn, case), TRANSMIT)[:1]
        if any(signatory_names(one) & signatory_names(body) for one in first):
            raise NeedsAnother(
                "You signed this request yourself: the second signature is another person's."
            )

    # --- people --------------------------------------------------------------

    def _kind(self, code: str) -> Kind:
        kind = self._checks.kind(code)
        if kind is None:
            raise Malformed("no kind of request is called that: `comity law kinds` lists them")
        return kind

    def _take_charge(self, tx: Tx, case: str, officer: str, others: Sequence[str]) -> None:
        """Put who wrote a request in charge of its case, and let in who answers for it."""
        opened = self._register.find(tx.conn, case)
        put_in_charge(tx, self._network, opened, officer or None)
        for one in others:
            keep_reading(tx, self._network, case, one)


def _require_wire(tx: Tx, case: str) -> None:
    """Raise for a case on paper, in which no message can be sent."""
    standing = standing_rows.read_standing(tx.conn, case)
    if standing is not None and not standing.on_wire:
        raise WrongState(
            "This case is kept on paper, where steps are recorded: `comity case record CASE "
            "EVENT --channel …` does it, and `comity case join` names the case that goes on "
            "over the network."
        )


def _require_duty(state: str, kind: Kind, by: Person) -> None:
    """Raise unless this is a draft that a duty officer may send alone."""
    alone = kind.second_person == "within-24h" and state == State.DRAFT
    if not alone:
        raise WrongState(
            f"A draft that is {state} is not sent yet: it is submitted, and approved by a "
            "second person, first."
        )
    if not by.holds(frozenset({Role.DUTY_OFFICER})):
        raise NotYours(
            "Only a duty officer sends this before a second person has seen it: submit it with "
            "`comity draft submit`."
        )


def _signing(draft: Draft, sender: str) -> list[Signatory]:
    """Say who answers for an approved draft: two different persons, the sender among them."""
    stored = draft.stored
    if not draft.is_request:
        role = EVENTS[stored.event].role
        return [Signatory(stored.submitted_by or "", role), Signatory(sender, Role.APPROVER)]
    approver = Signatory(stored.approved_by or "", Role.APPROVER)
    if sender != approver.person:
        return [approver, Signatory(sender, Role.OFFICER)]
    return [Signatory(stored.submitted_by or "", Role.DRAFTER), approver]


def _role(by: Person) -> str:
    """Name the role in which somebody acts who may act alone."""
    order = (Role.DUTY_OFFICER, Role.APPROVER, Role.OFFICER, Role.CASE_OFFICER)
    held = (str(one) for one in order if one in by.roles)
    return next(held, min(by.roles, default=""))


def _named(tx: Tx, signing: Sequence[Signatory]) -> list[Json]:
    """Give signatories as a message names them."""
    names: Mapping[str, str] = person_rows.person_names(tx.conn)
    return [{"name": names.get(one.person, one.person), "role": one.role} for one in signing]
