"""`comity case search` and `comity statistics`: finding cases, and counting them."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from node.cli import case_text
from node.cli.access import ask
from node.cli.call import Call, PassphraseOption, command, usage
from node.cli.files import write_new
from node.cli.output import plural
from node.cli.searching import cell_of, time_of
from protocol.encoding import Fields, Json

_FOUND_MAX: Final = 100
_ROWS_MAX: Final = 1_000_000
_DAY_S: Final = 86_400
_COLUMNS: Final = (
    "table", "direction", "value", "count", "median_s", "p90_s", "stage", "currency", "amount",
)  # fmt: skip


def register_in(case: typer.Typer) -> None:
    """Add the search to the group `case`."""
    command(case, "search")(search)


def register(app: typer.Typer) -> None:
    """Add the command of statistics."""
    command(app, "statistics")(statistics)


def search(
    call: Call,
    *,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORD...", show_default=False,
            help="Names or other words that all occur in a case, in any script; or how one of "
            "its references or its id begins; or an authority's id.",
        ),
    ],
    limit: Annotated[int, typer.Option(metavar="N", help="At most so many cases.")] = 50,
    passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Find cases by names, references, or other words in them."""
    if not 1 <= limit <= _FOUND_MAX:
        raise usage(f"--limit is from 1 to {_FOUND_MAX}.")
    arguments: dict[str, Json] = {"words": " ".join(words), "limit": limit}
    found = ask(call, "case.search", arguments, passphrase_file=passphrase_file)
    if call.out.result(found):
        return
    count = len(Fields(found, "answer").items("cases", count_max=_FOUND_MAX))
    if not count:
        call.out.line("No case that you may know of has all of these words.")
        return
    case_text.say_cases(call, Fields(found, "answer"))
    if found.get("more"):
        call.out.line(f"There are more than these {count}: add a word, or --limit N.")


def statistics(
    call: Call,
    *,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", show_default=False,
                     help="Cases opened from then on: 2026-01-31, UTC."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", show_default=False,
                     help="And until then; a day counts whole."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", show_default=False,
                     help="Which tables, as kind,basis,result; else all."),
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="In a form that tells no number below five.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="Where to put the CSV."),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Count cases by direction, other side, kind, legal basis, offence, outcome, and time."""
    if as_csv and call.out.as_json:
        raise usage("--csv goes without --json.")
    if out is not None and not as_csv:
        raise usage("--out needs --csv.")
    arguments: dict[str, Json] = {"published": published}
    first, last = time_of(since, end=False), time_of(until, end=True)
    if first is not None:
        arguments["first"] = first
    if last is not None:
        arguments["last"] = last
    if by is not None:
        arguments["by"] = [one.strip() for one in by.split(",") if one.strip()]
    found = ask(call, "case.statistics", arguments, passphrase_file=passphrase_file)
    if as_csv:
        _give_csv(call, found, out)
    elif not call.out.result(found):
        _show(call, Fields(found, "answer"))


def _give_csv(call: Call, found: dict[str, Json], out: Path | None) -> None:
    text = io.StringIO(newline="")
    written = csv.writer(text)
    written.writerow(_COLUMNS)
    for row in _rows(Fields(found, "answer")):
        written.writerow([cell_of(row.get(column)) for column in _COLUMNS])
    if out is None:
        sys.stdout.write(text.getvalue())
        return
    write_new(out, text.getvalue().encode())
    call.out.verdict(f"Wrote the statistics to {out}.", good=True)


def _rows(found: Fields) -> Iterator[dict[str, Json]]:
    """Give all numbers, one a row."""
    for direction, total in found.object("totals").items():
        yield {"table": "total", "direction": direction, "count": total}
    for one in _items(found, "tables"):
        table, direction = one.text("table"), one.text("direction")
        for cell in _items(one, "cells"):
            value, count = cell.take("value"), cell.take("count")
            yield {"table": table, "direction": direction, "value": value, "count": count}
    for one in _items(found, "times"):
        yield {
            "table": "time", "direction": one.text("direction"), "value": one.text("time"),
            "count": one.take("count"), "median_s": one.take("median_s"),
            "p90_s": one.take("p90_s"),
        }  # fmt: skip
    for one in _items(found, "sums"):
        yield {
            "table": "sum", "direction": one.text("direction"), "stage": one.text("stage"),
            "currency": one.text("currency"), "count": one.take("cases"),
            "amount": one.text("amount"),
        }  # fmt: skip


def _items(fields: Fields, name: str) -> list[Fields]:
    return [Fields(one, name) for one in fields.items(name, count_max=_ROWS_MAX)]


def _show(call: Call, found: Fields) -> None:
    """Show the numbers, table by table."""
    for direction, total in found.object("totals").items():
        told = "fewer than 5 cases" if total is None else plural(int(str(total)), "case")
        call.out.heading(f"{direction.capitalize()}: {told}")
    for one in _items(found, "tables"):
        call.out.line()
        call.out.table(
            (one.text("table"), one.text("direction")),
            [
                (cell.take("value") or "not stated", cell.take("count"))
                for cell in _items(one, "cells")
            ],
        )
    call.out.line()
    for one in _items(found, "times"):
        call.out.line(
            f"Time to {one.text('time')} ({one.text('direction')}): "
            f"median {_days(one.take('median_s'))}, 90th percentile {_days(one.take('p90_s'))}"
        )
    for one in _items(found, "sums"):
        call.out.line(
            f"{one.text('stage')} ({one.text('direction')}): "
            f"{one.text('amount')} {one.text('currency')}"
        )


def _days(seconds: Json) -> str:
    return "not told" if not isinstance(seconds, int) else f"{seconds / _DAY_S:.1f} days"
