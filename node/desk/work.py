"""The verbs of work: what is due and what is waited for, as a list and as a calendar; clocks.

Parses arguments and renders results; decides nothing about cases or clocks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import Field

from node.access.roles import AUDITING, CASEWORK, Role
from node.cases.clocks.by_hand import Reason, end_clock, move_clock
from node.cases.clocks.calendar import encode_calendar
from node.cases.clocks.days import TIME_MAX, Calendar
from node.desk.arguments import Arguments, CaseName, Nothing
from node.desk.verb import Desk, Result, Verb
from node.storage import Connection, clock_rows, person_rows, work_rows
from node.storage.clock_rows import Clock
from node.storage.work_rows import COUNTED_MAX, Group, Item, Wanted
from protocol.encoding import Json
from protocol.errors import Malformed

_CURSOR: Final = re.compile(r"([0-9]{1,12}):([0-9]{1,18})")
_CALENDAR_MAX: Final = 2_000

ClockName = Annotated[
    str, Field(pattern=r"^[a-z][a-z_]{0,63}$", description="As decision or information.")
]


class WorkList(Arguments):
    """A part of the work list, page by page."""

    group: Group = Field("all", description="overdue, today, us (we act), them, or all.")
    after: str | None = Field(None, max_length=64, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=200, description="How many lines at most.")


class ClocksOfCase(Arguments):
    """One case."""

    case: CaseName


class MoveClock(Arguments):
    """Another due date for a clock of a case."""

    case: CaseName
    clock: ClockName
    due: int = Field(gt=0, lt=TIME_MAX, description="Unix seconds.")
    reason: Reason = Field(description="A code: words about a case do not stand in the log.")


class EndClock(Arguments):
    """A clock of a case that was met by what no message says."""

    case: CaseName
    clock: ClockName


def _work_list(desk: Desk, args: WorkList) -> Result:
    wanted, after = _wanted(desk, args.group), _cursor(args.after)

    def read(conn: Connection) -> Result:
        found = work_rows.page(conn, wanted, after=after, at_most=args.limit + 1)
        page, names = found[: args.limit], person_rows.person_names(conn)
        last = page[-1].clock if len(found) > args.limit else None
        counts: dict[str, Json] = {**work_rows.counts(conn, wanted)}
        return {
            "schema": "comity.work/1",
            "now": wanted.now,
            "today_until": wanted.today_until,
            "counts": counts,
            "counted_max": COUNTED_MAX,
            "items": [_item(one, wanted, names) for one in page],
            "next": None if last is None else f"{last.due_at}:{last.id}",
        }

    return desk.database.read(read)


def _work_calendar(desk: Desk, _: Nothing) -> Result:
    wanted = _wanted(desk, "all")
    items = desk.database.read(
        lambda conn: work_rows.page(conn, wanted, after=None, at_most=_CALENDAR_MAX)
    )
    runs = [one for one in items if one.clock.stopped_at is None]
    text = encode_calendar(runs, authority=desk.office.authority, now=wanted.now)
    return {"schema": "comity.calendar/1", "events": len(runs), "calendar": text}


def _clock_list(desk: Desk, args: ClocksOfCase) -> Result:
    found = desk.database.read(lambda conn: clock_rows.list_clocks(conn, args.case))
    return {
        "schema": "comity.clocks/1",
        "case": args.case,
        "clocks": [_clock(one) for one in found],
    }


def _clock_move(desk: Desk, args: MoveClock) -> Result:
    moved = desk.unit(
        lambda tx: move_clock(
            tx, desk.office.network, args.case, name=args.clock, due=args.due, reason=args.reason
        )
    )
    return {"schema": "comity.clock/1", "case": args.case, **_clock(moved)}


def _clock_end(desk: Desk, args: EndClock) -> Result:
    desk.unit(lambda tx: end_clock(tx, desk.office.network, args.case, name=args.clock))
    return {"schema": "comity.clock-ended/1", "case": args.case, "name": args.clock}


def _wanted(desk: Desk, group: Group) -> Wanted:
    now = desk.clock.now()
    office = Calendar(ZoneInfo(desk.settings.clocks.zone))
    return Wanted(desk.asking, now, office.end_of(office.day_of(now)), group)


def _cursor(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise Malformed("after: give what `next` of the page before said")
    return int(found[1]), int(found[2])


def _item(one: Item, wanted: Wanted, names: Mapping[str, str]) -> Result:
    clock = one.clock
    runs = clock.stopped_at is None
    return {
        **_clock(clock),
        "case": clock.case_id,
        "overdue": runs and clock.due_at < wanted.now,
        "today": runs and wanted.now <= clock.due_at <= wanted.today_until,
        "side": one.side,
        "peer": one.peer,
        "request_kind": one.request_kind,
        "state": one.state,
        "own_ref": one.own_ref,
        "peer_ref": one.peer_ref,
        "officer": None if one.officer is None else names.get(one.officer),
    }


def _clock(clock: Clock) -> Result:
    return {
        "clock": clock.id,
        "name": clock.name,
        "waits_for": clock.waits_for,
        "rule": clock.rule,
        "started": clock.started_at,
        "due": clock.due_at,
        "stopped": clock.stopped_at,
        "ended": clock.ended_at,
        "how": clock.ended_how,
        "warned": clock.warned_at,
        "escalated": clock.escalated_at,
    }


_SETS: Final = frozenset({
    Role.OFFICER, Role.APPROVER, Role.CASE_OFFICER, Role.DECISION_OFFICER, Role.INTAKE,
    Role.DUTY_OFFICER,
})  # fmt: skip

WORK: Final[Mapping[str, Verb]] = {
    "work.list": Verb(_work_list, WorkList, may=CASEWORK),
    "work.calendar": Verb(_work_calendar, Nothing, may=CASEWORK),
    "clock.list": Verb(_clock_list, ClocksOfCase, may=CASEWORK | AUDITING, reach="row"),
    "clock.move": Verb(_clock_move, MoveClock, may=_SETS, writes=True, needs_keys=True),
    "clock.end": Verb(_clock_end, EndClock, may=_SETS, writes=True, needs_keys=True),
}
