"""Mails say that something waits, to whom they should, and nothing else; no server stops a node."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import shutil
import ssl
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError

from node.clock import SystemClock
from node.mailer import EVERY_S, PAUSE_S, Mailer
from node.sections import MailSettings
from node.storage import Connection, mail_rows, people_rows
from node.storage.engine import Database, open_database
from node.storage.people_rows import User
from node.transport.tls import make_certificate, server_context
from tests.support.clock import START, ManualClock, SeededRandom
from tests.support.quiet_writer import quiet_writer
from tests.support.smtp import Taken, smtp

CANARY: Final = "fj.justice/0123456789abcdef"
ANNA: Final = User(
    "p-anna", "anna", None, "case-officer", "active", None, None, 0, address="anna@office.example"
)
BRUNO: Final = replace(ANNA, person="p-bruno", login="bruno", address="bruno@office.example")


@pytest.fixture
def fresh(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """Give a database in which Anna and Bruno work."""
    shutil.copy(sqlite_template, tmp_path / "comity.db")
    opened = open_database(f"sqlite:///{tmp_path / 'comity.db'}")
    for one in (ANNA, BRUNO):
        opened.transact(partial(people_rows.insert_user, user=one))
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands."""
    return ManualClock()


def note(database: Database, person: str, at: int = START, count: int = 1) -> None:
    """Note that something waits for a person."""

    def insert(conn: Connection) -> None:
        for _ in range(count):
            mail_rows.insert_mail(conn, person, "clock.due", CANARY, at)

    database.transact(insert)


def plain(port: int, **more: Any) -> MailSettings:  # noqa: ANN401  (settings of every type)
    """Give the settings of a server on this machine."""
    return MailSettings(
        host="127.0.0.1", port=port, security="none", sender="node@office.example", **more
    )


@contextlib.contextmanager
def mailer(
    database: Database, clock: ManualClock, settings: MailSettings, zone: str = "UTC"
) -> Iterator[Mailer]:
    """Give the service over a database."""
    with quiet_writer(database, clock) as writer:
        yield Mailer(settings, zone, database, writer, clock=clock, random=SeededRandom())


async def test_a_mail_says_that_something_waits_and_not_what(
    fresh: Database, clock: ManualClock
) -> None:
    """One mail for all that waits; a number is all that differs, and no case is in it."""
    taken = Taken()
    note(fresh, "p-anna", count=3)
    async with smtp(taken) as port:
        with mailer(fresh, clock, plain(port)) as service:
            assert await service.send_waiting() == 1
            assert await service.send_waiting() == 0
    assert taken.addresses == ["anna@office.example"]
    mail = taken.last()
    assert mail.get_content().startswith("3 things wait for you in Comity.")
    assert mail["Subject"] == "Comity: something waits for you"
    assert mail["Auto-Submitted"] == "auto-generated"
    whole = taken.mails[0][1].decode()
    assert "0123456789abcdef" not in whole
    assert "clock" not in whole


async def test_nobody_gets_a_second_mail_at_once(fresh: Database, clock: ManualClock) -> None:
    """What comes soon after waits for ten minutes, and then comes together."""
    taken = Taken()
    async with smtp(taken) as port:
        with mailer(fresh, clock, plain(port)) as service:
            for _ in range(3):
                note(fresh, "p-anna", clock.now())
                await service.send_waiting()
                clock.advance(10)
            assert len(taken.mails) == 1
            clock.advance(PAUSE_S)
            assert await service.send_waiting() == 1
    assert taken.last().get_content().startswith("2 things")


async def test_one_mail_a_day_comes_at_its_hour_in_the_zone_of_the_office(
    fresh: Database, clock: ManualClock
) -> None:
    """What was noted after it waits until the next day."""
    fresh.transact(lambda conn: people_rows.change_user(conn, "p-anna", mailing="daily"))
    midnight = int(dt.datetime(2026, 6, 1, tzinfo=dt.UTC).timestamp())
    clock.wall = midnight
    note(fresh, "p-anna", midnight, count=2)
    taken, counts = Taken(), []
    async with smtp(taken) as port:
        settings = plain(port, daily_at="07:30")
        with mailer(fresh, clock, settings, "Africa/Maputo") as service:  # two hours ahead
            for hours in (5.4, 5.6, 6, 20, 29.4, 29.6):
                clock.wall = midnight + int(hours * 3600)
                await service.send_waiting()
                counts.append(len(taken.mails))
                if hours == 6:
                    note(fresh, "p-anna", clock.wall)
    assert counts == [0, 1, 1, 1, 1, 2]


async def test_a_server_that_is_down_stops_nothing_and_loses_nothing(
    fresh: Database, clock: ManualClock
) -> None:
    """It is asked again, less and less often, and then everything goes out."""
    note(fresh, "p-anna")
    taken = Taken()
    async with smtp(taken) as port:
        pass  # nobody listens there any more
    with mailer(fresh, clock, plain(port)) as service:
        assert await service.send_waiting() == 0
        clock.advance(59)
        assert await service.send_waiting() == 0
    async with smtp(taken) as port:
        with mailer(fresh, clock, plain(port)) as service:
            assert await service.send_waiting() == 1


async def test_a_mailbox_that_is_refused_stops_nobody_else(
    fresh: Database, clock: ManualClock
) -> None:
    """And is given up after some days of trying."""
    note(fresh, "p-anna")
    note(fresh, "p-bruno")
    taken = Taken(refused={"anna@office.example"})
    async with smtp(taken) as port:
        with mailer(fresh, clock, plain(port)) as service:
            assert await service.send_waiting() == 1
            assert taken.addresses == ["bruno@office.example"]
            for _ in range(40):
                clock.advance(3_600)
                await service.send_waiting()
    [mail] = [one for one in fresh.read(mail_rows.list_mails) if one.person == "p-anna"]
    assert (mail.sent_at, mail.failures) == (None, mail_rows.FAILURES_MAX)


async def test_a_crash_after_the_server_took_a_mail_sends_it_again(
    fresh: Database, clock: ManualClock
) -> None:
    """At least once: nothing is marked before it was taken."""
    note(fresh, "p-anna")
    taken = Taken()
    async with smtp(taken) as port:
        with mailer(fresh, clock, plain(port)) as service:
            service._writer.stop()  # the storage ends between the two
            with pytest.raises(Exception, match="stopping"):
                await service.send_waiting()
        with mailer(fresh, clock, plain(port)) as service:
            assert await service.send_waiting() == 1
            assert await service.send_waiting() == 0
    assert taken.addresses == ["anna@office.example"] * 2


@pytest.mark.parametrize(
    "address",
    ["a@b.example\r\nBcc: all@b.example", "a@b.example, c@b.example", "<a@b.example>", "a b@c",
     "ána@b.example", "@b.example", "a" * 65 + "@b.example", "", "a@"],
)  # fmt: skip
async def test_an_address_that_is_none_gets_nothing(
    fresh: Database, clock: ManualClock, address: str
) -> None:
    """Whatever stands in the row, no header and no second recipient comes of it."""
    fresh.transact(lambda conn: people_rows.change_user(conn, "p-anna", address=address))
    note(fresh, "p-anna")
    taken = Taken()
    async with smtp(taken) as port:
        with mailer(fresh, clock, plain(port)) as service:
            assert await service.send_waiting() == 0
    assert taken.mails == []


async def test_the_second_contact_has_the_address_of_the_settings(
    fresh: Database, clock: ManualClock
) -> None:
    """Without one its mails wait, and go nowhere else."""
    note(fresh, "second-contact")
    taken = Taken()
    async with smtp(taken) as port:
        with mailer(fresh, clock, plain(port)) as service:
            assert await service.send_waiting() == 0
        with mailer(fresh, clock, plain(port, second_contact="head@office.example")) as service:
            assert await service.send_waiting() == 1
    assert taken.addresses == ["head@office.example"]


# --- the way to the server ------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """Give the certificate of a server on this machine, and what the server shows it with."""
    pem, key = make_certificate(["127.0.0.1"], now=SystemClock().now())
    path = tmp_path / "server.pem"
    path.write_bytes(pem)
    return path, server_context(pem, key)


def with_password(folder: Path, mode: int = 0o600) -> Path:
    """Give a file with a password."""
    path = folder / "smtp.password"
    path.write_text("secret-of-the-server\n")
    path.chmod(mode)
    return path


async def test_it_logs_in_after_tls_and_only_to_a_server_that_it_trusts(
    fresh: Database, clock: ManualClock, certificate: tuple[Path, ssl.SSLContext], tmp_path: Path
) -> None:
    """Starttls, then the password from its file; a strange certificate gets neither."""
    note(fresh, "p-anna")
    taken, (pem, context) = Taken(), certificate
    options: dict[str, Any] = {
        "tls_context": context,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": taken.authenticate,
    }
    settings: dict[str, Any] = {
        "host": "127.0.0.1",
        "sender": "node@office.example",
        "user": "node",
        "password_file": with_password(tmp_path),
    }
    async with smtp(taken, **options) as port:
        with mailer(fresh, clock, MailSettings(port=port, **settings)) as service:
            assert await service.send_waiting() == 0
        assert taken.logins == []
        trusting = MailSettings(port=port, authorities=pem, **settings)
        with mailer(fresh, clock, trusting) as service:
            assert await service.send_waiting() == 1
    assert taken.logins == [(b"node", b"secret-of-the-server")]


async def test_a_server_without_starttls_gets_nothing(fresh: Database, clock: ManualClock) -> None:
    """There is no going on in clear."""
    note(fresh, "p-anna")
    taken = Taken()
    async with smtp(taken) as port:
        settings = MailSettings(host="127.0.0.1", port=port, sender="node@office.example")
        with mailer(fresh, clock, settings) as service:
            assert await service.send_waiting() == 0
    assert taken.mails == []


@pytest.mark.parametrize("spoiled", ["readable", "absent", "binary"])
async def test_a_password_file_that_cannot_be_used_stops_nothing(
    fresh: Database, clock: ManualClock, tmp_path: Path, spoiled: str,
    certificate: tuple[Path, ssl.SSLContext],
) -> None:  # fmt: skip
    """Others may not read it; and whatever is wrong with it, the service goes on."""
    note(fresh, "p-anna")
    path = with_password(tmp_path, 0o644 if spoiled == "readable" else 0o600)
    if spoiled == "absent":
        path.unlink()
    if spoiled == "binary":
        path.write_bytes(b"\xff\xfe")
    taken, (pem, context) = Taken(), certificate
    async with smtp(taken, tls_context=context, authenticator=taken.authenticate) as port:
        settings = MailSettings(
            host="127.0.0.1", port=port, sender="node@office.example", user="node",
            password_file=path, authorities=pem,
        )  # fmt: skip
        with mailer(fresh, clock, settings) as service:
            assert await service.send_waiting() == 0
    assert (taken.logins, taken.mails) == ([], [])


async def ended(task: asyncio.Task[None], clock: ManualClock) -> None:
    """End a service once it sleeps."""
    await clock.until_sleeping()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_the_service_sends_by_itself_now_and_again(
    fresh: Database, clock: ManualClock
) -> None:
    """Without a server in the settings it does nothing at all."""
    note(fresh, "p-anna")
    taken = Taken()
    with mailer(fresh, clock, MailSettings()) as service:
        await ended(asyncio.create_task(service.run()), clock)
    async with smtp(taken) as port:
        with mailer(fresh, clock, plain(port)) as service:
            task = asyncio.create_task(service.run())
            await clock.until_sleeping()
            assert len(taken.mails) == 1
            note(fresh, "p-bruno")
            clock.advance(EVERY_S)
            while len(taken.mails) == 1:
                await asyncio.sleep(0)
            await ended(task, clock)


@pytest.mark.parametrize(
    "given",
    [
        {"host": "mail.example"},
        {"host": "mail.example", "sender": "a@b.example", "security": "none"},
        {"sender": "a@b.example\nBcc: c@d.example"},
        {"daily_at": "24:00"},
        {"second_contact": "nobody"},
        {"port": 0},
    ],
)
def test_settings_that_cannot_send_are_refused(given: dict[str, Any]) -> None:
    """At start, with a sentence; mail in clear leaves no machine."""
    with pytest.raises(ValidationError):
        MailSettings(**given)
