"""`comity work`: what is due, what waits for us and what for others; clocks; a calendar."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from typer.core import TyperGroup

from node.cli.access import ask, settings_of
from node.cli.call import Call, PassphraseOption, command, usage
from node.cli.files import write_new
from node.cli.output import plural
from protocol.encoding import Fields, Json

_GROUPS: Final = ("all", "overdue", "today", "us", "them")
_REASONS: Final = ("agreed", "ordered", "corrected", "extended")
_HELP: Final = ("-h", "--help")
_ID_CHARS: Final = 13
_LINES_MAX: Final = 10_000

CaseArgument = Annotated[
    str, typer.Argument(metavar="CASE", help="Its id, or how it begins.", show_default=False)
]
ClockArgument = Annotated[
    str, typer.Argument(metavar="CLOCK", help="As decision or information.", show_default=False)
]


class _Work(TyperGroup):
    """The group `work`, which alone means its list."""

    # Untyped, as click's own: its types are not those that typer carries along.
    def parse_args(self, ctx, args):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  (see above)
        """Take options without a command as those of the list."""
        if not args or (args[0].startswith("-") and args[0] not in _HELP):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    work = typer.Typer(cls=_Work, help="See what is due, and for whom things wait.")
    command(work, "list")(work_list)
    command(work, "calendar")(calendar)
    command(work, "clocks")(clocks)
    command(work, "due")(due)
    command(work, "done")(done)
    app.add_typer(work, name="work")


def work_list(
    call: Call,
    *,
    group: Annotated[
        str, typer.Option("--group", metavar="GROUP", help=f"One of {', '.join(_GROUPS)}.")
    ] = "all",
    after: Annotated[
        str | None,
        typer.Option("--after", metavar="PLACE", help="Where a page ended.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Lines, up to 200.")] = 50,
) -> None:
    """Show what is overdue, due today, and waited for, the most pressing first."""
    if group not in _GROUPS:
        raise usage(f"--group is one of {', '.join(_GROUPS)}.")
    answer = ask(call, "work.list", {"group": group, "after": after, "limit": limit})
    if call.out.result(answer):
        return
    fields = Fields(answer, "work")
    counts, most = fields.object("counts"), fields.integer("counted_max")
    said = {name: f"{n:,}+" if n == most else f"{n:,}" for name, n in counts.items()}
    call.out.heading(
        f"{said['overdue']} overdue, {said['today']} due today; "
        f"{said['us']} wait for us, {said['them']} for others."
    )
    zone = _zone(call)
    rows = [Fields(one, "item") for one in fields.items("items", count_max=_LINES_MAX)]
    if not rows:
        call.out.line("Nothing is waited for here.")
        return
    call.out.table(
        ("case", "reference", "with", "kind", "state", "clock", "waits for", "due", ""),
        [_row(one, zone) for one in rows],
    )
    if answer["next"] is not None:
        call.out.line(f"There are more: --after {answer['next']}")


def calendar(
    call: Call,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="A new file.", show_default=False),
    ] = None,
) -> None:
    """Give all that is due as a calendar (ICS) for another program: references and dates alone."""
    answer = ask(call, "work.calendar", {})
    if out is not None:
        write_new(out, str(answer["calendar"]).encode())
        answer = {**answer, "file": str(out)}
    if call.out.result(answer):
        return
    if out is None:
        call.out.line(str(answer["calendar"]).rstrip())
        return
    call.out.verdict(f"Wrote {plural(int(str(answer['events'])), 'date')} to {out}.", good=True)


def clocks(call: Call, case: CaseArgument) -> None:
    """Show all clocks of a case: by which rule, until when, and how those ended that did."""
    answer = ask(call, "clock.list", {"case": case})
    if call.out.result(answer):
        return
    zone = _zone(call)
    rows = [
        Fields(one, "clock")
        for one in Fields(answer, "clocks").items("clocks", count_max=_LINES_MAX)
    ]
    if not rows:
        call.out.line("No clock has run in this case.")
        return
    call.out.table(
        ("clock", "waits for", "started", "due", "rule", ""),
        [
            (
                one.text("name"), _whom(one), _when(one.take("started"), zone),
                _when(one.take("due"), zone), one.text("rule"), _standing(one, zone),
            )
            for one in rows
        ],
    )  # fmt: skip


def due(
    call: Call,
    case: CaseArgument,
    clock: ClockArgument,
    date: Annotated[
        str,
        typer.Argument(metavar="DATE", help="2026-01-31, or with a time.", show_default=False),
    ],
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="CODE", help=f"One of {', '.join(_REASONS)}.")
    ] = "agreed",
    passphrase_file: PassphraseOption = None,
) -> None:
    """Set until when something is awaited, as was agreed; it is recorded who did."""
    if reason not in _REASONS:
        raise usage(f"--reason is one of {', '.join(_REASONS)}: words do not stand in the log.")
    zone = _zone(call)
    answer = ask(
        call, "clock.move",
        {"case": case, "clock": clock, "due": _moment(date, zone), "reason": reason},
        passphrase_file=passphrase_file,
    )  # fmt: skip
    if not call.out.result(answer):
        call.out.verdict(f"{clock} is due {_when(answer['due'], zone)}.", good=True)


def done(
    call: Call,
    case: CaseArgument,
    clock: ClockArgument,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Say that what a clock awaited has been done, where no message says so."""
    answer = ask(call, "clock.end", {"case": case, "clock": clock}, passphrase_file=passphrase_file)
    if not call.out.result(answer):
        call.out.verdict(f"{clock} has ended.", good=True)


# --- words -----------------------------------------------------------------


def _row(one: Fields, zone: ZoneInfo) -> tuple[object, ...]:
    state = "overdue" if one.take("overdue") else "today" if one.take("today") else ""
    stopped = one.take("stopped")
    return (
        one.text("case").rpartition("/")[2][:_ID_CHARS],
        one.take("own_ref") or one.take("peer_ref"), one.text("peer"), one.text("request_kind"),
        one.text("state"), one.text("name"), _whom(one), _when(one.take("due"), zone),
        state if stopped is None else "stopped",
    )  # fmt: skip


def _whom(one: Fields) -> str:
    return "us" if one.text("waits_for") == "us" else "them"


def _standing(one: Fields, zone: ZoneInfo) -> str:
    ended, how, stopped = one.take("ended"), one.take("how"), one.take("stopped")
    if ended is not None:
        return f"{how} {_when(ended, zone)}"
    return "" if stopped is None else f"stopped {_when(stopped, zone)}"


def _zone(call: Call) -> ZoneInfo:
    return ZoneInfo(settings_of(call).clocks.zone)


def _when(time: Json, zone: ZoneInfo) -> str:
    """Give a time as this office reads it."""
    if not isinstance(time, int):
        return ""
    return dt.datetime.fromtimestamp(time, zone).strftime("%Y-%m-%d %H:%M %Z")


def _moment(text: str, zone: ZoneInfo) -> int:
    """Read a date of this office; a day alone means its end."""
    try:
        if len(text) == len("2026-01-31"):
            day = dt.date.fromisoformat(text) + dt.timedelta(days=1)
            return int(dt.datetime.combine(day, dt.time(), zone).timestamp()) - 1
        moment = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise usage("A date is written 2026-01-31 or 2026-01-31T10:00.") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp())
