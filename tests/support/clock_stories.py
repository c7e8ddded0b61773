"""What may happen to the clocks of a case, as a table: steps, and how a clock stands after them.

    for row in ROWS: played(database, row).clock(row.clock)

Times are of States whose days are those of UTC.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import Final

from node.storage.engine import Database
from protocol.encoding import Json
from protocol.lifecycle import OneSide
from tests.support.clockwork import Clockwork
from tests.support.lifecycles import SIGNATORIES

DAY: Final = 86_400
HOUR: Final = 3_600


def at(text: str) -> int:
    """Give the Unix second of a time in UTC, where the States of these tests are."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp())


def end_of(day: str) -> int:
    """Give the last second of a day."""
    return at(f"{day}T23:59:59")


MONDAY: Final = at("2026-06-01T09:00")
PLAIN: Final[dict[str, Json]] = {
    "legal_basis": [{"instrument": "UNCAC", "primary": True}], "urgency": "ROUTINE",
    "signatories": SIGNATORIES,
}  # fmt: skip
URGENT: Final[dict[str, Json]] = {**PLAIN, "urgency": "URGENT"}
EMERGENCY: Final[dict[str, Json]] = {**PLAIN, "urgency": "EMERGENCY"}
Move = tuple[str, OneSide, str] | tuple[str, OneSide, str, dict[str, Json]]

ACK: Final[Move] = ("acknowledge", "requested", "2026-06-02T09:00")
ACCEPT: Final[Move] = ("accept", "requested", "2026-06-03T09:00")
ASSIGN: Final[Move] = ("assign_execution", "requested", "2026-06-04T09:00")
ASK: Final[Move] = (
    "request_information", "requested", "2026-06-05T09:00", {"due": end_of("2026-06-20")},
)  # fmt: skip
ANSWER: Final[Move] = ("provide_information", "requesting", "2026-06-10T15:00")
CONSULT: Final[Move] = (
    "open_consultation", "requested", "2026-06-05T09:00", {"due": end_of("2026-06-12")},
)  # fmt: skip
REPLY: Final[Move] = ("reply_consultation", "requesting", "2026-06-08T09:00")
RESULT: Final[Move] = ("send_final_result", "requested", "2026-07-01T09:00")
MEASURE: Final[tuple[Move, ...]] = (
    ACK, ACCEPT, ASSIGN,
    ("impose_measure", "requested", "2026-06-05T09:00",
     {"valid_from": at("2026-06-05T09:00"), "valid_until": at("2026-08-04T09:00")}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """After these steps, the newest clock of a name waits, is due and has ended like this."""

    clock: str
    waits: OneSide
    due: int
    moves: tuple[Move, ...] = ()
    how: str | None = None
    stopped: int | None = None
    kind: str = "MLA_EVIDENCE"
    body: dict[str, Json] = field(default_factory=lambda: PLAIN)
    rule: str = ""


ROWS: Final = (
    # --- delivered and not acknowledged
    Row("acknowledgement", "requested", end_of("2026-06-08"), rule="7 days (product default)"),
    Row("acknowledgement", "requested", end_of("2026-06-02"), body=URGENT),
    Row("acknowledgement", "requested", MONDAY + 4 * HOUR, body=EMERGENCY),
    Row("acknowledgement", "requested", end_of("2026-06-08"), (ACK,), how="met"),
    Row("acknowledgement", "requested", end_of("2026-06-08"),
        (("acknowledge", "requested", "2026-06-20T09:00"),), how="missed"),
    Row("acknowledgement", "requested", end_of("2026-06-08"),
        (("withdraw", "requesting", "2026-06-03T09:00"),), how="withdrawn"),
    Row("acknowledgement", "requested", end_of("2026-06-08"),
        (("return_misdirected", "requested", "2026-06-03T09:00"),), how="met"),
    # --- decision
    Row("decision", "requested", end_of("2026-07-02"), (ACK,)),
    Row("decision", "requested", at("2026-06-20T12:00"),
        ((*ACK, {"decision_expected": at("2026-06-20T12:00")}),), rule="as the message says"),
    Row("decision", "requested", at("2026-06-03T09:00"), (ACK,), kind="FREEZING"),
    Row("decision", "requested", end_of("2026-07-02"), (ACK, ASK), stopped=at("2026-06-05T09:00")),
    Row("decision", "requested", end_of("2026-07-08"), (ACK, ASK, ANSWER)),
    Row("decision", "requested", end_of("2026-07-02"), (ACK, CONSULT),
        stopped=at("2026-06-05T09:00")),
    Row("decision", "requested", end_of("2026-07-05"), (ACK, CONSULT, REPLY)),
    Row("decision", "requested", end_of("2026-07-02"), (ACK, ACCEPT), how="met"),
    Row("decision", "requested", end_of("2026-07-02"),
        (ACK, ("withdraw", "requesting", "2026-06-03T09:00")), how="withdrawn"),
    Row("decision", "requested", at("2026-08-01T00:00"),
        (ACK, ("delay_notice", "requested", "2026-06-20T09:00",
               {"expected": at("2026-08-01T00:00")})), rule="delay notice"),
    # --- information and consultation
    Row("information", "requesting", end_of("2026-06-20"), (ACK, ASK)),
    Row("information", "requesting", end_of("2026-06-20"), (ACK, ASK, ANSWER), how="met"),
    Row("information", "requesting", end_of("2026-06-20"),
        (ACK, ASK, ("reminder", "requested", "2026-06-15T09:00"),
         ("return_incomplete", "requested", "2026-06-22T09:00")), how="missed"),
    Row("consultation", "requesting", end_of("2026-06-12"), (ACK, CONSULT)),
    Row("consultation", "requesting", end_of("2026-06-12"), (ACK, CONSULT, REPLY), how="met"),
    Row("consultation", "requesting", end_of("2026-06-12"),
        (ACK, CONSULT, ("consultation_expired", "requested", "2026-06-15T09:00")), how="missed"),
    Row("later_consultation", "requesting", end_of("2026-06-19"),
        (ACK, ACCEPT, ("consultation_opened", "requested", "2026-06-09T09:00",
                       {"due": end_of("2026-06-19")}))),
    Row("later_consultation", "requesting", end_of("2026-06-19"),
        (ACK, ACCEPT, ("consultation_opened", "requested", "2026-06-09T09:00",
                       {"due": end_of("2026-06-19")}),
         ("consultation_replied", "requesting", "2026-06-10T09:00")), how="met"),
    # --- execution
    Row("execution", "requested", end_of("2026-09-01"), (ACK, ACCEPT)),
    Row("execution", "requested", end_of("2026-09-01"), (ACK, ACCEPT, ASSIGN)),
    Row("execution", "requested", end_of("2026-09-01"),
        (ACK, ACCEPT, ASSIGN, ("send_partial_result", "requested", "2026-06-20T09:00"))),
    Row("execution", "requested", end_of("2026-09-01"), (ACK, ACCEPT, ASSIGN, RESULT), how="met"),
    Row("execution", "requested", end_of("2026-09-30"),
        (ACK, ACCEPT, ASSIGN, RESULT, ("dispute_result", "requesting", "2026-07-02T09:00"))),
    Row("execution", "requested", end_of("2026-09-01"),
        (ACK, ACCEPT, ASSIGN, ("clarification_opened", "requested", "2026-06-10T09:00")),
        stopped=at("2026-06-10T09:00")),
    Row("execution", "requested", end_of("2026-09-06"),
        (ACK, ACCEPT, ASSIGN, ("clarification_opened", "requested", "2026-06-10T09:00"),
         ("clarification_answered", "requesting", "2026-06-15T09:00"))),
    Row("clarification", "requesting", end_of("2026-07-10"),
        (ACK, ACCEPT, ASSIGN, ("clarification_opened", "requested", "2026-06-10T09:00"))),
    # --- postponed
    Row("review", "requested", end_of("2026-12-01"),
        (ACK, CONSULT, REPLY, ("postpone", "requested", "2026-06-09T09:00",
                               {"review": end_of("2026-12-01")}))),
    Row("review", "requested", end_of("2026-12-01"),
        (ACK, CONSULT, REPLY, ("postpone", "requested", "2026-06-09T09:00",
                               {"review": end_of("2026-12-01")}),
         ("resume_review", "requested", "2026-11-01T09:00")), how="met"),
    Row("decision", "requested", end_of("2026-07-05") + 145 * DAY,
        (ACK, CONSULT, REPLY, ("postpone", "requested", "2026-06-09T09:00",
                               {"review": end_of("2026-12-01")}),
         ("resume_review", "requested", "2026-11-01T09:00"))),
    # --- measures
    Row("preservation", "requesting", at("2026-08-04T09:00"), MEASURE, kind="PRESERVATION"),
    Row("measure", "requesting", at("2026-08-04T09:00"), MEASURE, kind="FREEZING"),
    Row("provisional_arrest", "requesting", at("2026-08-04T09:00"), MEASURE,
        kind="PROVISIONAL_ARREST"),
    Row("preservation", "requesting", at("2026-09-01T09:00"),
        (*MEASURE, ("extension_requested", "requesting", "2026-07-20T09:00"),
         ("extend_measure", "requested", "2026-07-22T09:00",
          {"valid_until": at("2026-09-01T09:00")})), kind="PRESERVATION", rule="extended"),
    Row("extension", "requested", end_of("2026-07-27"),
        (*MEASURE, ("extension_requested", "requesting", "2026-07-20T09:00")),
        kind="PRESERVATION"),
    Row("preservation", "requesting", at("2026-08-04T09:00"),
        (*MEASURE, ("measure_expired", "requested", "2026-08-04T09:00")), kind="PRESERVATION",
        how="missed"),
    Row("preservation", "requesting", at("2026-08-04T09:00"),
        (*MEASURE, ("convert_measure", "requested", "2026-07-04T09:00")), kind="PRESERVATION",
        how="met"),
    Row("reasons_to_continue", "requesting", end_of("2026-06-30"),
        (*MEASURE, ("intent_to_lift", "requested", "2026-06-20T09:00",
                    {"due": end_of("2026-06-30")})), kind="FREEZING"),
    Row("reasons_to_continue", "requesting", end_of("2026-06-30"),
        (*MEASURE, ("intent_to_lift", "requested", "2026-06-20T09:00",
                    {"due": end_of("2026-06-30")}),
         ("reasons_to_continue", "requesting", "2026-06-22T09:00")), kind="FREEZING", how="met"),
    Row("reasons_to_continue", "requesting", end_of("2026-06-30"),
        (*MEASURE, ("intent_to_lift", "requested", "2026-06-20T09:00",
                    {"due": end_of("2026-06-30")}),
         ("lift_measure", "requested", "2026-07-02T09:00")), kind="FREEZING", how="missed"),
    # --- what comes at the end, and what is asked on the way
    Row("confirmation", "requesting", end_of("2026-07-31"), (ACK, ACCEPT, ASSIGN, RESULT)),
    Row("closing", "requesting", end_of("2026-08-01"),
        (ACK, ACCEPT, ASSIGN, RESULT, ("confirm_result", "requesting", "2026-07-02T09:00"))),
    Row("closing", "requesting", end_of("2026-08-01"),
        (ACK, ACCEPT, ASSIGN, RESULT, ("confirm_result", "requesting", "2026-07-02T09:00"),
         ("close", "requesting", "2026-07-03T09:00")), how="met"),
    Row("withdrawal", "requested", end_of("2026-06-10"),
        (("withdraw", "requesting", "2026-06-03T09:00"),)),
    Row("status_reply", "requested", end_of("2026-06-17"),
        (ACK, ("status_query", "requesting", "2026-06-03T09:00"))),
    Row("status_reply", "requested", end_of("2026-06-17"),
        (ACK, ("status_query", "requesting", "2026-06-03T09:00"),
         ("status_report", "requested", "2026-06-04T09:00")), how="met"),
    Row("consent", "requested", end_of("2026-08-02"),
        (ACK, ACCEPT, ASSIGN, RESULT, ("confirm_result", "requesting", "2026-07-02T09:00"),
         ("close", "requesting", "2026-07-03T08:00"),
         ("use_consent_requested", "requesting", "2026-07-03T09:00"))),
    Row("deadline", "requested", end_of("2026-06-30"), body={**PLAIN, "deadline": "2026-06-30"}),
    Row("deadline", "requested", end_of("2026-06-30"), (ACK, ASK),
        body={**PLAIN, "deadline": "2026-06-30"}),
    # --- people
    Row("second_person", "requesting", MONDAY + DAY, kind="PRESERVATION",
        body={**PLAIN, "signatories": [{"name": "Duty", "role": "duty-officer"}]}),
    Row("second_person", "requesting", MONDAY + DAY,
        (("countersign", "requesting", "2026-06-01T12:00",
          {"signatories": [{"name": "Second", "role": "approver"}]}),), how="met",
        kind="PRESERVATION",
        body={**PLAIN, "signatories": [{"name": "Duty", "role": "duty-officer"}]}),
    Row("return_due", "requesting", end_of("2026-09-15"),
        (ACK, (*ACCEPT, {"return_due": "2026-09-15"}))),
    Row("safe_conduct", "requesting", end_of("2026-09-15"),
        (ACK, ACCEPT, ("supplement", "requesting", "2026-08-31T09:00",
                       {"released": at("2026-08-31T09:00")}))),
    # --- the reduced machines
    Row("offer", "requested", end_of("2026-06-08"), kind="SPONTANEOUS"),
    Row("release", "requesting", end_of("2026-06-10"),
        (("accept_restrictions", "requested", "2026-06-03T09:00"),), kind="SPONTANEOUS"),
    Row("answer", "requested", end_of("2026-07-01"), kind="INFORMAL_INQUIRY"),
    Row("answer", "requested", end_of("2026-07-01"),
        (("answer", "requested", "2026-06-09T09:00"),), kind="INFORMAL_INQUIRY", how="met"),
    Row("closing", "requesting", end_of("2026-07-09"),
        (("answer", "requested", "2026-06-09T09:00"),), kind="INFORMAL_INQUIRY"),
)  # fmt: skip


def played(database: Database, row: Row) -> Clockwork:
    """Let everything happen that a row says."""
    scene = Clockwork(database, row.kind, name=name())
    scene.send(row.body, at=MONDAY)
    for move in row.moves:
        body = move[3] if len(move) > 3 else None
        scene.step(move[0], move[1], at=at(move[2]), body=body)
    return scene


_NAMES = itertools.count()


def name() -> str:
    """Give a name that no scene had yet."""
    return f"n{next(_NAMES)}"
