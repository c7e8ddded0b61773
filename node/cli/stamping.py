"""`comity audit timestamp`: have a third party say that the log was this by now (RFC 3161)."""

from __future__ import annotations

import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.error import URLError

import typer

from node.cli.access import ask, settings_of
from node.cli.call import Call, PassphraseOption, command, failed, usage
from node.cli.files import read_whole
from node.cli.output import harmless, when
from protocol.encoding import Json, to_base64

if TYPE_CHECKING:
    from node.audit.kept import KeptHead
    from node.audit.stamped import StampRequest
    from node.settings import Settings
    from node.storage import Connection

CERTIFICATES_BYTES_MAX: Final = 1024 * 1024
_ANSWER_BYTES_MAX: Final = 64 * 1024
_WAIT_S: Final = 30


def register(audit: typer.Typer) -> None:
    """Add the command."""
    command(audit, "timestamp")(timestamp)


def timestamp(
    call: Call,
    *,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", show_default=False,
            help="The timestamp authority; else [timestamps] url of the settings.",
        ),
    ] = None,
    tsa_ca: Annotated[
        Path | None,
        typer.Option(
            "--tsa-ca", metavar="FILE", show_default=False,
            help="Certificates in PEM to which its signature must lead.",
        ),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Get a timestamp over the newest checkpoint, keep it, and record that."""
    from node.audit.stamped import StampRequest, load_roots, read_token, verify_token
    from node.sections import timestamp_url
    from protocol.errors import Malformed

    settings = settings_of(call)
    place = url or settings.timestamps.url
    if place is None:
        raise usage("Which timestamp authority? --url URL, or [timestamps] url in comity.toml.")
    try:
        timestamp_url(place)
    except ValueError as fault:
        raise usage(f"--url: {fault}.") from None
    try:
        roots = None if tsa_ca is None else load_roots(read_whole(tsa_ca, CERTIFICATES_BYTES_MAX))
    except Malformed as fault:
        raise usage(f"--tsa-ca: {fault.detail}.") from None
    head = _newest(settings)
    asked = StampRequest.over(head.raw)
    token = asked.read_answer(_post(place, asked))
    signer = None if roots is None else verify_token(token, head.raw, roots).signer
    arguments: dict[str, Json] = {
        "log": head.number, "checkpoint": to_base64(head.raw), "token": to_base64(token),
    }  # fmt: skip
    done = ask(call, "audit.timestamp", arguments, passphrase_file=passphrase_file)
    time = read_token(token, head.raw)
    result: dict[str, Json] = {**done, "time": time, "signer": signer}
    if call.out.result(result):
        return
    call.out.verdict(f"{head.size:,} entries are timestamped at {when(time)}.", good=True)
    if signer is None:
        call.out.line("Who signed it was not judged: --tsa-ca FILE names whom you trust.")
    else:
        call.out.line(f"  by {harmless(signer)}")


def _newest(settings: Settings) -> KeptHead:
    from node.audit.kept import newest_head, newest_number
    from node.reading import open_desk_for_reading

    def work(conn: Connection) -> KeptHead:
        number = newest_number(conn)
        return newest_head(conn, desk.office.directory, settings.authority, number=number)

    with open_desk_for_reading(settings, None) as desk:
        return desk.database.read(work)


def _post(place: str, asked: StampRequest) -> bytes:
    """Send the request, as whoever typed the command; the log shows nothing of itself in it."""
    request = urllib.request.Request(  # noqa: S310  (the scheme was looked at)
        place, asked.raw, {"Content-Type": "application/timestamp-query"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_WAIT_S) as answer:  # noqa: S310  (the same)
            status, raw = answer.status, answer.read(_ANSWER_BYTES_MAX + 1)
    except (URLError, TimeoutError) as fault:
        reason = getattr(fault, "reason", fault)
        raise failed(
            "timestamps-away", f"The timestamp authority gives no answer: {harmless(reason)}."
        ) from None
    if status != HTTPStatus.OK:
        raise failed("timestamps-away", f"The timestamp authority answered {status}.")
    return bytes(raw)
