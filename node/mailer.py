"""Mails that say that something waits: one to a person for all that does, and no word of what.

    await mailer.run()      # for ever, beside the node's other services

Rows wait in the database; this service takes them to the authority's own SMTP server, at
once or once a day as each person wants it. A mail is a sentence and a number: a server, a
mailbox or a telephone's screen is no place for a case. A row is marked when the server has
taken its mail, so after a crash a sentence may come twice and is never lost. The server is
spoken to in a thread and with a deadline: a node never waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from node.cases.clocks.rounds import SECOND_CONTACT
from node.clock import Clock, Random
from node.logs import get
from node.sections import MAIL_ADDRESS, MailSettings
from node.storage import Connection, mail_rows, people_rows
from node.storage.engine import Database
from node.storage.mail_rows import Bundle
from node.storage.writer import Tx, Writer

_log = get("mailer")

EVERY_S: Final = 15.0
PAUSE_S: Final = 600  # at most one mail to a person in this time
_ANSWER_S_MAX: Final = 30.0
_RETRY_S: Final = 60
_RETRY_S_MAX: Final = 3_600
_RETRIES_COUNTED: Final = 8
_BATCH_MAX: Final = 50
_PASSWORD_BYTES_MAX: Final = 1_024
_NO_ACCESS_FOR_OTHERS: Final = 0o077
DAILY: Final = "daily"


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes to one person: the rows it stands for, and to which address."""

    bundle: Bundle
    address: str


class NoServer(Exception):
    """The SMTP server did not take part: all that waits is tried again later."""


class Mailer:
    """Takes what waits to be told to the SMTP server."""

    def __init__(
        self, settings: MailSettings, zone: str, database: Database, writer: Writer,
        *, clock: Clock, random: Random,
    ) -> None:  # fmt: skip
        """Send by the server of `settings`; a day begins and ends in `zone`."""
        self._settings = settings
        self._zone = ZoneInfo(zone)
        self._database = database
        self._writer = writer
        self._clock = clock
        self._random = random
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, int] = {}

    async def run(self) -> None:
        """Send what waits, now and again, until cancelled; without a server, nothing."""
        while True:
            if self._settings.host is not None:
                await self.send_waiting()
            await self._clock.sleep(EVERY_S)

    async def send_waiting(self) -> int:
        """Send what is to be sent now; gives how many mails the server took."""
        now = self._clock.now()
        if self._not_before.get("", 0) > now:
            return 0
        letters = await asyncio.to_thread(self._database.read, lambda conn: self._ripe(conn, now))
        if not letters:
            return 0
        try:
            taken = await asyncio.to_thread(self._send, letters)
        except NoServer as fault:
            self._later("", now)
            _log.warning("mail-server-failed", code=str(fault), failures=self._failures[""])
            return 0
        self._failures.pop("", None)
        await self._writer.write(lambda tx: self._mark(tx, letters, taken))
        return len(taken)

    # --- what is to be sent ------------------------------------------------

    def _ripe(self, conn: Connection, now: int) -> list[Letter]:
        """Give the mails that are to go now."""
        users = {one.person: one for one in people_rows.list_users(conn) if one.state == "active"}
        letters = []
        for bundle in mail_rows.waiting(conn):
            user = users.get(bundle.person)
            second = bundle.person == SECOND_CONTACT
            address = self._settings.second_contact if second else user.address if user else None
            if address is None or MAIL_ADDRESS.fullmatch(address) is None:
                continue
            last = mail_rows.last_sent(conn, bundle.person) or 0
            ripe_at = last + PAUSE_S if last else 0
            if user is not None and user.mailing == DAILY:
                day = self._last_daily(now)
                ripe_at = 0 if last < day and bundle.since < day else now + 1
            if max(ripe_at, self._not_before.get(bundle.person, 0)) <= now:
                letters.append(Letter(bundle, address))
        return letters[:_BATCH_MAX]

    def _last_daily(self, now: int) -> int:
        """Give when the daily mails were last to go."""
        hour, minute = (int(part) for part in self._settings.daily_at.split(":"))
        here = dt.datetime.fromtimestamp(now, self._zone)
        today = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
        last = today if today <= here else today - dt.timedelta(days=1)
        return int(last.timestamp())

    def _mark(self, tx: Tx, letters: Sequence[Letter], taken: frozenset[str]) -> None:
        for letter in letters:
            person = letter.bundle.person
            if person in taken:
                mail_rows.mark_sent(tx.conn, letter.bundle, tx.now)
                self._failures.pop(person, None)
            else:
                mail_rows.mark_failed(tx.conn, letter.bundle)
                self._later(person, tx.now)
        mail_rows.drop_old(tx.conn, tx.now)

    def _later(self, whom: str, now: int) -> None:
        failures = self._failures[whom] = self._failures.get(whom, 0) + 1
        wait_s = _RETRY_S * 2 ** min(failures - 1, _RETRIES_COUNTED)
        self._not_before[whom] = now + min(wait_s, _RETRY_S_MAX)

    # --- in a thread -------------------------------------------------------

    def _send(self, letters: Sequence[Letter]) -> frozenset[str]:
        """Give the mails to the server; gives to whom it took them, or raises `NoServer`."""
        taken: set[str] = set()
        try:
            with self._connected() as server:
                taken.update(one.bundle.person for one in letters if self._give(server, one))
        except (OSError, ValueError, smtplib.SMTPException) as fault:
            if not taken:
                raise NoServer(type(fault).__name__) from fault
        return frozenset(taken)

    def _give(self, server: smtplib.SMTP, letter: Letter) -> bool:
        message = self._message(letter)
        try:
            server.send_message(message, self._settings.sender, [letter.address])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as fault:
            _log.warning("mail-not-taken", code=type(fault).__name__)
            with contextlib.suppress(smtplib.SMTPException):
                server.rset()
            return False
        return True

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        host, greeted = settings.host or "", (settings.sender or "@").rpartition("@")[2]
        if settings.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, settings.port, greeted, timeout=_ANSWER_S_MAX, context=self._trust()
            )
        else:
            server = smtplib.SMTP(host, settings.port, greeted, timeout=_ANSWER_S_MAX)
        with server:
            if settings.security == "starttls":
                server.starttls(context=self._trust())
            if settings.user is not None and settings.password_file is not None:
                server.login(settings.user, _password(settings.password_file))
            yield server

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._settings.authorities is not None:
            context.load_verify_locations(self._settings.authorities)
        return context

    def _message(self, letter: Letter) -> EmailMessage:
        """Make the mail: the same for everybody but for the number in it."""
        sender, count = self._settings.sender or "", letter.bundle.count
        things = "One thing waits" if count == 1 else f"{count} things wait"
        message = EmailMessage(policy=SMTP)
        message["From"] = sender
        message["To"] = letter.address
        message["Subject"] = "Comity: something waits for you"
        message["Date"] = format_datetime(dt.datetime.fromtimestamp(self._clock.now(), dt.UTC))
        message["Message-ID"] = f"<{self._random(16).hex()}@{sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            f"{things} for you in Comity.\n\nOpen your work list to see what: comity work\n\n"
            "This mail does not say more, so that nothing of a case is in a mailbox.\n"
        )
        return message


def _password(path: Path) -> str:
    """Read the password; a file that others may read is not used."""
    if path.stat().st_mode & _NO_ACCESS_FOR_OTHERS:
        raise PermissionError("the password of [mail] can be read by others")
    with path.open("rb") as file:
        return file.read(_PASSWORD_BYTES_MAX).decode().removesuffix("\n")
