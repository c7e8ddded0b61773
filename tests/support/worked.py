"""What people do at one node, so that no table of casework is empty: by the desk's own verbs.

    work(node, case)

People are added, one change of them waits, one is away and has keys; drafts are written,
approved and sent; a case on paper runs to its result, with sums; cases are linked and read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from node.access.people import person_of
from node.access.roles import Person
from node.app import Node
from node.desk import act
from node.run import desk_of
from node.storage import mail_rows, people_rows, repeat_rows
from node.storage.writer import Tx
from protocol.encoding import Json
from tests.support.people import ADMIN
from tests.support.requests import good_request

PEER: Final = "qm.justice"
KIND: Final = "MLA_SERVICE"
_HOUR_S: Final = 3_600
_STAFF: Final = {
    "dora": ("drafter", 1201), "carl": ("case-officer", 1202), "ines": ("intake-officer", 1203),
    "april": ("approver", 1204), "omar": ("central-authority-officer", 1205),
}  # fmt: skip
_STEPS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("acknowledge", {"own_ref": "Z/1", "contact": {"name": "-"}, "reply_language": "en"}),
    ("accept", {"scope": "full"}),
    ("assign_execution", {"executing_authority": "withheld"}),
    ("send_final_result", {"outcome": "FULL", "nil": "-", "sums": [
        {"stage": "FROZEN", "currency": "XTS", "amount": "10.00"},
        {"stage": "RETURNED", "currency": "XTS", "amount": "5.00"},
    ]}),
)  # fmt: skip


class Workers:
    """The people of a node, by their logins."""

    def __init__(self, node: Node) -> None:
        """Add them as an administrator does."""
        self.node = node
        for login, (role, uid) in _STAFF.items():
            self.do(ADMIN, "user.add", login=login, roles=[role], uid=uid)

    def do(self, who: str | Person, verb: str, **arguments: Json) -> dict[str, Any]:
        """Run a verb as somebody."""
        person = self.person(who) if isinstance(who, str) else who
        return act(desk_of(self.node), verb, arguments, person=person)

    def person(self, login: str) -> Person:
        """Give one of the people as they are stored."""
        user = self.node.database.read(lambda conn: people_rows.user_of_login(conn, login))
        assert user is not None
        return person_of(user)


def work(node: Node, case: str) -> None:
    """Let people work at a node that has a case with the peer."""
    one = Workers(node)
    _let_in(one)
    draft = _request(one)
    paper = _paper(one)
    one.do("omar", "case.hand_over", case=case, to="carl")
    for login in ("ines", "dora"):
        one.do("carl", "case.let_in", case=case, login=login)
    one.do("carl", "case.let_out", case=case, login="ines")
    one.do("carl", "case.let_in", case=paper, login="ines")
    for relation, other in (("continues", paper), ("related", "elsewhere/7")):
        one.do("carl", "case.link", case=case, relation=relation, other=other)
    one.do("carl", "case.link", case=paper, relation="related", other=draft)
    told = [one.person(login).id or "" for login in ("carl", "omar")]
    node.writer.write_now(lambda tx: _note(tx, told, case))


def _let_in(one: Workers) -> None:
    for url in ("https://one.example/hook", "https://two.example/hook"):
        hook = one.do("omar", "webhook.add", url=url)["webhook"]
    one.do("omar", "webhook.end", webhook=hook)
    one.do(ADMIN, "key.make", login="dora")
    one.do("carl", "key.make", name="desk", days=9)
    one.do("carl", "key.make", name="old", days=9)
    one.do("carl", "key.end", name="old")
    now = one.node.clock.now()
    one.do("omar", "user.mail", login="omar", address="omar@example.org", mailing="daily")
    one.do("omar", "user.away", substitute="april", start=now + _HOUR_S, until=now + 9 * _HOUR_S)
    one.do(ADMIN, "user.change", login="carl", roles=["case-officer", "duty-officer"])


def _request(one: Workers) -> str:
    """Send one draft that was approved, cancel another, and leave a third with its approver."""
    drafts = [
        one.do("dora", "draft.create", to=PEER, kind=KIND, body=good_request(KIND))["draft"]
        for _ in range(3)
    ]
    for name in drafts:
        one.do("dora", "draft.submit", draft=name, version=1)
    one.do("april", "draft.approve", draft=drafts[0], version=1)
    one.do("april", "draft.approve", draft=drafts[1], version=1)
    one.do("dora", "draft.cancel", draft=drafts[2], reasons="-")
    return str(one.do("omar", "draft.send", draft=drafts[0])["case"])


def _paper(one: Workers) -> str:
    case = one.do(
        "carl", "case.register", side="requesting", peer="zz.justice", kind=KIND,
        channel="DIPLOMATIC", name="-", body=good_request(KIND),
    )["case"]  # fmt: skip
    for event, body in _STEPS:
        one.do("carl", "case.record", case=case, event=event, channel="POST", body=body)
    return str(case)


def _note(tx: Tx, told: Sequence[str], case: str) -> None:
    """Let mails and answers be kept, as services beside the node do."""
    for person in told:
        mail_rows.insert_mail(tx.conn, person, "overdue", case, tx.now)
        key = f"key of {person}"
        repeat_rows.note_done(tx.conn, person, key, "ab" * 32, at=tx.now)
        repeat_rows.keep_answer(tx.conn, person, key, 200, b"a sealed answer")
