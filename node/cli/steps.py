"""`comity case EVENT`: one command for each step of the life cycle, made from its table.

    comity case acknowledge 8c1f --set own_ref=MLA/26/114 --set contact.name="Amina Said" …

Simple fields are given with `--set`, whole bodies as JSON with `--body`. A text is kept
exactly as it is typed; a time is a date, or a moment as 2026-12-24T15:00Z.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from node.cli.access import ask
from node.cli.bodies import STDIN, read_body
from node.cli.call import Act, Call, PassphraseOption, command, usage
from node.cli.files import manifest_json
from node.cli.kept import kept_if_refused
from protocol.encoding import Fields, Json
from protocol.lifecycle import EVENTS, RULES, Event

BodyOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--body", metavar="FILE", show_default=False,
        help="What is said: a JSON object, or any text. - is standard input.",
    ),
]  # fmt: skip
SetOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", show_default=False,
        help="One field, as reasons=…, contact.name=… or items:=[…] with JSON; again for more.",
    ),
]  # fmt: skip
EvidenceOption: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--evidence", metavar="PATH", show_default=False,
        help="A file or folder whose hashes go with it; may be given again.",
    ),
]  # fmt: skip
CaseArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="CASE", help="Its id, how it begins, or a reference.")
]

TIMES: Final = frozenset({
    "due", "review", "valid_from", "valid_until", "until", "decision_expected", "expected",
})  # fmt: skip
"""Fields whose value is a time, which people write as a date."""

_BY_NODE: Final = "node"
_GIVEN: Final = re.compile(r"([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)(:?=)(.*)", re.DOTALL)
_DAY_ENDS: Final = dt.time(23, 59, 59, tzinfo=dt.UTC)

MEANINGS: Final[Mapping[str, str]] = {
    "acknowledge": "Say that the request arrived, under which reference, and whom to ask.",
    "return_misdirected": "Return a request that is for another authority.",
    "request_information": "Ask numbered questions; the clock stands still until the answer.",
    "provide_information": "Answer the questions that were asked.",
    "return_incomplete": "Return a request whose questions were never answered.",
    "open_consultation": "Consult before refusing, postponing, or setting conditions.",
    "reply_consultation": "Answer a consultation.",
    "consultation_expired": "Go on after a consultation that nobody answered.",
    "accept": "Accept a request, in full or in part.",
    "refuse": "Propose to refuse, with ground and reasons; a second person decides with you.",
    "refuse_remainder": "Propose to refuse what was not done yet; a second person agrees.",
    "postpone": "Postpone, with ground, reasons and the day it is looked at again.",
    "resume_review": "Take a postponed request up again.",
    "resume_execution": "Go on with the execution of a postponed request.",
    "assign_execution": "Give an accepted request to whoever executes it.",
    "impose_measure": "Say that a measure is in force, and until when.",
    "extension_requested": "Ask for a measure to be extended.",
    "extend_measure": "Extend a measure in force.",
    "convert_measure": "End a measure because its formal request has come.",
    "intent_to_lift": "Say that a measure will be lifted, so that reasons can be given.",
    "reasons_to_continue": "Give reasons to keep a measure in force.",
    "lift_measure": "Lift a measure.",
    "send_partial_result": "Send part of what was asked for.",
    "send_final_result": "Send the last of what was asked for; nothing found is a result.",
    "confirm_result": "Confirm that the result arrived as it was sent.",
    "dispute_result": "Say of each item what is wrong with it.",
    "close": "Close a case that has ended.",
    "reopen": "Open a refused or returned request again, for reasons.",
    "withdraw": "Withdraw a request, with reasons.",
    "confirm_withdrawal": "Confirm a withdrawal, and say what had been done.",
    "withdrawal_overtaken": "Say that the last result was sent before the withdrawal came.",
    "status_query": "Ask how far it is.",
    "status_report": "Say how far it is.",
    "delay_notice": "Say that it takes longer, why, and until when.",
    "clarification_opened": "Ask what part of a request means; no clock stands still.",
    "clarification_answered": "Answer what was asked about a request.",
    "confidentiality_cannot_be_kept": "Say that confidentiality cannot be kept, and why.",
    "consultation_opened": "Consult about what is accepted, postponed or being executed.",
    "consultation_replied": "Answer such a consultation.",
    "reminder": "Remind the other side of questions that it has not answered.",
    "supplement": "Add to what was said; it asks for nothing new.",
    "narrow_scope": "Ask for less: name the items that remain.",
    "handler_changed": "Say who works on the case from now on.",
    "feedback": "Say what became of what was given.",
    "exculpatory_disclosure_notice": "Say that something given speaks for the accused.",
    "incident_notice": "Say that something went wrong, such as a leak.",
    "translation": "Send a translation of a message; the source stays authoritative.",
    "language_waiver": "Say that a language is accepted this time.",
    "decline": "Do not take information that is offered; its content never comes.",
    "cannot_comply": "Say that the restrictions cannot be kept.",
    "countersign": "Sign, as the second person, what a duty officer sent alone.",
    "protected_identity": "Tell who a pseudonym is; few people read it.",
    "use_consent_requested": "Ask to use what was given in other proceedings.",
    "use_consent_decided": "Decide about another use.",
    "accept_restrictions": "Accept the restrictions of information that is offered.",
    "release": "Release offered information after its restrictions were accepted.",
    "answer": "Answer an inquiry.",
    "not_available": "Say that an inquiry cannot be answered here.",
    "note": "Say something in a case that changes nothing.",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a command was given to say, and whether it is anywhere else than in it."""

    body: dict[str, Json] = field(repr=False)
    typed: bool


def said_in(body: Path | None, given: Sequence[str] | None) -> Said:
    """Put together what is said: the file, and on top of it the single fields."""
    whole = read_body(body)
    for one in given or ():
        _put(whole, one)
    return Said(whole, typed=bool(given) or body == STDIN)


def _put(whole: dict[str, Json], one: str) -> None:
    matched = _GIVEN.fullmatch(one)
    if matched is None:
        raise usage("--set is a field and its value, as reasons=… or items:=[…].")
    *path, name = matched[1].split(".")
    inner = whole
    for part in path:
        following = inner.setdefault(part, {})
        if not isinstance(following, dict):
            raise usage(f"--set {matched[1]}: {part} is no object that could hold it.")
        inner = following
    inner[name] = _json(matched[1], matched[3]) if matched[2] == ":=" else _text(name, matched[3])


def _json(name: str, text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        raise usage(f"--set {name}:= takes JSON, such as true, 3 or [1, 2].") from None
    return value


def _text(name: str, text: str) -> Json:
    return time_of(name, text) if name in TIMES else text


def time_of(name: str, text: str) -> int:
    """Read a time as people write it: a day, which lasts until its end, or a moment in UTC."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        if "T" in text:
            moment = dt.datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        else:
            moment = dt.datetime.combine(dt.date.fromisoformat(text), _DAY_ENDS)
    except ValueError:
        raise usage(f"{name} is a day, as 2026-12-24, or a moment, as 2026-12-24T15:00Z.") from None
    return int(moment.timestamp())


def register(case: typer.Typer) -> None:
    """Add a command for each event that people make."""
    names = dict.fromkeys(rule.event for rule in RULES if rule.scope == "shared")
    for name in names:
        event = EVENTS[name]
        if name != "transmit" and event.role != _BY_NODE:
            command(case, name.replace("_", "-"))(_step(event))


def _step(event: Event) -> Act:
    """Make the command of one event."""

    def act(
        call: Call,
        *,
        case: CaseArgument,
        body: BodyOption = None,
        given: SetOption = None,
        evidence: EvidenceOption = None,
        passphrase_file: PassphraseOption = None,
    ) -> None:
        said = said_in(body, given)
        missing = [one for one in event.required if one not in said.body]
        node_fills = {"signatories", "evidence"} if evidence else {"signatories"}
        if missing := [one for one in missing if one not in node_fills]:
            raise usage(
                f"{event.name.replace('_', ' ')} needs {', '.join(missing)}: give them with "
                "--set NAME=VALUE, or all with --body FILE."
            )
        arguments: dict[str, Json] = {
            "case": case, "body": said.body, "manifest": manifest_json(call, evidence),
        }  # fmt: skip
        with kept_if_refused(call, said.body, typed=said.typed):
            done = ask(call, f"case.{event.name}", arguments, passphrase_file=passphrase_file)
        if not call.out.result(done):
            _say_done(call, event, Fields(done, "answer"))

    act.__doc__ = _meaning(event)
    return act


def _meaning(event: Event) -> str:
    words = event.name.replace("_", " ")
    meaning = MEANINGS.get(event.name, f"{words[0].upper()}{words[1:]}.")
    fields = ", ".join((*event.required, *(f"[{one}]" for one in event.optional)))
    role = f"By a {event.role}."
    return f"{meaning}\n\n    {role} Fields: {fields or 'none'}."


def _say_done(call: Call, event: Event, done: Fields) -> None:
    word = event.name.replace("_", " ")
    if done.has("draft"):
        draft = done.text("draft")
        call.out.verdict(f"The {word} waits for a second person.", good=True)
        call.out.line(f"They agree with:  {call.typed('draft', 'approve', draft[:8])}")
        return
    call.out.verdict(f"The {word} is queued.", good=True)
    say_queued(call, done)


def say_queued(call: Call, sent: Fields) -> None:
    """Say under what name a message is known, and how to see what became of it."""
    case = sent.text("case")
    call.out.line(f"  case     {case}")
    call.out.line(f"  message  {sent.text('message')}")
    call.out.line(f"Whether it has arrived:  {call.typed('case', 'show', short(case))}")


def short(case: str) -> str:
    """Give enough of a case's id to find it again."""
    return case.rpartition("/")[2][:8]
