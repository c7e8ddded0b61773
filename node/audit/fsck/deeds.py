"""What the records of all logs say of people and of the work on cases, gathered.

Only what is needed to compare rows: the last word on each user, key, member, draft, step,
and who is in charge. Knows no row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from node.audit.fsck.records import Record


@dataclass(slots=True)
class ToldUser:
    """A person, as records made them."""

    roles: str = ""
    state: str | None = None
    uid: int | None = None
    asked_by: str | None = None
    asked_at: int = 0
    confirmed_by: str | None = None
    confirmed_at: int | None = None
    matter: str | None = None  # the code of a change that waits
    mailing: str = "now"
    away: tuple[str | None, int | None, int | None] = (None, None, None)


@dataclass(slots=True)
class ToldDraft:
    """A draft, as records made it."""

    created_at: int
    state: str = ""
    version: int = 0
    digest: str = ""
    changed_at: int = 0
    writers: list[str] = field(default_factory=list)
    submitted_by: str | None = None
    approved: tuple[str | None, int | None] = (None, None)
    identity: str | None = None


_STATES = {
    "draft.saved": "DRAFT",
    "draft.submitted": "IN_APPROVAL",
    "draft.returned": "DRAFT",
    "draft.approved": "APPROVED",
    "draft.sent": "SENT",
    "draft.cancelled": "CANCELLED",
}


class Deeds:
    """Gathers what people did, record by record, in their order."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self.users: dict[str, ToldUser] = {}
        self.keys: dict[str, Record] = {}
        self.keys_ended: dict[str, int] = {}
        self.webhooks: dict[str, Record] = {}
        self.webhooks_ended: dict[str, int] = {}
        self.members: dict[tuple[str, str], Record] = {}  # by case and person
        self.officers: dict[str, str] = {}
        self.links: defaultdict[str, list[int]] = defaultdict(list)
        self.registered: dict[str, str] = {}  # by case: our side
        self.steps: dict[str, Record] = {}
        self.drafts: dict[str, ToldDraft] = {}
        self._takes: dict[str, Callable[[Record], None]] = {
            "user.asked": self._asked,
            "user.changed": self._changed,
            "user.reached": self._reached,
            "user.away": self._away,
            "access-key.made": lambda one: self.keys.update({one["key"]: one}),
            "access-key.ended": lambda one: self.keys_ended.update({one["key"]: one["at"]}),
            "webhook.made": lambda one: self.webhooks.update({one["webhook"]: one}),
            "webhook.ended": lambda one: self.webhooks_ended.update({one["webhook"]: one["at"]}),
            "case.let-in": lambda one: self.members.update({(one["case"], one["person"]): one}),
            "case.let-out": lambda one: self._let_out(one["case"], one["person"]),
            "case.handed-over": lambda one: self.officers.update({one["case"]: one["to"]}),
            "case.linked": lambda one: self.links[one["case"]].append(one["at"]),
            "case.registered": lambda one: self.registered.update({one["case"]: one["side"]}),
            "case.step-recorded": lambda one: self.steps.update({one["step"]: one}),
            **dict.fromkeys(_STATES, self._draft),
        }

    def take(self, record: Record) -> None:
        """Take a record, whatever it is about."""
        take = self._takes.get(record["kind"])
        if take is not None:
            take(record)

    def _user(self, record: Record) -> ToldUser:
        return self.users.setdefault(record["person"], ToldUser(asked_at=record["at"]))

    def _asked(self, record: Record) -> None:
        user = self._user(record)
        if user.state in {None, "ended"} and record["state"] == "active":
            user.state = "asked"
        user.asked_by, user.asked_at, user.matter = record["by"], record["at"], record["matter"]

    def _changed(self, record: Record) -> None:
        user = self._user(record)
        user.roles, user.state, user.uid = record["roles"], record["state"], record["uid"]
        user.asked_by, user.matter = record["asked"], None
        user.confirmed_by, user.confirmed_at = record["by"], record["at"]
        if user.state == "ended":
            user.away = (None, *user.away[1:])

    def _reached(self, record: Record) -> None:
        self._user(record).mailing = record["mailing"]

    def _away(self, record: Record) -> None:
        away = record["substitute"], record["away_from"], record["away_until"]
        self._user(record).away = away

    def _let_out(self, case: str, person: str) -> None:
        self.members.pop((case, person), None)

    def _draft(self, record: Record) -> None:
        kind, by, at = record["kind"], record["by"], record["at"]
        draft = self.drafts.setdefault(record["draft"], ToldDraft(at))
        draft.state, draft.changed_at = _STATES[kind], at
        draft.version, draft.digest = record["version"], record["digest"]
        if kind == "draft.saved":
            if by is not None and by not in draft.writers:
                draft.writers.append(by)
            draft.submitted_by, draft.approved = None, (None, None)
        elif kind == "draft.submitted":
            draft.submitted_by = by
        elif kind == "draft.returned":
            draft.submitted_by = None
        elif kind == "draft.approved":
            draft.approved = by, at
        elif kind == "draft.sent":
            draft.identity = record["identity"]
