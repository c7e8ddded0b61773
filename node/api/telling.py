"""Telling other programs by webhook that something happened (Standard Webhooks).

    telling = Telling(desk, vault); await telling.run()

Each webhook has its place in what happened, kept in the database, and moves on only after
the receiver has said 2xx: everything is told at least once and in order, also across a
crash, and `webhook-id` lets the receiver know a repeat. A message holds a word, a time and
the id of a case or draft: what it is about, the receiver asks the API, as somebody who may
know. It tells only what the person who made the webhook may know of, at that moment.

Addresses are checked where the socket is made, TLS is always verified, redirects are never
followed, and of an answer nothing but its status is read. Also forgets what is too old.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import partial
from typing import Final

import aiohttp

from node.access.people import person_of
from node.audit.api_records import WebhookEnded
from node.desk import Desk
from node.logs import get
from node.storage import Connection, happening_rows, people_rows, repeat_rows, webhook_rows
from node.storage.happening_rows import Happening
from node.storage.vault import Vault
from node.storage.webhook_rows import Webhook
from node.storage.writer import Tx
from node.transport.addresses import socket_maker
from node.webhooks import open_hook_key, sign_hook
from protocol.encoding import canonical

_log = get("webhooks")

_LOOK_EVERY_S: Final = 1.0
_TIDY_LOOKS: Final = 3_600
_AT_ONCE: Final = 50
_ANSWER_S_MAX: Final = 15.0
_FIRST_WAIT_S: Final = 5
_MOST_WAIT_S: Final = 3_600
_DOUBLINGS_MAX: Final = 10
_GONE: Final = 410
_TAKEN: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Due:
    """A webhook with what it is to be told now, and how far its maker may not know of more."""

    hook: Webhook
    found: tuple[Happening, ...]
    newest: int


class Telling:
    """Posts what happened to every webhook, and tries again where it did not arrive."""

    def __init__(self, desk: Desk, vault: Vault) -> None:
        """Read webhooks from the desk's database; `vault` opens their keys."""
        self._desk = desk
        self._vault = vault

    async def run(self) -> None:
        """Tell for ever; one webhook that does not answer never holds up another."""
        looks = 0
        async with self._session() as session:
            while True:
                await self.tell_once(session)
                if looks % _TIDY_LOOKS == 0:
                    await asyncio.to_thread(self._desk.write, self._tidy)
                looks += 1
                await self._desk.clock.sleep(_LOOK_EVERY_S)

    async def tell_once(self, session: aiohttp.ClientSession) -> None:
        """Tell every webhook what waits for it, side by side."""
        due = await asyncio.to_thread(self._desk.database.read, self._due)
        await asyncio.gather(*(self._tell(session, one) for one in due))

    def _session(self) -> aiohttp.ClientSession:
        settings = self._desk.settings.staff
        context = ssl.create_default_context()
        if settings.webhook_authorities is not None:
            context.load_verify_locations(settings.webhook_authorities)
        connector = aiohttp.TCPConnector(
            ssl=context,
            limit_per_host=2,
            socket_factory=socket_maker(allow_private=settings.webhook_private_addresses),
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=_ANSWER_S_MAX),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
        )

    def _due(self, conn: Connection) -> list[Due]:
        now = self._desk.clock.now()
        found: list[Due] = []
        _, newest = happening_rows.ends(conn)
        for hook in webhook_rows.webhooks_in_use(conn):
            user = None if hook.made_by is None else people_rows.read_user(conn, hook.made_by)
            if hook.next_try_at > now or hook.position >= newest:
                continue
            if user is None or user.state != "active":
                continue  # nobody may know it any more for whom it would be told
            seen = happening_rows.heard_by(
                conn, person_of(user), now, after=hook.position, count=_AT_ONCE
            )
            reached = newest if len(seen) < _AT_ONCE else seen[-1].id
            kinds = set(hook.kinds.split())
            told = tuple(one for one in seen if not kinds or one.kind in kinds)
            found.append(Due(hook, told, reached))
        return found

    async def _tell(self, session: aiohttp.ClientSession, due: Due) -> None:
        """Tell one webhook in order, until something does not arrive."""
        hook, reached = due.hook, due.hook.position
        for one in due.found:
            status = await self._post(session, hook, one)
            if status not in _TAKEN:
                await self._not_told(hook, reached, status)
                return
            reached = one.id
        await self._note(hook, due.newest, 0, 0)

    async def _post(
        self, session: aiohttp.ClientSession, hook: Webhook, one: Happening
    ) -> int | None:
        now, identity = self._desk.clock.now(), f"{hook.id}.{one.id}"
        body = canonical({
            "type": one.kind, "timestamp": one.at,
            "data": {"id": one.id, "case": one.case_id, "draft": one.draft},
        })  # fmt: skip
        key = open_hook_key(self._vault, hook.id, hook.sealed_key)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "comity",
            "webhook-id": identity,
            "webhook-timestamp": str(now),
            "webhook-signature": sign_hook(key, identity, now, body),
        }
        try:
            async with session.post(
                hook.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            _log.info("webhook-failed", webhook=hook.id, kind=type(fault).__name__)
            return None

    async def _not_told(self, hook: Webhook, reached: int, status: int | None) -> None:
        now, failures = self._desk.clock.now(), hook.failures + 1
        wait_s = min(_MOST_WAIT_S, _FIRST_WAIT_S * 2 ** min(hook.failures, _DOUBLINGS_MAX))
        _log.info("webhook-refused", webhook=hook.id, status=status, delay_s=wait_s)
        await self._note(hook, reached, failures, now + wait_s)
        if status == _GONE:
            await asyncio.to_thread(self._desk.write, partial(self._end, hook))

    async def _note(self, hook: Webhook, position: int, failures: int, next_try_at: int) -> None:
        def note(tx: Tx) -> None:
            webhook_rows.note_told(
                tx.conn, hook.id, position=position, failures=failures, next_try_at=next_try_at
            )

        await asyncio.to_thread(self._desk.write, note)

    def _end(self, hook: Webhook, tx: Tx) -> None:
        """End a webhook whose receiver says that it is gone."""
        webhook_rows.end_webhook(tx.conn, hook.id, tx.now)
        tx.record(WebhookEnded(self._desk.office.network, tx.now, hook.id))

    @staticmethod
    def _tidy(tx: Tx) -> None:
        """Forget answers kept for repeats, and happenings, when their time is over."""
        repeat_rows.drop_old(tx.conn, tx.now)
        happening_rows.drop_old(tx.conn, tx.now)
