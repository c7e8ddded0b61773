"""TLS 1.3 between nodes: our own certificate, and the peer's pinned one.

A node makes its certificate itself and its listing pins the SHA-256 of it, so no
certificate authority stands between two nodes unless a listing asks for one. TLS protects
the hop's privacy; who speaks is proved by the hop signature, what is said by the envelope.
Knows no listing and no file: PEM texts and pins come in, contexts go out.
"""

from __future__ import annotations

import hmac
import ipaddress
import ssl
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from protocol.digest import sha256_hex
from protocol.encoding import HEX64
from protocol.errors import Malformed, Misuse

CERTIFICATE_LIFETIME_S: Final = 5 * 365 * 86_400  # pinned: it changes with a listing, not a date


class PinMismatch(ssl.SSLCertVerificationError):
    """The peer showed a certificate that its listing does not pin."""


def server_context(certificate_pem: bytes, key_pem: bytes) -> ssl.SSLContext:
    """Give the listener's context: TLS 1.3 alone, no tickets, no compression."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0  # a resumed session would outlive the certificate's pin
    context.set_alpn_protocols(["http/1.1"])
    # The standard library loads a chain from files only; 0600 from the first byte.
    with tempfile.TemporaryDirectory(prefix="comity-tls-") as folder:
        chain = Path(folder) / "chain.pem"
        chain.touch(mode=0o600)
        chain.write_bytes(key_pem + b"\n" + certificate_pem)
        try:
            context.load_cert_chain(chain)
        except (ssl.SSLError, OSError) as fault:
            raise Malformed("not a certificate with its private key in PEM") from fault
    return context


def client_context(pins: frozenset[str], *, any_ca: bool = False) -> ssl.SSLContext:
    """Give a client's context that trusts exactly the pinned certificates.

    With `any_ca` (only where the peer's listing says so) the certificate must instead be
    vouched for by an authority this machine trusts, for the name that was asked; pins given
    besides must hold as well.
    """
    if not pins and not any_ca:
        raise Misuse("a peer without pins needs a listing that allows any authority")
    if any(HEX64.fullmatch(pin) is None for pin in pins):
        raise Misuse("a pin is 64 lower-case hex digits")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    if any_ca:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the pin decides, and it always does: see below
    if pins:
        context.sslobject_class = _pinned(pins)
    return context


def _pinned(pins: frozenset[str]) -> type[ssl.SSLObject]:
    """Make a connection class that ends the handshake unless the certificate is pinned."""

    class PinnedObject(ssl.SSLObject):
        """A TLS connection that gives up before any byte of ours is sent."""

        def do_handshake(self) -> None:
            """Finish the handshake, then compare the certificate with the pins."""
            super().do_handshake()
            shown = self.getpeercert(binary_form=True)
            found = sha256_hex(shown) if shown else ""
            if not any(hmac.compare_digest(found, pin) for pin in pins):
                raise PinMismatch("the certificate is not one that the listing pins")

    return PinnedObject


def make_certificate(
    names: Sequence[str], *, now: int, lifetime_s: int = CERTIFICATE_LIFETIME_S
) -> tuple[bytes, bytes]:
    """Make a self-signed P-256 certificate for host names or addresses: (PEM, key PEM)."""
    if not names:
        raise Misuse("a certificate needs a name")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    start = datetime.fromtimestamp(now, tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - timedelta(hours=1))  # the peer's clock may be behind
        .not_valid_after(start + timedelta(seconds=lifetime_s))
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key_pem


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def pin_of(certificate_pem: bytes) -> str:
    """Give the pin of a certificate: SHA-256 over its DER form, as hex."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
    except ValueError as fault:
        raise Malformed("not a certificate in PEM") from fault
    return sha256_hex(certificate.public_bytes(serialization.Encoding.DER))
