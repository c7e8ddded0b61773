"""Webhooks: thin, signed, in order, told at least once, and never to a door of our own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from node.api.telling import Telling
from node.storage import webhook_rows
from node.storage.vault import Vault
from node.transport.tls import make_certificate
from tests.node.api.scene import Api
from tests.node.api.test_repeats import send
from tests.support.network import bound
from tests.support.pair import Pair


@dataclass(slots=True)
class Receiver:
    """A program that takes webhooks, and answers what the test says."""

    port: int
    authorities: Path
    status: int = 204
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://localhost:{self.port}/hook"

    async def take(self, request: web.Request) -> web.Response:
        """Take one message."""
        self.taken.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    """Give a receiver that listens on loopback, over TLS."""
    certificate, key = make_certificate(["localhost"], now=1_700_000_000, lifetime_s=10**9)
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(certificate)
    both = tmp_path / "both.pem"
    both.write_bytes(key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    listening = bound()
    made = Receiver(listening.getsockname()[1], authorities)
    application = web.Application()
    application.router.add_route("*", "/{any}", made.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listening, ssl_context=context).start()
    yield made
    await runner.cleanup()


def telling(api: Api, receiver: Receiver, *, private: bool = True) -> Telling:
    """Give what tells webhooks, which may reach loopback if `private`."""
    staff = api.desk.settings.staff.model_copy(update={
        "webhook_private_addresses": private, "webhook_authorities": receiver.authorities,
    })  # fmt: skip
    desk = replace(api.desk, settings=replace(api.desk.settings, staff=staff))
    return Telling(desk, Vault(desk.office.keys.ring.storage_key, desk.random))


async def tell(api: Api, receiver: Receiver, *, private: bool = True) -> None:
    """Make one round."""
    teller = telling(api, receiver, private=private)
    async with teller._session() as session:
        await teller.tell_once(session)


async def add(api: Api, receiver: Receiver, name: str = "anna", *kinds: str) -> dict[str, str]:
    """Make a webhook; gives what the API answered."""
    body = {"url": receiver.url, "kinds": [*kinds]}
    made = await api.post("/v1/webhooks", api.key(name), body)
    assert made.status == 200, made.body
    found: dict[str, str] = made.json()
    return found


def verify(public_key: str, headers: dict[str, str], body: bytes) -> None:
    """Verify as a receiver does that has read the Standard Webhooks specification."""
    label, _, text = public_key.partition("_")
    assert label == "whpk"
    version, _, signature = headers["webhook-signature"].partition(",")
    assert version == "v1a"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    Ed25519PublicKey.from_public_bytes(b64decode(text)).verify(b64decode(signature), signed)


async def test_a_webhook_is_thin_and_its_signature_holds(api: Api, receiver: Receiver) -> None:
    """A word, a time, an id; nothing of what the case is about."""
    made = await add(api, receiver)
    sent = await send(api, api.key(), text="a canary")
    await tell(api, receiver)
    ((headers, body),) = receiver.taken
    verify(made["public_key"], headers, body)
    told = json.loads(body)
    assert (told["type"], told["data"]["case"]) == ("case.opened", sent.json()["case"])
    assert told.keys() == {"type", "timestamp", "data"}
    assert told["data"].keys() == {"id", "case", "draft"}
    with pytest.raises(InvalidSignature):
        verify(made["public_key"], headers, body.replace(b"opened", b"closed"))


async def test_it_is_told_once_and_in_order_when_the_receiver_takes_it(
    api: Api, receiver: Receiver
) -> None:
    """Another round tells nothing again; the position is kept."""
    await add(api, receiver)
    for one in ("1", "2", "3"):
        await send(api, api.key(), one)
    await tell(api, receiver)
    await tell(api, receiver)
    numbers = [json.loads(body)["data"]["id"] for _, body in receiver.taken]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 3


async def test_what_did_not_arrive_is_told_again_under_the_same_id(
    api: Api, receiver: Receiver, light_pair: Pair
) -> None:
    """After a wait that grows; a redirect is a refusal and is not followed."""
    await add(api, receiver)
    await send(api, api.key())
    for status in (500, 302):
        receiver.status = status
        await tell(api, receiver)
        await tell(api, receiver)  # too early: nothing is tried
        light_pair.clock.advance(11)
    receiver.status = 200
    await tell(api, receiver)
    identities = {headers["webhook-id"] for headers, _ in receiver.taken}
    assert (len(receiver.taken), len(identities)) == (3, 1)


async def test_a_receiver_that_is_gone_is_told_no_more(api: Api, receiver: Receiver) -> None:
    """410 ends the webhook."""
    made = await add(api, receiver)
    await send(api, api.key())
    receiver.status = 410
    await tell(api, receiver)
    hook = api.node.database.read(lambda conn: webhook_rows.read_webhook(conn, made["webhook"]))
    assert hook is not None
    assert hook.ended_at is not None


async def test_no_webhook_reaches_an_address_of_our_own(api: Api, receiver: Receiver) -> None:
    """Loopback and private addresses are refused where the socket is made."""
    await add(api, receiver)
    await send(api, api.key())
    await tell(api, receiver, private=False)
    assert receiver.taken == []


async def test_a_receiver_whose_certificate_does_not_hold_is_told_nothing(
    api: Api, receiver: Receiver, tmp_path: Path
) -> None:
    """TLS is verified, and no setting turns that off."""
    await add(api, receiver)
    await send(api, api.key())
    other, _ = make_certificate(["localhost"], now=1_700_000_000, lifetime_s=10**9)
    receiver.authorities.write_bytes(other)
    await tell(api, receiver)
    assert receiver.taken == []


async def test_it_tells_only_the_kinds_that_were_asked_for(api: Api, receiver: Receiver) -> None:
    """And still moves on past the others."""
    made = await add(api, receiver, "anna", "clock.due")
    await send(api, api.key())
    await tell(api, receiver)
    hook = api.node.database.read(lambda conn: webhook_rows.read_webhook(conn, made["webhook"]))
    assert hook is not None
    assert (receiver.taken, hook.position > 0) == ([], True)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/", "https://user@a.example/", "https://a.example/?secret=1",
        "https://a.example/#x", "https://", "ftp://a.example/", "https://a.example/\r\nX: y",
        "https://a.example/" + "x" * 600,
    ],
)  # fmt: skip
async def test_a_url_that_could_hold_a_secret_or_mislead_is_refused(api: Api, url: str) -> None:
    """Only https://host[:port]/path."""
    answer = await api.post("/v1/webhooks", api.key(), {"url": url})
    assert answer.status in {400, 422}


async def test_only_who_answers_for_cases_makes_webhooks(api: Api) -> None:
    """It takes what one may know out of the node."""
    for name in ("otto", "ada", "rita"):
        answer = await api.post("/v1/webhooks", api.key(name), {"url": "https://a.example/"})
        assert answer.status == 403, name


async def test_the_service_tells_by_itself(api: Api, receiver: Receiver, light_pair: Pair) -> None:
    """Round after round, until it is stopped."""
    await add(api, receiver)
    running = asyncio.create_task(telling(api, receiver).run())
    async with asyncio.timeout(10):
        await send(api, api.key())
        while not receiver.taken:
            await light_pair.clock.until_sleeping()
            light_pair.clock.advance(1)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
