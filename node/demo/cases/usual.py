"""What most cases do alike: who plays, how a request is taken in, what a case must show.

    cast = Cast(*play.people(asking, …), *play.people(asked, …))
    case = ask(play, cast, "FREEZING", body)
    take_in(play, cast, case, "MLA/2026/77", "en")

Knows no story.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from node.demo.cases.play import Play
from node.demo.cases.texts import Body, contact
from node.demo.cases.voices import Actor


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: three at the authority that asks, three at the one that is asked."""

    clerk: Actor
    judge: Actor
    officer: Actor
    intake: Actor
    decider: Actor
    registrar: Actor

    @property
    def sides(self) -> tuple[str, str]:
        """The two authorities."""
        return self.clerk.home.name, self.intake.home.name

    @property
    def readers(self) -> dict[str, Actor]:
        """Who reads the cases at each of the two."""
        return {one.home.name: one for one in (self.clerk, self.intake)}


def ask(play: Play, cast: Cast, kind: str, body: Body, evidence: Path | None = None) -> str:
    """Draft, approve and send a request, and wait until it is there; gives its case."""
    case = play.request(
        cast.clerk, cast.judge, cast.officer, to=cast.sides[1], kind=kind, body=body,
        evidence=evidence,
    )  # fmt: skip
    play.both(case, "DELIVERED", *cast.sides)
    return case


def take_in(play: Play, cast: Cast, case: str, reference: str, language: str) -> None:
    """Acknowledge a request under a reference, and let in whoever works on it."""
    play.step(
        cast.intake, "acknowledge", case, own_ref=reference, contact=contact(cast.sides[1]),
        reply_language=language,
    )  # fmt: skip
    play.say(cast.intake, "case.hand_over", case=case, to=cast.intake.login)
    for one in (cast.decider, cast.registrar):
        play.say(cast.intake, "case.let_in", case=case, login=one.login)
    play.both(case, "ACKNOWLEDGED", *cast.sides)


def accept(play: Play, cast: Cast, case: str, by: str, **more: object) -> None:
    """Accept a request in full and have it executed."""
    play.step(cast.decider, "accept", case, scope="full", **more)
    play.step(cast.intake, "assign_execution", case, executing_authority=by)
    play.both(case, "IN_EXECUTION", *cast.sides)


def confirm(play: Play, cast: Cast, case: str, folder: Path, feedback: str) -> None:
    """Confirm a final result, file by file, and close the case."""
    play.both(case, "EXECUTED", *cast.sides)
    files = sorted(file.name for file in folder.iterdir())
    play.step(cast.clerk, "confirm_result", case, items=files)
    play.both(case, "RESULT_CONFIRMED", *cast.sides)
    play.step(cast.officer, "close", case, feedback=feedback)
    play.both(case, "CLOSED", *cast.sides)


def converted(play: Play, cast: Cast, measure: str, request: str) -> None:
    """Link a measure with the request that it was for, and let it go over into that."""
    for who in (cast.clerk, cast.intake):
        play.say(who, "case.link", case=request, relation="continues", other=measure)
        linked(play, who, measure, "continued-by", request)
    play.step(cast.decider, "convert_measure", measure, request=request)
    play.both(measure, "EXECUTED", *cast.sides)
    play.step(cast.clerk, "confirm_result", measure, nil=True)
    play.step(cast.officer, "close", measure)
    play.both(measure, "CLOSED", *cast.sides)


def files(folder: Path, written: Mapping[str, str]) -> Path:
    """Write the files of one delivery; gives their folder."""
    folder.mkdir(exist_ok=True)
    for name, text in written.items():
        (folder / name).write_text(text)
    return folder


# --- what a case must show -------------------------------------------------


def told(
    play: Play, cast: Cast | tuple[Actor, ...], case: str, event: str, text: str | None = None
) -> None:
    """Wait until both sides show that an event had its effect, with its text if one is given."""
    readers = cast if isinstance(cast, tuple) else (cast.clerk, cast.intake)
    play.until(
        lambda: all(_shows(play, who, case, (event, text)) for who in readers),
        lambda: f"not both sides show {event} as it was said",
    )


def _shows(play: Play, who: Actor, case: str, wanted: tuple[str, str | None]) -> bool:
    event, text = wanted
    return any(
        one["kind"] == event
        and one["effect"]["confirmed"]
        and one["effect"]["rule"]
        and text in {None, one["body"].get("text")}
        for one in play.say(who, "case.show", case=case)["messages"]
    )


def rules(play: Play, who: Actor, case: str) -> list[str]:
    """Give the rules by which the messages of a case had their effects, in its order."""
    shown = play.say(who, "case.show", case=case)["messages"]
    return [one["effect"]["rule"] for one in shown if one["effect"]["confirmed"]]


def linked(play: Play, who: Actor, case: str, relation: str, other: str) -> None:
    """Fail unless a case shows its link with another."""
    shown = play.say(who, "case.show", case=case)["links"]
    held = any(one["relation"] == relation and one["case"] == other for one in shown)
    play.must(held, f"{who.home.name} does not show the link of the cases")
