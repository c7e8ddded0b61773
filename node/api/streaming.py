"""What happened, for programs that follow: as pages, and as a stream (server-sent events).

    GET /v1/events?after=17                                  one page of JSON
    GET /v1/events      Accept: text/event-stream            a stream; Last-Event-ID resumes it

Both say only that something happened in a case or to a draft, and only of cases that the
person may know of. A stream holds nothing in memory: it reads on from its position, so a
slow reader costs nothing until the connection's deadline for writing cuts it off, and can
come back at the place it had reached. Whose key ends, whose stream ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import Field

from node.access.roles import Person
from node.api.problems import of_fault, own
from node.api.queries import read_query
from node.desk import Desk
from node.desk.arguments import Arguments, WrongArguments, read_arguments
from node.storage import Connection, happening_rows
from node.storage.happening_rows import Happening
from protocol.encoding import Json, canonical
from protocol.limits import INTEGER_MAX

PATH: Final = ("v1", "events")
STREAM_TYPE: Final = "text/event-stream"

_PAGE: Final = 100
_LOOK_EVERY_S: Final = 1.0
_HEARTBEAT_LOOKS: Final = 15  # a comment after so many looks that found nothing
_STREAMS_PER_PERSON_MAX: Final = 4
_STREAMS_MAX: Final = 100
_DIGITS_MAX: Final = 15


class Page(Arguments):
    """Which happenings: those after a number."""

    after: int = Field(0, ge=0, le=INTEGER_MAX, description="The number of the last one seen.")
    limit: int = Field(_PAGE, ge=1, le=1_000, description="How many at most.")


def event_of(one: Happening) -> dict[str, Json]:
    """Give a happening as programs hear of it."""
    return {
        "id": one.id, "type": one.kind, "at": one.at, "case": one.case_id, "draft": one.draft
    }  # fmt: skip


class Streams:
    """The streams that are open, and pages of the same."""

    def __init__(self, desk: Desk, person_of: Callable[[str], Person | None]) -> None:
        """Read from the desk's database; `person_of` says whose a key is, at any moment."""
        self._desk = desk
        self._person_of = person_of
        self._open: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def page(self, person: Person, query: str) -> bytes:
        """Give one page, and the number to go on from."""
        try:
            given = read_query(Page, parse_qsl(query, keep_blank_values=True))
            asked = read_arguments(Page, given)
        except WrongArguments as fault:
            raise of_fault(fault) from None
        found = self._read(person, asked.after, asked.limit)
        events: list[Json] = [event_of(one) for one in found]
        last = found[-1].id if found else asked.after
        return canonical({"schema": "comity.events/1", "events": events, "after": last})

    async def serve(
        self, request: web.BaseRequest, key: str, person: Person, query: str,
        headers: Mapping[str, str],
    ) -> web.StreamResponse:  # fmt: skip
        """Stream until the reader goes, their key ends, or the node stops."""
        if request.method != "GET" or person.id is None:
            raise own("method", Allow="GET")
        position = self._begin(request, query)
        if self._open.total() >= _STREAMS_MAX or self._open[person.id] >= _STREAMS_PER_PERSON_MAX:
            raise own("busy", Retry_After="30")
        response = web.StreamResponse(headers={**headers, "Content-Type": STREAM_TYPE})
        self._open[person.id] += 1
        try:
            await response.prepare(request)
            task = asyncio.create_task(self._follow(response, key, position))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await task
            return response
        finally:
            self._open[person.id] -= 1

    async def close(self) -> None:
        """End all streams."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, request: web.BaseRequest, query: str) -> int | None:
        """Say after which number to begin; None: with what happens from now on."""
        text = request.headers.get("Last-Event-ID", dict(parse_qsl(query)).get("after"))
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
            raise own("bad-request")
        return int(text)

    async def _follow(self, response: web.StreamResponse, key: str, begin: int | None) -> None:
        position = await asyncio.to_thread(self._newest) if begin is None else begin
        await response.write(b": comity events\n\n")
        quiet = 0
        while True:
            person = await asyncio.to_thread(self._person_of, key)
            if person is None:
                return
            found = await asyncio.to_thread(partial(self._read, person, position, _PAGE))
            for one in found:
                await response.write(_encode(one))
                position = one.id
            quiet = 0 if found else quiet + 1
            if quiet == _HEARTBEAT_LOOKS:
                await response.write(b": still here\n\n")
                quiet = 0
            if len(found) < _PAGE:
                await self._desk.clock.sleep(_LOOK_EVERY_S)

    def _read(self, person: Person, after: int, count: int) -> Sequence[Happening]:
        now = self._desk.clock.now()

        def read(conn: Connection) -> Sequence[Happening]:
            return happening_rows.heard_by(conn, person, now, after=after, count=count)

        return self._desk.database.read(read)

    def _newest(self) -> int:
        return self._desk.database.read(happening_rows.ends)[1]


def _encode(one: Happening) -> bytes:
    """Write one event; its JSON has no line break."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (
        one.id, one.kind.encode("ascii"), canonical(event_of(one))
    )  # fmt: skip
