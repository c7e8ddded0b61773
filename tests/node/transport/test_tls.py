"""Pinned TLS 1.3 over real connections."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from node.transport.tls import client_context, make_certificate, pin_of, server_context
from protocol.errors import Malformed, Misuse
from tests.node.transport.peers import NOW, certificate


async def shake(server: ssl.SSLContext, client: ssl.SSLContext, name: str | None = None) -> bytes:
    """Connect, send nine bytes, and give what the server read before the end."""
    got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            got.set_result(await reader.read(100))
        except (ConnectionError, ssl.SSLError):
            got.set_result(b"")
        finally:
            writer.transport.abort()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        try:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=client, server_hostname=name
            )
        except ssl.SSLError:
            await asyncio.sleep(0)
            assert not got.done() or got.result() == b""
            raise
        writer.write(b"nine byte")
        try:
            return await got
        finally:
            writer.transport.abort()


async def test_the_pinned_certificate_is_taken_and_no_name_is_asked() -> None:
    """The pin alone says who is at the other end of TLS."""
    pem, key = certificate()
    context = client_context(frozenset({"0" * 64, pin_of(pem)}))
    assert await shake(server_context(pem, key), context) == b"nine byte"


async def test_another_certificate_ends_the_handshake_before_a_byte_is_sent() -> None:
    """Even one with the same name and the same key owner."""
    pem, key = certificate()
    other, _ = make_certificate(["127.0.0.1"], now=NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="pins"):
        await shake(server_context(pem, key), client_context(frozenset({pin_of(other)})))


async def test_any_authority_means_one_that_this_machine_trusts() -> None:
    """A self-signed certificate passes by its pin only."""
    pem, key = certificate()
    for pins in (frozenset[str](), frozenset({pin_of(pem)})):
        with pytest.raises(ssl.SSLCertVerificationError):
            await shake(server_context(pem, key), client_context(pins, any_ca=True), "localhost")


async def test_a_vouched_certificate_must_still_be_a_pinned_one_if_there_are_pins() -> None:
    """Pins given besides an authority hold as well."""
    pem, key = certificate()
    context = client_context(frozenset({"0" * 64}), any_ca=True)
    context.load_verify_locations(cadata=pem.decode())
    with pytest.raises(ssl.SSLCertVerificationError, match="pins"):
        await shake(server_context(pem, key), context, "localhost")
    context = client_context(frozenset(), any_ca=True)
    context.load_verify_locations(cadata=pem.decode())
    assert await shake(server_context(pem, key), context, "localhost") == b"nine byte"


async def test_tls_before_1_3_is_refused_on_both_sides() -> None:
    """No older version, whoever asks for it."""
    pem, key = certificate()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionResetError)):  # which may overtake the alert
        await shake(server_context(pem, key), old)
    server = server_context(pem, key)
    server.minimum_version = ssl.TLSVersion.TLSv1_2
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await shake(server, client_context(frozenset({pin_of(pem)})))


def test_a_context_that_would_trust_anything_cannot_be_made() -> None:
    """No pins and no authority, or a pin that is none, is a bug of ours."""
    with pytest.raises(Misuse):
        client_context(frozenset())
    with pytest.raises(Misuse):
        client_context(frozenset({"AB" * 32}))


def test_a_certificate_names_its_hosts_and_addresses_and_lasts() -> None:
    """The names stand in the alternative names, of the right kind; the time is the caller's."""
    pem, _ = make_certificate(["node.example", "192.0.2.7", "2001:db8::1"], now=NOW, lifetime_s=60)
    made = x509.load_pem_x509_certificate(pem)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["node.example"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == [
        "192.0.2.7",
        "2001:db8::1",
    ]
    start = datetime.fromtimestamp(NOW, tz=UTC)
    assert made.not_valid_before_utc == start - timedelta(hours=1)
    assert made.not_valid_after_utc == start + timedelta(seconds=60)
    with pytest.raises(Misuse):
        make_certificate([], now=NOW)


def test_what_is_no_certificate_is_refused() -> None:
    """Bytes from a file that is something else."""
    with pytest.raises(Malformed):
        pin_of(b"not a certificate")
    pem, _ = certificate()
    _, other_key = make_certificate(["x.example"], now=NOW)
    with pytest.raises(Malformed):
        server_context(pem, other_key)
    with pytest.raises(Malformed):
        server_context(b"", b"")
