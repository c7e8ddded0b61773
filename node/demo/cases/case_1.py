"""Case 1: bank records, in two rounds, and a statement that was altered on its way.

Aldoria asks Marazul for the records of an account into which a bribe may have been paid
(UNCAC 46(3)(f)). A question comes first, then a part of the records, then the rest, of which
one file arrives altered: its hash shows it, the result is disputed, sent again and confirmed.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from node.demo.cases.play import DAY_S, Play
from node.demo.cases.texts import FICTIONAL, Body, contact, request
from node.demo.cases.voices import Actor

ASKING: Final = "qm.prosecution"
ASKED: Final = "qp.justice"
AUTHORITIES: Final = (ASKING, ASKED)
TITLE: Final = "Bank records in two rounds; one statement altered on its way"

_OURS: Final = "QM-2026-0147"
_THEIRS: Final = "MJ/2026/311"
_STATEMENT: Final = "statements-2021.csv"
_FACTS_RULE: Final = "UNCAC 46(15)(c)"
_LAUNDERING: Final[Body] = {
    "code": "23-1-a-ii", "provision": "Section 40 of the Money Laundering Act (fictional)",
    "text": "Whoever conceals where the proceeds of a crime are commits an offence.",
    "penalty_max": "Eight years of imprisonment",
    "conduct": ["Concealed", "the source of money", "that was the proceeds of a bribe"],
}  # fmt: skip


def play(play: Play) -> None:
    """Play it."""
    drafter, approver, officer, custodian = play.people(
        ASKING,
        tobin=("drafter", "case-officer"),
        ada=("approver",),
        mira=("central-authority-officer",),
        oren=("evidence-custodian",),
    )
    intake, decider, registrar = play.people(
        ASKED,
        ines=("intake-officer", "case-officer"),
        raul=("decision-officer",),
        bela=("evidence-custodian", "executing-officer"),
    )
    case = _drafted(play, drafter, approver, officer)
    play.both(case, "DELIVERED")
    play.say(drafter, "case.let_in", case=case, login="oren")
    play.see("Complete, approved by a second person and sent: Marazul's node has receipted it")
    _first_round(play, case, intake=intake, decider=decider, registrar=registrar, officer=officer)
    _second_round(play, case, registrar, custodian)
    play.step(officer, "close", case, feedback="Used in the investigation.")
    play.both(case, "CLOSED")
    play.see("Aldoria closes the case")
    play.verified(case, readers={ASKING: drafter, ASKED: intake})


def _drafted(play: Play, drafter: Actor, approver: Actor, officer: Actor) -> str:
    """Draft the request; the node holds it back until it is complete, and seen by two."""
    body = _request()
    lacking = {name: value for name, value in body.items() if name != "facts_summary"}
    draft = play.say(
        drafter, "draft.create", to=ASKED, kind="MLA_BANK_RECORDS", body=lacking
    )["draft"]  # fmt: skip
    found = play.say(drafter, "draft.check", draft=draft)
    blocking = [one["field"] for one in found["findings"] if one["severity"] == "blocks"]
    play.must(blocking == ["facts_summary"], f"the validator misses other fields: {blocking}")
    play.refused(
        drafter, "draft.submit", "incomplete", rule=_FACTS_RULE, draft=draft, version=1
    )  # fmt: skip
    play.see(f"Aldoria drafts a request; its facts are missing, says the node ({_FACTS_RULE})")
    play.say(drafter, "draft.edit", draft=draft, version=1, body=body)
    play.must(play.say(drafter, "draft.check", draft=draft)["may_be_sent"], "it is held back")
    play.say(drafter, "draft.submit", draft=draft, version=2)
    play.refused(officer, "draft.send", "not-now", draft=draft)
    play.say(approver, "draft.approve", draft=draft, version=2)
    return str(play.say(officer, "draft.send", draft=draft)["case"])


def _first_round(
    play: Play, case: str, *, intake: Actor, decider: Actor, registrar: Actor, officer: Actor
) -> None:
    play.on(day=3)
    play.step(
        intake, "acknowledge", case, own_ref=_THEIRS, contact=contact(ASKED),
        reply_language="pt", decision_expected=play.moment(30),
    )  # fmt: skip
    play.say(intake, "case.hand_over", case=case, to="ines")
    play.say(intake, "case.let_in", case=case, login="raul")
    play.say(intake, "case.let_in", case=case, login="bela")
    play.both(case, "ACKNOWLEDGED")
    for one, names in ((officer, (_OURS, _THEIRS)), (intake, (_THEIRS, _OURS))):
        row = play.say(one, "case.show", case=case)["case"]
        play.must((row["own_ref"], row["peer_ref"]) == names, "a reference is not shown")
    play.see(f"Marazul acknowledges it as {_THEIRS}: each side shows both references")
    play.on(day=9)
    play.step(
        intake, "request_information", case, due=play.moment(9) + 30 * DAY_S,
        items=[{"no": "1", "text": "Which period is meant in item 2?"}],
    )  # fmt: skip
    play.both(case, "INFO_REQUESTED")
    stopped = play.clocks(intake, case)["decision"]["stopped"]
    play.must(stopped is not None, "Marazul's time runs on, though it waits for Aldoria")
    play.see("Marazul asks for the period of item 2; its clock stands still")
    play.on(day=12)
    play.step(
        officer, "provide_information", case,
        answers=[{"no": "1", "text": "1 January 2021 to 31 December 2022."}],
    )  # fmt: skip
    play.both(case, "ACKNOWLEDGED")
    play.on(day=15)
    play.step(decider, "accept", case, scope="full")
    play.step(intake, "assign_execution", case, executing_authority="Public Prosecutor (fictional)")
    play.both(case, "IN_EXECUTION")
    play.see("Answered; Marazul accepts in full and has it executed")
    play.on(day=31)
    play.step(
        registrar, "send_partial_result", case, evidence=_first_files(registrar),
        permitted_proceedings="The proceedings named in the request (46(19)).",
    )  # fmt: skip
    play.both(case, "PARTIALLY_EXECUTED")
    play.see("A first part: opening file and beneficial owner")


def _second_round(play: Play, case: str, registrar: Actor, custodian: Actor) -> None:
    play.on(day=58)
    sent = _second_files(registrar)
    play.step(registrar, "send_final_result", case, outcome="FULL", evidence=sent)
    play.both(case, "EXECUTED")
    arrived = custodian.home.folder / "arrived"
    shutil.copytree(sent, arrived)
    altered = arrived / _STATEMENT
    altered.write_text(altered.read_text().replace("31990.00", "31090.00"))
    found = play.voice.differing(custodian, case, arrived)
    play.must(
        found == [_STATEMENT], f"what was altered is {_STATEMENT}, and what was found {found}"
    )
    play.see("The rest arrives; one statement is not what was signed: caught by its hash")
    play.step(
        custodian, "dispute_result", case, items=[{"no": _STATEMENT, "why": "The hash differs."}]
    )
    play.both(case, "IN_EXECUTION")
    play.on(day=60)
    play.step(registrar, "send_final_result", case, outcome="FULL", evidence=sent)
    play.both(case, "EXECUTED")
    found = play.voice.differing(custodian, case, sent)
    play.must(not found, f"what was sent again differs: {found}")
    play.step(
        custodian, "confirm_result", case,
        items=sorted(file.name for file in sent.iterdir()),
    )  # fmt: skip
    play.both(case, "RESULT_CONFIRMED")
    play.see("Disputed, sent again, hashed again, confirmed")


def _first_files(actor: Actor) -> Path:
    """Write what the bank had at hand."""
    return _written(
        actor.home.folder / "first",
        {
            "opening-file.txt": "Opened on 4 January 2020 by the manager (fictional).\n",
            "beneficial-owner.txt": "One natural person, R. Tavares (fictional).\n",
        },
    )


def _second_files(actor: Actor) -> Path:
    """Write the statements, and what makes them evidence."""
    return _written(
        actor.home.folder / "second",
        {
            _STATEMENT: "date;amount;currency\n2021-03-01;31990.00;XTS\n",
            "statements-2022.csv": "date;amount;currency\n2022-06-30;120.00;XTS\n",
            "certidão-bancária.txt": "True copies of the books of Banco Demo (fictional).\n",
        },
    )


def _written(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(f"{text}# {FICTIONAL}\n")
    return folder


def _request() -> Body:
    return request(
        ASKING, _OURS,
        subject_matter="Investigation of bribes paid for a road contract (fictional)",
        language="en", translation_status="SWORN_OR_CERTIFIED",
        translations=[{
            "language": "pt", "translator": "Sworn translator 12 (fictional)",
            "status": "certified", "date": "2026-01-05", "sha256": "5e" * 32,
        }],
        offences=[_LAUNDERING, {
            "code": "15-b", "provision": "Section 12 of the Public Integrity Act (fictional)",
            "text": "A public official who accepts an undue advantage commits an offence.",
            "penalty_max": "Seven years of imprisonment",
            "conduct": ["A public official", "accepted money", "to award a contract"],
        }],
        dual_criminality_note="Accepting a bribe is an offence in both States.",
        facts_summary="In 2021 an official awarded a contract and was paid by the builder.",
        nexus="The bribe is believed to have passed through this account.",
        persons=[{
            "role": "ACCOUNT_HOLDER", "name": "Lumen Obras Lda (fictional)", "nationality": "QP",
        }],
        items=[{
            "no": "1", "assistance": "46-3-f", "coercive": True,
            "description": "Produce the records of the account.",
            "purpose": "To trace the payment.", "form_of_evidence": "CERTIFIED_COPY",
        }, {
            "no": "2", "assistance": "46-3-g", "coercive": False,
            "description": "Trace what was bought with money that left the account.",
            "purpose": "To find the proceeds.",
        }],
        accounts=[{
            "institution": "Banco Demo (fictional)", "number": "QP00-DEMO-0001",
            "holder": "Lumen Obras Lda (fictional)",
        }],
        records_from="2021-01-01", records_to="2022-12-31",
        document_types=["OPENING_FILE", "BENEFICIAL_OWNER", "STATEMENTS"],
        no_customer_notice=True,
    )  # fmt: skip
