"""The role matrix: every verb, tried by every role, with a case of one's own and with others.

The table is the whole answer to "who may do what here", and it is what is wanted, not what the
code happens to do: a verb that stands not in it fails. The columns are the roles of
`tests.node.access.matrix.COLUMNS`: d drafter, a approver, o central-authority officer, i intake,
c case, e decision, x executing officer, q evidence custodian, u duty officer, t auditor, n node
administrator. Groups of columns: the case this person is in charge of (the auditor was let into
it, and a forged row lets in the administrator); one that came in and nobody is in charge of; one
that somebody else is in charge of. For drafts: their own, and somebody else's. Verbs that name
neither have one group.

    +  may            -  not in this role
    .  is told that there is no such case      x  may know that there is, and no more
"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Final

from node.access.roles import Person, Role
from node.desk import VERBS, Live, act
from node.faults import EXPECTED, describe
from node.run import desk_of
from node.storage import member_rows, standing_rows
from node.storage.member_rows import Member
from node.storage.writer import Tx
from protocol.encoding import Json
from tests.node.access.matrix import COLUMNS, HEAD, rows
from tests.support.pair import FIJI, QUMRAN, Pair
from tests.support.people import ADMIN, ANNA, somebody
from tests.support.verbs import arguments_for

TABLE: Final = """
verb                                 own         new         foreign
                                     daoicexqutn daoicexqutn daoicexqutn
audit.erase                          ----------+
audit.forks                          +++++++++++
audit.monitor                        ---------++
audit.timestamp                      ----------+
audit.token.end                      ----------+
audit.token.list                     ---------++
audit.token.make                     ----------+
case.abandon_undelivered             -+--------- -.--------- -.---------
case.accept                          -----+----- -----+----- -----.-----
case.accept_restrictions             -+--------- -.--------- -.---------
case.acknowledge                     ---+----+-- ---+----+-- ---.----.--
case.answer                          ----+------ ----.------ ----.------
case.assign_execution                ----+------ ----.------ ----.------
case.bundle                          ++++++++++- ..x+.+..+x- ..x......x-
case.cannot_comply                   -----+----- -----+----- -----.-----
case.clarification_answered          ----+------ ----.------ ----.------
case.clarification_opened            ----+------ ----.------ ----.------
case.close                           --+-------- --x-------- --x--------
case.confidentiality_cannot_be_kept  -----+----- -----+----- -----.-----
case.confirm_result                  -------+--- -------.--- -------.---
case.confirm_withdrawal              ----+------ ----.------ ----.------
case.consultation_expired            -----+----- -----+----- -----.-----
case.consultation_opened             -----+----- -----+----- -----.-----
case.consultation_replied            -+--------- -.--------- -.---------
case.convert_measure                 -----+----- -----+----- -----.-----
case.countersign                     -+--------- -.--------- -.---------
case.decline                         -----+----- -----+----- -----.-----
case.delay_notice                    ----+------ ----.------ ----.------
case.dispute_result                  -------+--- -------.--- -------.---
case.erase                           --+-------- --x-------- --x--------
case.exculpatory_disclosure_notice   -+--------- -.--------- -.---------
case.extend_measure                  ------+---- ------.---- ------.----
case.extension_requested             --+-----+-- --x-----+-- --x-----.--
case.feedback                        +++++++++-- ..x+.+..+-- ..x......--
case.hand_over                       +++++++++-- ..++.+..+-- ..+......--
case.handler_changed                 ----+------ ----.------ ----.------
case.identity                        xxxxxxxxx-- ..xx.x..x-- ..x......--
case.impose_measure                  ------+---- ------.---- ------.----
case.incident_notice                 +++++++++-- ..x+.+..+-- ..x......--
case.intent_to_lift                  -----+----- -----+----- -----.-----
case.join                            --+++---+-- --x+.---+-- --x..---.--
case.language_waiver                 +++++++++-- ..x+.+..+-- ..x......--
case.let_in                          +++++++++-- ..x+.+..+-- ..x......--
case.let_out                         +++++++++-- ..x+.+..+-- ..x......--
case.lift_measure                    -----+----- -----+----- -----.-----
case.link                            +++++++++-- ..x+.+..+-- ..x......--
case.list                            ++++++++++-
case.manifests                       ++++++++++- ..x+.+..+x- ..x......x-
case.narrow_scope                    --+-------- --x-------- --x--------
case.not_available                   ----+------ ----.------ ----.------
case.note                            +++++++++-- ..x+.+..+-- ..x......--
case.open_consultation               -----+----- -----+----- -----.-----
case.postpone                        -----+----- -----+----- -----.-----
case.print                           ++++++++++- ..x+.+..+x- ..x......x-
case.proofs                          ++++++++++- ..++.+..++- ..+......+-
case.protected_identity              --+-------- --x-------- --x--------
case.provide_information             --+-----+-- --x-----+-- --x-----.--
case.reasons_to_continue             --+-------- --x-------- --x--------
case.receipts                        ++++++++++- ..x+.+..+x- ..x......x-
case.record                          -++++++++-- -.x+.+..+-- -.x......--
case.refer                           +++++++++-- ..x+.+..+-- ..x......--
case.refuse                          -----+----- -----+----- -----.-----
case.refuse_remainder                -----+----- -----+----- -----.-----
case.register                        --+++---+--
case.release                         --+-------- --x-------- --x--------
case.reminder                        ----+------ ----.------ ----.------
case.reopen                          -----+----- -----+----- -----.-----
case.reply_consultation              -+--------- -.--------- -.---------
case.request_information             ----+---+-- ----.---+-- ----.---.--
case.resend                          --+-------- --x-------- --x--------
case.resume_execution                -----+----- -----+----- -----.-----
case.resume_review                   -----+----- -----+----- -----.-----
case.return_incomplete               -----+----- -----+----- -----.-----
case.return_misdirected              ---+------- ---+------- ---.-------
case.search                          ++++++++++-
case.send_final_result               -------+--- -------.--- -------.---
case.send_partial_result             -------+--- -------.--- -------.---
case.show                            ++++++++++- ..x+.+..+x- ..x......x-
case.statistics                      -++--------
case.status_query                    +++++++++-- ..x+.+..+-- ..x......--
case.status_report                   ----+------ ----.------ ----.------
case.supplement                      --+-------- --x-------- --x--------
case.translation                     +++++++++-- ..x+.+..+-- ..x......--
case.use_consent_decided             -----+----- -----+----- -----.-----
case.use_consent_requested           -+--------- -.--------- -.---------
case.use                             +++++++++-- ..x+.+..+-- ..x......--
case.withdraw                        --+-------- --x-------- --x--------
case.withdrawal_overtaken            -------+--- -------.--- -------.---
clock.end                            -+++++--+-- -.x+.+--+-- -.x...--.--
clock.list                           ++++++++++- ..++.+..++- ..+......+-
clock.move                           -+++++--+-- -.x+.+--+-- -.x...--.--
draft.approve                        -+---+----- -.---.-----
draft.cancel                         +++-++--+-- ...-..--.--
draft.check                          +++++++++-- .........--
draft.create                         +++-++--+--
draft.edit                           +++-++--+-- ...-..--.--
draft.list                           +++++++++-- ..x+.+..+-- ..x......--
draft.print                          +++++++++-- .........--
draft.return                         -++--+----- -..--.-----
draft.send                           --+-----+-- --.-----.--
draft.show                           +++++++++-- .........--
draft.submit                         +++-++--+-- ...-..--.--
key.end                              +++++++++++
key.list                             +++++++++++
key.make                             +++++++++++
keys.publish                         ----------+
keys.rotate                          ----------+
keys.show                            +++++++++++
law.bases                            +++++++++++
law.basis                            +++++++++++
law.check                            +++++++++++
law.codes                            +++++++++++
law.kind                             +++++++++++
law.kinds                            +++++++++++
law.offences                         +++++++++++
law.terms                            +++++++++++
network.install                      ----------+
network.show                         +++++++++++
outbox                               +++++++++++
request.send                         +++-+---+--
status                               +++++++++++
user.add                             --+-------+
user.away                            +++++++++--
user.change                          --+-------+
user.confirm                         -++-------+
user.end                             --+-------+
user.list                            +++++++++++
user.mail                            +++++++++++
user.me                              +++++++++++
user.waiting                         -++------++
webhook.add                          -++--------
webhook.end                          -++--------
webhook.list                         -++--------
work.calendar                        +++++++++--
work.list                            +++++++++--
"""


def wanted() -> dict[str, str]:
    """Give the signs of every verb in the table."""
    return {line.split()[0]: " ".join(line.split()[1:]) for line in TABLE.strip().splitlines()[2:]}


def test_every_verb_stands_in_the_table() -> None:
    """Nobody adds a verb without saying who may."""
    assert HEAD in TABLE
    assert wanted().keys() == VERBS.keys()


def test_every_role_may_do_what_the_table_says_and_nothing_else(light_pair: Pair) -> None:
    """Tried at a real desk, with real cases, role by role."""
    table = wanted()
    found = dict(rows(light_pair))
    wrong = [
        f"{verb}: found {signs}, wanted {table.get(verb)}"
        for verb, signs in found.items() if table.get(verb) != signs
    ]  # fmt: skip
    assert wrong == []


def test_the_administrator_may_nothing_that_names_a_case_or_a_draft() -> None:
    """In the table itself: no slip of the pen gives it."""
    places = [place for place, role in enumerate(COLUMNS.values()) if role is Role.ADMINISTRATOR]
    named = [
        verb for verb, one in VERBS.items()
        if {"case", "draft", *one.also} & one.takes.model_fields.keys()
    ]  # fmt: skip
    assert named
    for verb in named:
        groups = wanted()[verb].split()
        assert {group[place] for group in groups for place in places} == {"-"}, verb


def test_an_auditor_changes_nothing_but_what_is_their_own() -> None:
    """Who audits acts on nothing that is audited."""
    place = list(COLUMNS.values()).index(Role.AUDITOR)
    own = {"key.make", "key.end", "user.mail"}
    wrong = [
        verb for verb, one in VERBS.items()
        if one.writes and verb not in own and wanted()[verb][place] != "-"
    ]  # fmt: skip
    assert wrong == []


# --- content -----------------------------------------------------------------

CANARY: Final = "a-canary-in-a-case"
BODY: Final[dict[str, Json]] = {"text": CANARY, "items": [{"no": "1", "description": CANARY}]}


def planted(pair: Pair) -> tuple[str, str]:
    """Plant a canary in a case and a draft, and let in the administrators by forged rows."""
    node = pair[FIJI].node
    desk = desk_of(node)

    def open_case(tx: Tx) -> str:
        posted = node.register.send_request(tx, to=QUMRAN, request_kind="MLA_EVIDENCE", body=BODY)
        node.register.add_event(
            tx, posted.case, kind="protected_identity",
            body={"pseudonym": "Heron", "identity": {"name": CANARY}},
        )  # fmt: skip
        for person in administrators():
            if person.id is not None:
                member = Member(posted.case, person.id, "protected", None, 0)
                member_rows.put_member(tx.conn, member)
                standing_rows.change_standing(tx.conn, posted.case, officer=person.id)
        return posted.case

    made = act(
        desk, "draft.create", {"to": QUMRAN, "kind": "MLA_EVIDENCE", "body": BODY}, person=ANNA
    )
    return desk.unit(open_case), str(made["draft"])


def administrators() -> tuple[Person, Person]:
    """Give the built-in administrator and one who was added."""
    return ADMIN, somebody("adm", Role.ADMINISTRATOR)


async def test_no_verb_gives_an_administrator_content(light_pair: Pair, lines: io.StringIO) -> None:
    """Not in an answer, not in a refusal; whatever the rows say, and with every verb there is."""
    case, draft = planted(light_pair)
    await light_pair[FIJI].send_to(QUMRAN)
    live = Live(lambda: None, tuple, lambda: None)
    desk = replace(desk_of(light_pair[FIJI].node), live=live)
    for person in administrators():
        for verb in sorted(VERBS):
            try:
                told = str(act(desk, verb, arguments_for(verb, case=case, draft=draft),
                               person=person))  # fmt: skip
            except EXPECTED as fault:
                told = str(describe(fault))
            assert CANARY not in told, verb
    assert CANARY not in lines.getvalue()


async def test_neither_database_nor_log_hold_content_in_clear(light_pair: Pair) -> None:
    """Nor does the node of the other side; to those who may, it is given all the same."""
    case, _ = planted(light_pair)
    await light_pair[FIJI].send_to(QUMRAN)
    for name in (FIJI, QUMRAN):
        for table, found in light_pair[name].dump().items():
            told = json.dumps(found, default=lambda raw: bytes(raw).decode("latin-1"))
            assert CANARY not in told, (name, table)
    files = [path for path in light_pair.folder.rglob("*") if path.is_file()]
    assert [str(path) for path in files if CANARY.encode() in path.read_bytes()] == []
    desk = desk_of(light_pair[QUMRAN].node)
    assert CANARY in str(act(desk, "case.show", {"case": case}, person=ANNA))
