"""The effect that keeps clocks: what a step starts, stops, resumes, moves and ends.

Only what has its place in the order of a case counts, and only what was signed: the states,
times in bodies and when steps were made. So both sides reach the same due dates, each from
its own copy. The one clock of our own is that of delivery, before there is an order. Where a
case went a way that was not foreseen (a fold made anew), the clocks follow the state.

A clock warns and decides nothing: `lapsed_measures` and `undelivered` say where the node
itself has a step to make, and do not make it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from node.cases.clocks import table
from node.cases.clocks.days import TIME_MAX, Calendar, Calendars, within
from node.cases.clocks.limits import Terms, limit_of, said, warnings_of
from node.cases.clocks.moments import USUAL, following, moments
from node.cases.clocks.said_in import codes_in, time_in
from node.cases.clocks.table import Phase, Question
from node.cases.happened import Happened
from node.cases.law import Law, Limit
from node.storage import Connection, clock_rows
from node.storage.clock_rows import Clock
from node.storage.writer import Tx
from protocol.lifecycle import Standing, moves
from protocol.messages import Side

TRANSMIT: Final = "transmit"
RESEND: Final = "resend"
ABANDON: Final = "abandon_undelivered"
_RULE_CHARS_MAX: Final = 300
_AS_STATED: Final = "as the message says"
_SECOND_PERSON: Final = "24 hours, sent with one signature"
_STATED: Final = {
    "information": "info_due", "consultation": "consultation_due", "review": "review_at",
    "later_consultation": "consultation_due", "reasons_to_continue": "lift_due",
    table.MEASURE: "valid_until",
}  # fmt: skip
"""Clocks whose end a message itself stated, and where the standing keeps it."""


@dataclass(slots=True)
class _Now:
    """One step and what its clocks depend on."""

    tx: Tx
    one: Happened
    terms: Terms
    open: dict[str, Clock]

    def ours(self, side: Side) -> str:
        """Say for whom a clock waits, as its row does."""
        return "us" if self.one.case.side == side else "them"


class Timetable:
    """Keeps the clocks of one authority's cases; an `Effect`."""

    def __init__(self, authority: str, law: Law, state_of: Callable[[str], str | None]) -> None:
        """Keep them for `authority`; `state_of` says which State an authority is of."""
        self._authority = authority
        self._law = law
        self._state_of = state_of
        self._calendars = Calendars(law.holidays)

    def __call__(self, tx: Tx, one: Happened) -> None:
        """Follow a step that happened."""
        terms = terms_of(tx.conn, one)
        rows = {row.name: row for row in clock_rows.open_clocks(tx.conn, one.case.id)}
        now = _Now(tx, one, terms, rows)
        if not one.confirmed:
            if one.event == TRANSMIT and one.ours:
                self._start(now, table.DELIVERY, table.DELIVERY, "requested", None)
            return
        if one.after is None:
            self._follow_undelivered(now)
            return
        self._end(now, table.DELIVERY, "met")
        for question in table.QUESTIONS:
            self._ask(now, question)
        for phase in table.PHASES[one.after.machine]:
            self._follow(now, phase)
        self._stop_for_clarification(now)
        self._move(now)
        self._start_special(now, one.after)
        if one.after.state in table.OVER:
            for name in now.open.keys() - table.LASTING - {"closing"}:
                self._end(now, name, "withdrawn")

    def _follow_undelivered(self, now: _Now) -> None:
        """Follow what our side alone does with a request that has not arrived."""
        if now.one.event == RESEND:
            self._end(now, table.DELIVERY, "missed")
            self._start(now, table.DELIVERY, table.DELIVERY, "requested", None)
        elif now.one.event == ABANDON:
            for name in tuple(now.open):
                self._end(now, name, "withdrawn")

    def calendar(self, case_side: str, peer: str, waits: Side) -> Calendar:
        """Give the calendar of the State whose side must act."""
        return self._calendars.of(self._state_of(self._authority if case_side == waits else peer))

    def next_moment(self, clock: Clock, basis: str | None, now: int) -> int | None:
        """Give when somebody is to be told next of a clock that runs."""
        parts = self.parts(clock.name, basis)
        return following(moments(clock.started_at, clock.due_at, parts), now)

    def parts(self, name: str, basis: str | None) -> tuple[float, ...]:
        """Give after which parts of its time a clock is warned of."""
        return warnings_of(self._law, basis) if name in table.IS_MEASURE else USUAL

    # --- phases ------------------------------------------------------------

    def _follow(self, now: _Now, phase: Phase) -> None:
        """Let the clock of a phase run, stand or end as the state says."""
        if now.one.after is None:
            return
        state, name = now.one.after.state, table.name_of(phase, now.terms)
        row = now.open.get(name)
        if state in phase.runs:
            if row is None:
                self._begin(now, phase, name)
            elif row.stopped_at is not None and table.CLARIFICATION not in now.open:
                self._resume(now, row, phase.waits)
        elif state in phase.stops:
            if row is not None and row.stopped_at is None:
                self._change(now, row, stopped_at=now.one.at, warn_at=None)
        elif row is not None:
            late = now.one.event == "consultation_expired" or state in phase.missed
            how = "missed" if late else "met" if state in phase.met else "withdrawn"
            self._end(now, name, how)

    def _begin(self, now: _Now, phase: Phase, name: str) -> None:
        calendar = self._calendar(now, phase.waits)
        if phase.name == "deadline":
            if now.one.event == TRANSMIT:
                due = time_in(now.one.body, "deadline", calendar)
                self._start_at(now, name, phase.waits, due, "asked for by the request")
            return
        if phase.name == table.ARREST_LIMIT and now.terms.kind != "PROVISIONAL_ARREST":
            return
        due = _stated(now.one, phase.name)
        if phase.name == "decision" and now.one.event == "acknowledge":
            limit = self._limit(now, phase.limit)
            if limit is None or limit.product_default:
                due = time_in(now.one.body, "decision_expected", calendar)
        self._start(now, name, phase.limit, phase.waits, due)

    def _resume(self, now: _Now, row: Clock, waits: Side) -> None:
        """Go on with the time that was left; days that end, end with a day."""
        stopped = row.stopped_at or now.one.at
        calendar, at = self._calendar(now, waits), max(now.one.at, stopped)
        limit = self._limit(now, row.name)
        if limit is not None and limit.unit == "working_days" and row.rule == _rule(limit):
            left = calendar.worked_between(stopped, row.due_at)
            due = calendar.after(at, left, "working_days")
        else:
            due = row.due_at + at - stopped
            if calendar.is_end_of_day(row.due_at):
                due = calendar.end_of(calendar.day_of(due))
        resumed = replace(row, due_at=within(due), stopped_at=None)
        self._change(
            now, row, due_at=resumed.due_at, stopped_at=None, warn_at=self._next(now, resumed)
        )

    def _stop_for_clarification(self, now: _Now) -> None:
        """Let execution stand while what it depends on is being asked."""
        row = now.open.get(table.STOPPED_BY_CLARIFICATION)
        if row is None or row.stopped_at is not None or table.CLARIFICATION not in now.open:
            return
        self._change(now, row, stopped_at=now.one.at, warn_at=None)

    # --- questions ---------------------------------------------------------

    def _ask(self, now: _Now, question: Question) -> None:
        one = now.one
        if question.name in now.open:
            if one.event in question.missed:
                self._end(now, question.name, "missed")
            elif one.event in question.answered and one.side != _asker(now, question):
                self._end(now, question.name, "met")
            return
        if one.event != question.asked or not _allowed(one):
            return
        waits: Side = "requested" if one.side == "requesting" else "requesting"
        self._start(now, question.name, question.limit, waits, _stated(one, question.name))

    # --- what moves a due date, and what has a clock of its own ------------

    def _move(self, now: _Now) -> None:
        """Take over a new end that the requested side stated."""
        one = now.one
        until = one.after.valid_until if one.after is not None else None
        self._move_to(now, table.MEASURES.get(now.terms.kind, table.MEASURE), until, "extended")
        if one.event == "delay_notice" and one.side == "requested" and _allowed(one):
            due = time_in(one.body, "expected", self._calendar(now, "requested"))
            for name in ("decision", "execution"):
                self._move_to(now, name, due, "delay notice")

    def _move_to(self, now: _Now, name: str, due: int | None, rule: str) -> None:
        row = now.open.get(name)
        if row is None or row.stopped_at is not None or due is None or due == row.due_at:
            return
        self._end(now, name, "replaced")
        self._add(now, name, row.waits_for, due, rule)

    def _start_special(self, now: _Now, after: Standing) -> None:
        one, waits = now.one, self._calendar(now, "requesting")
        if after.countersign_due is None:
            self._end(now, table.SECOND_PERSON, "met")
        else:
            self._start_at(
                now, table.SECOND_PERSON, "requesting", after.countersign_due, _SECOND_PERSON
            )
        if one.event == TRANSMIT and one.identity is None and one.body.get("channel") == "ORAL":
            self._start(now, table.ORAL, table.ORAL, "requesting", None)
        if one.event in {"supplement", "note"} and one.side == "requesting":
            self._end(now, table.ORAL, "met")  # what was said is there in writing
        if one.event == "close" and "originals" in one.body:
            self._end(now, table.RETURN, "met")
        if not _allowed(one):
            return
        due = time_in(one.body, "return_due", waits)
        self._start_at(now, table.RETURN, "requesting", due, _AS_STATED)
        released = time_in(one.body, "released", waits)
        if released is not None:
            name = table.SAFE_CONDUCT
            self._start(now, name, name, "requesting", None, since=released)

    # --- rows --------------------------------------------------------------

    def _start(
        self, now: _Now, name: str, limit_name: str, waits: Side, due: int | None,
        *, since: int | None = None,
    ) -> None:  # fmt: skip
        """Start a clock that is not there, due as stated, or by its limit; else none."""
        if name in now.open:
            return
        if due is not None:
            self._start_at(now, name, waits, due, _AS_STATED)
            return
        limit = limit_of(self._law, now.terms, limit_name)
        if limit is not None:
            start = now.one.at if since is None else since
            due = self._calendar(now, waits).after(start, limit.count, limit.unit)
            self._start_at(now, name, waits, due, _rule(limit))

    def _start_at(self, now: _Now, name: str, waits: Side, due: int | None, rule: str) -> None:
        if due is not None and name not in now.open:
            self._add(now, name, now.ours(waits), due, rule)

    def _add(self, now: _Now, name: str, waits_for: str, due: int, rule: str) -> None:
        clock = Clock(now.one.case.id, name, waits_for, rule, within(now.one.at), within(due))
        first = moments(clock.started_at, clock.due_at, self.parts(name, now.terms.basis))[0]
        clock = replace(clock, warn_at=first.at)
        now.open[name] = replace(clock, id=clock_rows.insert_clock(now.tx.conn, clock))

    def _change(self, now: _Now, row: Clock, **changes: int | None) -> None:
        clock_rows.change_clock(now.tx.conn, row.id, **changes)
        now.open[row.name] = replace(row, **changes)  # type: ignore[arg-type]  # of its columns

    def _end(self, now: _Now, name: str, how: str) -> None:
        row = now.open.pop(name, None)
        if row is None:
            return
        end = max(now.one.at, row.started_at)
        late = how == "met" and row.stopped_at is None and end > row.due_at
        clock_rows.change_clock(
            now.tx.conn, row.id, warn_at=None, ended_at=end, ended_how="missed" if late else how
        )

    def _next(self, now: _Now, clock: Clock) -> int | None:
        after = self.next_moment(clock, now.terms.basis, now.tx.now)
        return clock.due_at if after is None else after

    def _limit(self, now: _Now, name: str) -> Limit | None:
        return limit_of(self._law, now.terms, name)

    def _calendar(self, now: _Now, waits: Side) -> Calendar:
        return self.calendar(now.one.case.side, now.one.case.peer, waits)


def terms_of(conn: Connection, one: Happened) -> Terms:
    """Give what decides about limits: from the request itself, later from what is kept."""
    if one.event == TRANSMIT:
        return Terms(one.case.request_kind, *codes_in(one.body))
    return Terms(one.case.request_kind, *clock_rows.terms_of(conn, one.case.id))


def lapsed_measures(conn: Connection, now: int) -> Sequence[str]:
    """Give cases whose measure has run out here, and of which nobody has said so yet."""
    return clock_rows.overdue_in_state(
        conn, "MEASURE_IN_FORCE", sorted(table.IS_MEASURE), waits_for="them", now=now
    )


def undelivered(conn: Connection, now: int) -> Sequence[str]:
    """Give cases whose request has no receipt, though its time for delivery is over."""
    return clock_rows.overdue_in_state(conn, "SENT", [table.DELIVERY], waits_for="them", now=now)


def _asker(now: _Now, question: Question) -> Side:
    """Say which side asked, from whom its clock waits for."""
    waits_for_us = now.open[question.name].waits_for == "us"
    requesting = (now.one.case.side == "requesting") is not waits_for_us
    return "requesting" if requesting else "requested"


def _stated(one: Happened, name: str) -> int | None:
    """Give the end that a message stated for a clock, as where the case stands keeps it."""
    member = _STATED.get(name)
    found = getattr(one.after, member) if member is not None else None
    return found if isinstance(found, int) and 0 < found < TIME_MAX else None


def _allowed(one: Happened) -> bool:
    """Say whether the table has such a move of that side where the case stood."""
    if one.before != one.after:
        return True
    return any(rule.event == one.event for rule in moves(one.before, one.side))


def _rule(limit: Limit) -> str:
    return said(limit)[:_RULE_CHARS_MAX]
