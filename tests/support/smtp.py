"""A real SMTP server on this machine, for tests, and what it was given.

taken = Taken(refused={"gone@office.example"})
async with smtp(taken) as port:
    ...
taken.addresses, taken.last()
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from typing import Any

from aiosmtpd.handlers import Message as Handler
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Taken(Handler):
    """What a server was given; it refuses whom it is told to refuse."""

    def __init__(self, refused: set[str] | None = None) -> None:
        """Take everything but what is for the refused."""
        super().__init__()
        self.refused = refused or set()
        self.mails: list[tuple[str, bytes]] = []
        self.logins: list[tuple[bytes, bytes]] = []

    # Named as aiosmtpd asks for it.
    async def handle_RCPT(  # noqa: N802  (see above)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse one address."""
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def handle_message(self, message: Message) -> None:
        """Keep a mail, with to whom it was sent."""
        self.mails.append((message["X-RcptTo"], message.as_bytes()))

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
    ) -> AuthResult:
        """Take every login and note it."""
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login, given.password))
        return AuthResult(success=True)

    @property
    def addresses(self) -> list[str]:
        """Whom the mails went to, in their order."""
        return [address for address, _ in self.mails]

    def last(self) -> EmailMessage:
        """Give the last mail as its reader's program reads it."""
        read = message_from_bytes(self.mails[-1][1], policy=policy.default)
        assert isinstance(read, EmailMessage)
        return read


@contextlib.asynccontextmanager
async def smtp(taken: Taken, **options: Any) -> AsyncIterator[int]:  # noqa: ANN401  (aiosmtpd's own)
    """Run the server; gives its port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(taken, loop=loop, hostname="mail.example", **options), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
