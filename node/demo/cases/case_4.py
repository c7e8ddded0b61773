"""Case 4: provisional arrest, and an extradition that is refused for nationality.

A duty officer of Cantera asks Kibaru at night, alone; the second person signs next morning.
How long the arrest may last, only the treaty says: both authorities have added it to their
own law. The person turns out to be a national of Kibaru: after consultation the extradition
is refused (UNCAC 44(11)), and Cantera asks Kibaru to prosecute (47). Another person consents,
and is surrendered by the short way.
"""

from __future__ import annotations

from typing import Final

from node.demo.cases import case_4_texts as texts
from node.demo.cases.play import DAY_S, Play
from node.demo.cases.texts import dated
from node.demo.cases.usual import (
    Cast,
    accept,
    ask,
    confirm,
    converted,
    files,
    linked,
    take_in,
    told,
)

ASKING: Final = texts.ASKING
ASKED: Final = "qr.justice"
AUTHORITIES: Final = (ASKING, ASKED)
TITLE: Final = "Provisional arrest; extradition refused for nationality, and prosecuted instead"

_LIMIT: Final = "provisional_arrest_limit"


def play(play: Play) -> None:
    """Play it."""
    for name in AUTHORITIES:
        _add_treaty(play, name)
    play.see("Both authorities add their treaty to their own law: it limits an arrest to "
             f"{texts.ARREST_DAYS} days")  # fmt: skip
    cast = Cast(
        *play.people(
            ASKING,
            marta=("duty-officer", "drafter", "case-officer", "evidence-custodian"),
            lucia=("approver",),
            elena=("central-authority-officer",),
        ),
        *play.people(
            ASKED,
            neema=("intake-officer", "duty-officer", "case-officer"),
            juma=("decision-officer",),
            asha=("approver", "executing-officer", "evidence-custodian"),
        ),
    )
    arrested = _arrest(play, cast)
    sought = _extradite(play, cast, arrested)
    _refuse(play, cast, sought)
    moved = _prosecute(play, cast, sought)
    held, surrendered = _by_consent(play, cast)
    cases = (arrested, sought, moved, held, surrendered)
    play.verified(*cases, readers=cast.readers)


def _add_treaty(play: Play, name: str) -> None:
    """Put a profile into an authority's own folder of law, and start its node anew."""
    home = play.house.homes[name]
    bases = home.folder / "law" / "bases"
    bases.mkdir(parents=True)
    (bases / f"{texts.BASIS.lower()}.toml").write_text(texts.TREATY)
    play.stage.comity("law", "check", bases.parent, "--json").must()
    play.house.shut(name)
    play.house.open(name)


def _arrest(play: Play, cast: Cast) -> str:
    """Ask for the arrest at night and alone, sign second in the morning; gives the case."""
    play.on(day=1, hour=23)
    case = play.say(
        cast.clerk, "request.send", to=ASKED, kind="PROVISIONAL_ARREST",
        body=texts.arrest("CT-2026-0029", texts.FUGITIVE),
    )["case"]  # fmt: skip
    play.both(case, "DELIVERED")
    play.must("second_person" in play.clocks(cast.clerk, case), "nobody waits for the second")
    play.see("Night: a duty officer of Cantera asks alone; a second person has 24 hours")
    take_in(play, cast, case, "AG/EX/2026/14", "en")
    for who in (cast.clerk, cast.intake):
        body = play.say(who, "case.show", case=case)["messages"][0]["body"]
        alone = [one["name"] for one in body["signatories"]] == [cast.clerk.login]
        play.must(alone and body["second_person_due"], f"{who.home.name} shows no lack of a second")
    accept(play, cast, case, "Kibaru Police (fictional)")
    play.on(day=2, hour=6)
    _in_force(play, cast, case, day=2)
    play.see(f"Day 2: arrested; it ends by itself after {texts.ARREST_DAYS} days, by the treaty")
    play.on(day=2, hour=9)
    for one in (cast.judge, cast.officer):
        play.say(cast.clerk, "case.let_in", case=case, login=one.login)
    play.step(cast.judge, "countersign", case)
    told(play, cast, case, "countersign")
    play.must("second_person" not in play.clocks(cast.clerk, case), "the second is still awaited")
    play.see("Morning: the second person has signed, which both sides see")
    return str(case)


def _in_force(play: Play, cast: Cast, case: str, *, day: int) -> None:
    """Let an arrest begin, for as long as the treaty allows."""
    begun = play.moment(day, hour=6)
    until = begun + texts.ARREST_DAYS * DAY_S
    play.step(cast.registrar, "impose_measure", case, valid_from=begun, valid_until=until)
    play.both(case, "MEASURE_IN_FORCE")
    clock = play.clocks(cast.clerk, case)[_LIMIT]
    rule = f"{texts.ARREST_DAYS} days ({texts.ARREST_SOURCE})"
    play.must(clock["rule"] == rule, f"the limit rests on {clock['rule']}")


def _extradite(play: Play, cast: Cast, arrested: str) -> str:
    """Send the request in time, and tell which conduct is meant; gives the case."""
    play.on(day=33)
    body = texts.extradition(
        "CT-2026-0031", "CT-2026-0029", texts.FUGITIVE, warrant_of=dated(play.moment(1))
    )
    folder = files(cast.clerk.home.folder / "file", texts.CASE_FILE)
    case = ask(play, cast, "EXTRADITION", body, folder)
    play.on(day=34)
    take_in(play, cast, case, "AG/EX/2026/19", "en")
    converted(play, cast, arrested, case)
    play.see("Day 33: the extradition file, in time; the arrest goes over into it")
    play.step(
        cast.intake, "request_information", case, due=play.moment(60),
        items=[{"no": "1", "text": texts.WHICH_CONDUCT}],
    )  # fmt: skip
    play.both(case, "INFO_REQUESTED")
    play.on(day=38)
    play.step(
        cast.officer, "provide_information", case, answers=[{"no": "1", "text": texts.CONDUCT}]
    )
    play.both(case, "ACKNOWLEDGED")
    play.see("Illicit enrichment is no offence in Kibaru: Cantera answers by the conduct (43(2))")
    return case


def _refuse(play: Play, cast: Cast, case: str) -> None:
    """Refuse for nationality: after consultation, by two, with code and reasons."""
    play.on(day=40)
    refused = {"ground": "44-11", "reasons": texts.NATIONAL}
    play.refused(
        cast.decider, "case.refuse", "incomplete", rule="UNCAC 46(26)", case=case, body=refused
    )
    play.step(
        cast.decider, "open_consultation", case, intended="refuse", ground="44-11",
        due=play.moment(54),
    )  # fmt: skip
    play.both(case, "IN_CONSULTATION")
    play.see("He is a national of Kibaru: it cannot refuse before it has consulted")
    play.on(day=44)
    play.step(
        cast.judge, "reply_consultation", case, conditions="none",
        text=texts.REQUEST_TO_PROSECUTE,
    )  # fmt: skip
    play.both(case, "ACKNOWLEDGED")
    play.by_two(cast.decider, cast.registrar, "refuse", case, **refused)
    play.both(case, "REFUSED")
    for who in (cast.clerk, cast.intake):
        shown = play.say(who, "case.show", case=case)["messages"]
        body = next(one["body"] for one in shown if one["kind"] == "refuse")
        names = {one["name"] for one in body["signatories"]}
        play.must(body["ground"] == "44-11", f"{who.home.name} shows another ground")
        play.must(
            names == {cast.decider.login, cast.registrar.login},
            f"{who.home.name} shows other signatories of the refusal",
        )
    play.see("Refused for nationality (44-11), with reasons, signed by two")


def _prosecute(play: Play, cast: Cast, refused: str) -> str:
    """Ask for prosecution instead, with the file; gives the case."""
    play.on(day=50)
    body = texts.transfer("CT-2026-0047", "CT-2026-0031")
    folder = cast.clerk.home.folder / "file"
    case = ask(play, cast, "TRANSFER_PROCEEDINGS", body, folder)
    for who in (cast.clerk, cast.intake):
        if who is cast.intake:
            take_in(play, cast, case, "AG/TP/2026/3", "en")
        play.say(who, "case.link", case=case, relation="transfers", other=refused)
        linked(play, who, refused, "transferred-by", case)
    play.must(
        play.voice.differing(cast.intake, case, folder) == [], "the file differs from its list"
    )
    play.step(cast.officer, "close", refused)
    play.both(refused, "CLOSED")
    play.see("Cantera asks Kibaru to prosecute (44(11), 47): linked, the file by its hashes")
    accept(play, cast, case, "Director of Public Prosecutions of Kibaru (fictional)")
    play.on(day=75)
    charged = files(cast.registrar.home.folder / "charged", texts.CHARGED)
    play.step(cast.registrar, "send_final_result", case, outcome="FULL", evidence=charged)
    confirm(play, cast, case, charged, "Las actuaciones propias quedan suspendidas.")
    play.see("Kibaru has brought charges; Cantera suspends its own proceedings")
    return case


def _by_consent(play: Play, cast: Cast) -> tuple[str, str]:
    """The variant: another person consents, and is surrendered by the short way."""
    play.on(day=80)
    held = ask(play, cast, "PROVISIONAL_ARREST", texts.arrest("CT-2026-0060", texts.CONSENTING))
    take_in(play, cast, held, "AG/EX/2026/31", "en")
    accept(play, cast, held, "Kibaru Police (fictional)")
    play.on(day=81, hour=6)
    _in_force(play, cast, held, day=81)
    play.on(day=82)
    play.step(cast.intake, "status_report", held, text=texts.CONSENTED)
    told(play, cast, held, "status_report", texts.CONSENTED)
    play.on(day=84)
    body = texts.extradition(
        "CT-2026-0061", "CT-2026-0060", texts.CONSENTING, warrant_of=dated(play.moment(79))
    )
    case = ask(play, cast, "EXTRADITION", body, cast.clerk.home.folder / "file")
    take_in(play, cast, case, "AG/EX/2026/33", "en")
    accept(play, cast, case, "Kibaru Police (fictional)")
    converted(play, cast, held, case)
    play.on(day=90)
    handed = files(cast.registrar.home.folder / "surrendered", texts.SURRENDERED)
    play.step(cast.registrar, "send_final_result", case, outcome="FULL", evidence=handed)
    confirm(play, cast, case, handed, "La persona fue entregada.")
    play.see("Variant: another person consents before a judge, and is surrendered in six days")
    return held, case
