"""Network documents, drafts, listings and fingerprints as people read them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from node.cli.call import Call, failed
from node.cli.files import read_whole
from node.cli.output import plural, when
from protocol.encoding import Fields, Json
from protocol.limits import AUTHORITIES_MAX, DOCUMENT_BYTES_MAX

if TYPE_CHECKING:
    from keys.fingerprint import Fingerprint
    from node.stewards import Standing
    from protocol.listing import Listing


def say_fingerprint(call: Call, found: Fingerprint) -> None:
    """Show a fingerprint as it is read over the telephone."""
    call.out.line(f"  fingerprint   {' '.join(found.groups[:6])}")
    call.out.line(f"                {' '.join(found.groups[6:])}")
    call.out.line(f"  as hex        {found.hex}")


def say_draft(call: Call, schema: str, path: Path) -> None:
    """Show how far a draft is."""
    from node.stewards import standing

    found = standing(read_whole(path, DOCUMENT_BYTES_MAX))
    if call.out.result({**_standing_json(found), "schema": schema, "file": str(path)}):
        return
    _say_standing(call, found, path)


def say_file(call: Call, path: Path) -> None:
    """Show what a file is that stewards or authorities hand around."""
    from node.stewards import standing
    from protocol.dsse import decode_statement
    from protocol.listing import LISTING_TYPE, decode_listing_text
    from protocol.network import NETWORK_TYPE

    raw = read_whole(path, DOCUMENT_BYTES_MAX)
    kind = statement_type(raw, path)
    if kind == NETWORK_TYPE:
        found = standing(raw)
        if not call.out.result(
            {**_standing_json(found), "schema": "comity.document/1", "file": str(path)}
        ):
            _say_standing(call, found, path)
        return
    if kind == LISTING_TYPE:
        statement = decode_statement(raw, kind=LISTING_TYPE, bytes_max=DOCUMENT_BYTES_MAX)
        _say_listing(call, decode_listing_text(statement.text))
        return
    raise failed("unknown-file", f"{path} is a statement of another type: {kind}.")


def statement_type(raw: bytes, path: Path) -> str:
    """Say what kind of signed statement a file is."""
    from protocol.encoding import decode
    from protocol.errors import Rejected

    try:
        fields = Fields(decode(raw, bytes_max=DOCUMENT_BYTES_MAX), "statement")
        return fields.text("payloadType")
    except Rejected:
        raise failed(
            "unknown-file",
            f"{path} is no network document, listing or revocation, or it was altered.",
        ) from None


def _standing_json(found: Standing) -> dict[str, Json]:
    from keys.fingerprint import document_fingerprint

    document = found.document
    return {
        "network": document.network,
        "version": document.version,
        "created": document.created,
        "expires": document.expires,
        "fingerprint": document_fingerprint(found.digest).digits,
        "sha256": found.digest,
        "threshold": document.threshold,
        "missing": found.missing,
        "stewards": [
            {"name": one.name, "signed": one.name in found.signed_by} for one in document.stewards
        ],
        "authorities": [
            {"id": one.id, "names": dict(one.names), "state": one.state, "status": one.status,
             "witnesses": list(one.witnesses)}
            for one in document.authorities
        ],
    }  # fmt: skip


def _say_standing(call: Call, found: Standing, path: Path) -> None:
    from keys.fingerprint import document_fingerprint

    document = found.document
    call.out.heading(f"Network {document.network}, version {document.version}")
    call.out.line(f"  stands        {when(document.created)} to {when(document.expires)}")
    say_fingerprint(call, document_fingerprint(found.digest))
    call.out.line()
    call.out.table(
        ("steward", "signed"),
        [(one.name, "yes" if one.name in found.signed_by else "no") for one in document.stewards],
    )
    call.out.line()
    call.out.table(
        ("authority", "State", "status", "name"),
        [
            (one.id, one.state, one.status, next(iter(one.names.values())))
            for one in document.authorities
        ],
    )
    call.out.line()
    if found.missing:
        text = f"{path}: {len(found.signed_by)} of {document.threshold} needed signatures"
        call.out.line(f"{text}; the next steward types:")
        call.out.line(f"  comity network sign {path} --key STEWARDKEY")
    elif not document.authorities:
        call.out.line(f"{path} is signed by enough stewards, but lists no authority.")
    else:
        call.out.verdict(f"{path} is signed by enough stewards.", good=True)


def _say_listing(call: Call, listing: Listing) -> None:
    from keys.fingerprint import fingerprint

    sign = [
        one.key.key_id for one in listing.keys if one.key.purpose == "sign" and one.until is None
    ]
    found = fingerprint(sign)
    if call.out.result(
        {"schema": "comity.listing/1", "network": listing.network,
         "authority": listing.authority, "serial": listing.serial, "created": listing.created,
         "expires": listing.expires, "urls": list(listing.urls), "pull": listing.pull,
         "fingerprint": found.digits, "sha256": found.hex}
    ):  # fmt: skip
        return
    call.out.heading(f"Listing {listing.serial} of {listing.authority} in {listing.network}")
    call.out.line(f"  stands        {when(listing.created)} to {when(listing.expires)}")
    call.out.line(f"  reached at    {', '.join(listing.urls) or 'nowhere: it fetches'}")
    for one in listing.contacts:
        call.out.line(f"  contact       {one.name} {one.email} {one.telephone}".rstrip())
    say_fingerprint(call, found)


def say_installed(call: Call, found: Fields) -> None:
    """Show what is installed here."""
    network, version = found.text("network"), found.integer("version")
    if version == 0:
        call.out.line(f"No document of the network {network} is installed here yet. Type:")
        call.out.line(f"  {call.typed('network', 'install', 'DOCUMENT', 'LISTING')} …")
        return
    listed = [
        Fields(one, "authority") for one in found.items("authorities", count_max=AUTHORITIES_MAX)
    ]
    call.out.heading(f"Network {network}, version {version}")
    call.out.line(f"  until         {when(found.take('expires'))}")
    call.out.line(f"  fingerprint   {found.text('fingerprint')}")
    call.out.line(f"  as hex        {found.text('sha256')}")
    call.out.line(f"  {plural(len(listed), 'authority').replace('authoritys', 'authorities')}")
    call.out.table(
        ("authority", "status", "listing"),
        [
            (one.text("id"), one.text("status"), "here" if one.take("listed") else "missing")
            for one in listed
        ],
    )
