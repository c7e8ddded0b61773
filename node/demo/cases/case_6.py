"""Case 6: a tip, a question among units, a request, and a passage that helps the accused.

An agency of Marazul has information for Cantera. It offers it under restrictions, which are
accepted before anything of it is told (UNCAC 46(4)-(5)). Cantera asks the financial
intelligence unit informally, whose answer is no evidence (48, 58), and so formally for what a
court may see. When the defence is to have a passage of the tip, the agency hears of it first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.demo.cases import case_6_texts as texts
from node.demo.cases.play import Play
from node.demo.cases.texts import contact
from node.demo.cases.usual import Cast, accept, ask, confirm, files, linked, take_in, told
from node.demo.cases.voices import Actor

AUTHORITIES: Final = (texts.TELLING, texts.TOLD, texts.KNOWING, texts.CENTRAL)
TITLE: Final = "A tip under restrictions, an inquiry, a request; notice before disclosure"

_TIP: Final = (texts.TELLING, texts.TOLD)
_INQUIRY: Final = (texts.TOLD, texts.KNOWING)


@dataclass(frozen=True, slots=True)
class _Others:
    """Who plays beside those of the formal request."""

    agent: Actor
    analyst: Actor


def play(play: Play) -> None:
    """Play it."""
    (agent,) = play.people(texts.TELLING, rita=("central-authority-officer", "case-officer"))
    (analyst,) = play.people(texts.KNOWING, duarte=("intake-officer", "case-officer"))
    others = _Others(agent, analyst)
    cast = Cast(
        *play.people(
            texts.TOLD,
            paula=("intake-officer", "case-officer", "drafter", "evidence-custodian"),
            lucia=("approver",),
            elena=("central-authority-officer",),
        ),
        *play.people(
            texts.CENTRAL,
            ines=("intake-officer", "case-officer"),
            raul=("decision-officer",),
            bela=("evidence-custodian",),
        ),
    )
    tip = _offer(play, others)
    _release(play, cast, others, tip)
    asked = _inquire(play, cast, others, tip)
    wanted = _request(play, cast, asked)
    _disclose(play, cast, others, tip)
    _charge(play, cast, others, tip)
    play.verified(tip, readers={texts.TELLING: agent, texts.TOLD: cast.clerk})
    play.verified(asked, readers={texts.TOLD: cast.clerk, texts.KNOWING: analyst})
    play.verified(wanted, readers=cast.readers)


def _offer(play: Play, others: _Others) -> str:
    """Offer the header alone, and let nothing follow before its restrictions are accepted."""
    told_too_much = {**texts.offer(), "content": texts.CONTENT}
    play.refused(
        others.agent, "request.send", "incomplete", rule="UNCAC 46(5)", to=texts.TOLD,
        kind="SPONTANEOUS", body=told_too_much,
    )  # fmt: skip
    tip = str(
        play.say(
            others.agent, "request.send", to=texts.TOLD, kind="SPONTANEOUS", body=texts.offer()
        )["case"]
    )
    play.both(tip, "OFFERED", *_TIP)
    play.refused(others.agent, "case.release", "not-now", case=tip, body=texts.release())
    play.see("An agency of Marazul offers information: its restrictions, and nothing of itself")
    return tip


def _release(play: Play, cast: Cast, others: _Others, tip: str) -> None:
    """Accept the restrictions, and then receive the content."""
    play.on(day=2)
    play.say(cast.clerk, "case.hand_over", case=tip, to=cast.clerk.login)
    for one in (cast.judge, cast.officer):
        play.say(cast.clerk, "case.let_in", case=tip, login=one.login)
    play.step(cast.judge, "accept_restrictions", tip)
    play.both(tip, "RESTRICTIONS_ACCEPTED", *_TIP)
    play.on(day=3)
    play.step(others.agent, "release", tip, **texts.release())
    play.both(tip, "RELEASED", *_TIP)
    shown = play.say(cast.clerk, "case.show", case=tip)["messages"]
    content = [one["body"].get("content") for one in shown if one["kind"] == "release"]
    play.must(content == [texts.CONTENT], "what was released is not what was written")
    play.step(
        cast.clerk, "acknowledge", tip, own_ref="CT-INT-2026-12", contact=contact(texts.TOLD),
        reply_language="es",
    )  # fmt: skip
    play.both(tip, "ACKNOWLEDGED", *_TIP)
    play.see("Cantera accepts: intelligence only (U1), not passed on (U2); then it is told")


def _inquire(play: Play, cast: Cast, others: _Others, tip: str) -> str:
    """Ask another unit informally; its answer says what it may be used for."""
    play.on(day=6)
    asked = str(
        play.say(
            cast.clerk, "request.send", to=texts.KNOWING, kind="INFORMAL_INQUIRY",
            body=texts.inquiry(tip),
        )["case"]
    )  # fmt: skip
    play.both(asked, "DELIVERED", *_INQUIRY)
    play.say(cast.clerk, "case.link", case=tip, relation="led-to", other=asked)
    linked(play, cast.clerk, asked, "came-of", tip)
    play.on(day=12)
    play.step(others.analyst, "answer", asked, text=texts.ANSWER, use="U1")
    play.both(asked, "ANSWERED", *_INQUIRY)
    play.say(cast.clerk, "case.let_in", case=asked, login=cast.officer.login)
    play.step(cast.officer, "close", asked)
    play.both(asked, "CLOSED", *_INQUIRY)
    play.see("The financial intelligence unit answers: intelligence only, no evidence")
    return asked


def _request(play: Play, cast: Cast, asked: str) -> str:
    """Ask formally for what a court may see, and say what it came of; gives the case."""
    play.on(day=20)
    wanted = ask(play, cast, "MLA_BANK_RECORDS", texts.formal(asked))
    play.say(cast.clerk, "case.link", case=asked, relation="led-to", other=wanted)
    linked(play, cast.clerk, wanted, "came-of", asked)
    play.see("So Cantera asks the central authority for the records; the request refers to it")
    play.on(day=23)
    take_in(play, cast, wanted, "MJ/2026/340", "pt")
    accept(play, cast, wanted, "Public Prosecutor of Marazul (fictional)")
    play.on(day=50)
    folder = files(cast.registrar.home.folder / "records", texts.RECORDS)
    play.step(cast.registrar, "send_final_result", wanted, outcome="FULL", evidence=folder)
    confirm(play, cast, wanted, folder, texts.FEEDBACK)
    play.see("The records come, each by its hash: this is evidence")
    return wanted


def _disclose(play: Play, cast: Cast, others: _Others, tip: str) -> None:
    """Give the defence what helps it, but tell the agency before (46(5))."""
    readers = (others.agent, cast.clerk)
    play.on(day=120)
    play.step(
        cast.judge, "exculpatory_disclosure_notice", tip, text=texts.EXCULPATORY
    )  # fmt: skip
    told(play, readers, tip, "exculpatory_disclosure_notice", texts.EXCULPATORY)
    play.see("A passage of the tip helps an accused: Cantera tells the agency before it discloses")
    play.on(day=121)
    play.step(others.agent, "note", tip, text=texts.NAMES_HIDDEN)
    told(play, readers, tip, "note", texts.NAMES_HIDDEN)
    play.on(day=122)
    play.step(cast.clerk, "note", tip, text=texts.DISCLOSED)
    told(play, readers, tip, "note", texts.DISCLOSED)
    for who in readers:
        shown = play.say(who, "case.show", case=tip)["messages"]
        order = {one["body"].get("text"): (one["order"], one["created"]) for one in shown}
        play.must(
            order[texts.EXCULPATORY] < order[texts.NAMES_HIDDEN] < order[texts.DISCLOSED],
            f"{who.home.name} does not show the notice before the disclosure",
        )
    play.see("The agency asks that its source be left out; then the defence has the passage")


def _charge(play: Play, cast: Cast, others: _Others, tip: str) -> None:
    """Tell what came of it."""
    play.on(day=150)
    play.step(cast.clerk, "feedback", tip, text=texts.CHARGED)
    told(play, (others.agent, cast.clerk), tip, "feedback", texts.CHARGED)
    play.step(others.agent, "close", tip)
    play.both(tip, "CLOSED", *_TIP)
    tables = play.say(cast.officer, "case.statistics")["tables"]
    followed = [one["cells"] for one in tables if one["table"] == "followed"]
    play.must(followed == [[{"value": "yes", "count": 1}]], f"statistics show {followed}")
    play.see("Feedback to the agency: it led to a charge. Statistics count it as followed")
