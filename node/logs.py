"""The operator's log: what happened, by ids and codes, and never a word of a case.

One line for each event, as JSON or in a form for a person, on standard error. What may
stand in a line is a closed list of field names. A name outside the list is left out,
counted in the line (`unlisted`) and in all (`unlisted_total`), so a field that a
programmer adds without thinking of what it may hold cannot leak it. A text with a blank in
it is prose, not an id, and is replaced by its length, except in the few fields whose
sentences our own code writes. Values are cut to a length, and control and formatting
characters are escaped, so nothing that a peer chose can forge a line or colour a terminal.

An exception appears as its class and the places it passed; its message may quote content.
Lines of libraries appear as their origin alone, for the same reason.

`app` and `cli` call `configure` once. This module does not know what happens to the lines.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Iterator, MutableMapping
from pathlib import PurePath
from traceback import extract_tb
from typing import Any, Final, Literal, TextIO, TypeAlias, cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Form: TypeAlias = Literal["json", "console"]
Log: TypeAlias = FilteringBoundLogger

FIELDS: Final = frozenset({
    # who and with whom
    "network", "authority", "peer", "steward", "key_id", "purpose", "fingerprint",
    # which thing: ids and digests, never names
    "case", "identity", "digest", "envelope", "origin", "record", "position", "alarm", "item",
    "verb", "person", "webhook",
    # what about it: closed words and numbers
    "kind", "state", "code", "status", "reason", "direction", "seq", "order", "epoch", "version",
    "serial", "size", "count", "width", "bytes", "attempts", "failures", "queued", "verified",
    "waiting", "errno",
    # the machine
    "module", "url", "address", "port", "route", "method", "dialect", "revision", "pid", "signal",
    "exit_status", "setting", "section",
    # time
    "at", "created", "expires", "next_try_at", "delay_s", "seconds", "skew_s",
    # sentences that our own code writes, without case content (see PROSE)
    "detail", "advice",
    # an exception, made by this module alone
    "error", "raised_at",
})  # fmt: skip
"""Every name that a line may have. To add one, be sure that it can hold no case content."""

PROSE: Final = frozenset({"detail", "advice"})
"""The fields in which a blank is allowed."""

TEXT_CHARS_MAX: Final = 256
PROSE_CHARS_MAX: Final = 512
_ITEMS_MAX: Final = 16
_CAUSES_MAX: Final = 5
_FRAMES_MAX: Final = 12
_EVENT: Final = re.compile(r"[a-z][a-z0-9 .,:'-]{0,79}")
_LEVELS: Final[dict[Level, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _Tally:
    """How many fields were left out since the process started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.total = 0

    def add(self, count: int) -> None:
        with self._lock:
            self.total += count


_tally: Final = _Tally()


def unlisted_total() -> int:
    """Give how many fields were left out since the process started."""
    return _tally.total


def get(name: str) -> Log:
    """Give the log of one module.

        log = get("courier")
        log.info("batch sent", peer=peer, count=3)

    The event is a constant phrase; what changes stands in fields. A test checks both.
    """
    return cast("Log", structlog.get_logger(module=name))


def configure(level: Level, form: Form, stream: TextIO | None = None) -> None:
    """Say from which level on, in which form and where lines are written; also libraries'."""
    _configure_lines(level, form, stream)
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _LibraryLines)]:
        root.removeHandler(old)
    root.addHandler(_LibraryLines(logging.WARNING))


def _configure_lines(level: Level, form: Form, stream: TextIO | None) -> None:
    render: Processor = structlog.processors.JSONRenderer()
    if form == "console":
        colours = (stream or sys.stderr).isatty()
        render = structlog.dev.ConsoleRenderer(colors=colours, sort_keys=False)
    structlog.configure(
        processors=[
            only_listed,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", stream or _Stderr())),
        cache_logger_on_first_use=False,
    )


def only_listed(
    _logger: object, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Keep what may stand in a line, in a harmless form; count the rest (a structlog step)."""
    event = line.pop("event", "")
    fault = _fault(line.pop("exc_info", None))
    named = isinstance(event, str) and _EVENT.fullmatch(event) is not None
    kept: dict[str, object] = {"event": event if named else "unlisted event"}
    kept |= {name: _harmless(name, value) for name, value in line.items() if name in FIELDS}
    if fault is not None:
        kept["error"] = " < ".join(type(one).__name__ for one in _causes(fault))
        kept["raised_at"] = _places(fault)
    left_out = sum(name not in FIELDS for name in line) + (not named)
    if left_out:
        kept["unlisted"] = left_out
        _tally.add(left_out)
    return kept


def _harmless(name: str, value: object) -> object:
    """Give a value, or a list of values, in the form in which it cannot do harm."""
    if isinstance(value, (list, tuple)):
        return [_harmless_one(name, item) for item in value[:_ITEMS_MAX]]
    return _harmless_one(name, value)


def _harmless_one(name: str, value: object) -> object:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, str):
        return _harmless_text(value, prose=name in PROSE)
    return f"<{type(value).__name__}>"


def _harmless_text(text: str, *, prose: bool) -> str:
    if not prose and not (text.isascii() and " " not in text):
        return f"<text of {len(text)} characters>"
    chars_max = PROSE_CHARS_MAX if prose else TEXT_CHARS_MAX
    cut = text if len(text) <= chars_max else f"{text[:chars_max]}…"
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut
    )


def _fault(given: object) -> BaseException | None:
    """Find the exception in whatever was given as `exc_info`."""
    if isinstance(given, tuple):
        given = given[1]
    if isinstance(given, BaseException):
        return given
    return sys.exc_info()[1] if given else None


def _causes(fault: BaseException) -> Iterator[BaseException]:
    """Give the exception and those that led to it, the latest first."""
    link: BaseException | None = fault
    for _ in range(_CAUSES_MAX):
        if link is None:
            return
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _places(fault: BaseException) -> list[str]:
    """Give the places that the exception passed, as FILE:LINE, the innermost last."""
    frames = extract_tb(fault.__traceback__)[-_FRAMES_MAX:]
    return [f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames]


class _LibraryLines(logging.Handler):
    """Says that a library had something to say, and where; its text may quote a peer."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the origin of the record, and its exception in our form."""
        place = f"{record.name}:{PurePath(record.pathname).name}:{record.lineno}"
        write = get("library").error if record.levelno >= logging.ERROR else get("library").warning
        write("a library reported", origin=place, exc_info=record.exc_info)


class _Stderr:
    """Standard error as it is when the line is written, not when this module was imported."""

    def write(self, text: str) -> int:
        """Write to standard error."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush standard error."""
        sys.stderr.flush()


# structlog's own default would print every field: nothing may be logged before this.
_configure_lines("info", "json", None)
