"""`comity audit search`: what happened, as a table, as JSON lines or as CSV.

A CSV is opened in programs that take a cell for a formula if it begins like one, and a
line for a command of the terminal if it holds one: both are made harmless here.
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TextIO, TypeAlias, cast

import typer
from typer.models import OptionInfo

from node.cli.access import settings_of
from node.cli.call import Call, failed, usage
from node.cli.output import harmless, when
from protocol.encoding import Json

if TYPE_CHECKING:
    from node.audit.search import Found
    from node.storage import Connection

_SHOWN: Final = 1_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS: Final = (
    "log", "position", "at", "kind", "person", "case", "message", "peer", "record",
)  # fmt: skip
_DAY_CHARS: Final = len("2026-01-31")
_DAY_S: Final = 86_400


def _option(flag: str, metavar: str, told: str) -> OptionInfo:
    return cast("OptionInfo", typer.Option(flag, metavar=metavar, show_default=False, help=told))


Text: TypeAlias = str | None
Number: TypeAlias = int | None


def search(
    call: Call,
    *,
    since: Annotated[
        Text, _option("--from", "TIME", "2026-01-31 or 2026-01-31T10:00, UTC.")
    ] = None,
    until: Annotated[Text, _option("--until", "TIME", "The same; a day counts whole.")] = None,
    kind: Annotated[Text, _option("--kind", "KIND", "For example message.sent.")] = None,
    by: Annotated[Text, _option("--by", "PERSON", "Who acted: a name, or an id.")] = None,
    case: Annotated[Text, _option("--case", "CASE", "Its id, or how it begins.")] = None,
    peer: Annotated[Text, _option("--peer", "AUTHORITY", "All that concerns it.")] = None,
    message: Annotated[Text, _option("--message", "MESSAGE", "How its identity begins.")] = None,
    log: Annotated[Number, _option("--log", "N", "Which log; else the open one.")] = None,
    limit: Annotated[Number, _option("--limit", "N", "At most so many entries.")] = None,
    form: Annotated[str, _option("--format", "FORM", "table, jsonl or csv.")] = "table",
    out: Annotated[Path | None, _option("--out", "FILE", "Where to put jsonl or csv.")] = None,
) -> None:
    """Search the log by time, kind, person, case, peer or message."""
    from node.audit.kept import newest_number
    from node.audit.search import Question, plan, results
    from node.reading import open_desk_for_reading

    write = _WRITERS.get(form)
    if form != "table" and (write is None or call.out.as_json):
        raise usage("--format is table, jsonl or csv, and goes without --json.")
    if out is not None and write is None:
        raise usage("--out needs --format jsonl or csv.")
    first, last = time_of(since, end=False), time_of(until, end=True)

    def work(conn: Connection) -> None:
        newest = newest_number(conn)
        number = log or newest
        if not 1 <= number <= newest:
            raise failed("not-here", f"There is no log {number}; the open one is log {newest}.")
        question = Question(number, first, last, kind, by, case, peer, message)
        found = results(conn, plan(conn, question))
        if write is None:
            _show(call, number, found, limit or _SHOWN)
            if log is None and number > 1 and not call.out.as_json:
                call.out.line(f"This is log {number}. What was before: --log {number - 1}.")
            return
        with _opened(out) as file:
            count = write(file, number, islice(found, limit))
        if out is not None:
            call.out.verdict(f"Wrote {count:,} entries to {out}.", good=True)

    with open_desk_for_reading(settings_of(call), None) as desk:
        desk.database.read(work)


def _show(call: Call, number: int, found: Iterator[Found], limit: int) -> None:
    shown = list(islice(found, limit))
    more = next(found, None) is not None
    entries: list[Json] = [_json(number, one) for one in shown]
    if call.out.result(
        {"schema": "comity.search/1", "log": number, "entries": entries, "more": more}
    ):
        return
    if not shown:
        call.out.line("No entry matches.")
        return
    call.out.table(
        ("entry", "at", "kind", "by", "case", "peer", "message"),
        [
            (one.position, when(one.at), one.kind if one.record else f"{one.kind} (erased)",
             one.person, one.case, one.peer, (one.message or "")[:16])
            for one in shown
        ],
    )  # fmt: skip
    if more:
        call.out.line(
            f"There are more than these {len(shown):,}: --limit N, or --format jsonl for all."
        )


def _json(number: int, one: Found) -> dict[str, Json]:
    return {"log": number, **asdict(one)}


# --- files -----------------------------------------------------------------


@contextlib.contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """Give standard output, or a new file that is there whole or not at all."""
    if path is None:
        yield sys.stdout
        return
    try:
        file = path.open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise failed(
            "exists", f"{path} exists and is never overwritten: choose another place."
        ) from None
    try:
        with file:
            yield file
    except BaseException:
        path.unlink()
        raise


def _write_lines(file: TextIO, number: int, found: Iterable[Found]) -> int:
    count = 0
    for one in found:
        file.write(json.dumps(_json(number, one), separators=(",", ":")) + "\n")
        count += 1
    return count


def _write_csv(file: TextIO, number: int, found: Iterable[Found]) -> int:
    rows = csv.writer(file)
    rows.writerow(_COLUMNS)
    count = 0
    for one in found:
        count += 1
        record = "" if one.record is None else json.dumps(one.record, separators=(",", ":"))
        cells = (
            number, one.position, _iso(one.at), one.kind, one.person, one.case, one.message,
            one.peer, record,
        )  # fmt: skip
        rows.writerow([cell_of(cell) for cell in cells])
    return count


def cell_of(value: object) -> str:
    """Give a value as a cell that is no formula and steers no terminal."""
    raw = "" if value is None else str(value)
    text = harmless(raw)
    return f"'{text}" if raw.startswith(_FORMULA) else text


_WRITERS: Final[dict[str, Callable[[TextIO, int, Iterable[Found]], int]]] = {
    "jsonl": _write_lines,
    "csv": _write_csv,
}


# --- times -----------------------------------------------------------------


def _iso(time: int) -> str:
    return dt.datetime.fromtimestamp(time, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(text: str | None, *, end: bool) -> int | None:
    """Read a time; a day alone is its first second, or its last one where it ends a span."""
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise usage(f'"{text}" is no time: write 2026-01-31 or 2026-01-31T10:00.') from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    seconds = int(moment.timestamp())
    return seconds + _DAY_S - 1 if end and len(text) == _DAY_CHARS else seconds
