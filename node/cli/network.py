"""`comity network`: make a network document, sign it, show it, and install it.

Everything but `install`, and `show` without a file, is offline and needs no node: it is
what stewards do on a machine of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from node.cli import network_text
from node.cli.access import ask, new_passphrase, steward_passphrase
from node.cli.call import Call, PassphraseOption, command, usage
from node.cli.files import read_whole, replace_whole, write_new
from node.cli.installing import install
from node.cli.signed_before import SignedBefore
from node.cli.steward_words import by_authority, names_by_authority, of
from protocol.encoding import Fields
from protocol.limits import DOCUMENT_BYTES_MAX, LISTING_BYTES_MAX

_DAY_S: Final = 86_400
_DAYS: Final = 365


def register(app: typer.Typer) -> None:
    """Add the commands."""
    network = typer.Typer(no_args_is_help=True, help="Make, sign, show or install the network.")
    command(network, "steward")(steward)
    command(network, "create")(create)
    command(network, "add")(add)
    command(network, "sign")(sign)
    command(network, "show")(show)
    command(network, "install")(install)
    app.add_typer(network, name="network")


def steward(
    call: Call,
    *,
    name: Annotated[str, typer.Option(metavar="TEXT", help="The office, as documents show it.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The new key file; keep it offline.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Make a steward's key file, and FILE.pub to hand on."""
    from keys.fingerprint import fingerprint
    from keys.keyfile import new_steward_ring, write_key_file
    from node.clock import SystemClock, SystemRandom
    from node.stewards import steward_statement

    random = SystemRandom()
    public = out.with_name(out.name + ".pub")
    if public.exists():
        raise usage(f"{public} exists and is never overwritten: choose another name.")
    ring = new_steward_ring(name, random=random, now=SystemClock().now())
    passphrase = new_passphrase(passphrase_file, f"the keys of {name}")
    write_key_file(out, ring, passphrase, strength="steward", random=random)
    write_new(public, steward_statement(ring))
    found = fingerprint(key.key_id for key in ring.public_keys())
    if call.out.result(
        {"schema": "comity.steward/1", "name": name, "key": str(out), "public": str(public),
         "fingerprint": found.digits, "sha256": found.hex}
    ):  # fmt: skip
        return
    call.out.verdict(f"Made the keys of the steward {name}.", good=True)
    call.out.line(f"  keep offline  {out}")
    call.out.line(f"  hand on       {public}")
    network_text.say_fingerprint(call, found)


def create(
    call: Call,
    *,
    out: Annotated[Path, typer.Option(metavar="DRAFT", help="The file to write.")],
    network: Annotated[str | None, typer.Option(metavar="ID", help="A new network's id.")] = None,
    threshold: Annotated[
        int | None, typer.Option(metavar="K", help="How many stewards must sign.")
    ] = None,
    stewards: Annotated[
        list[Path] | None,
        typer.Option("--steward", metavar="FILE.pub", help="A steward; given once for each."),
    ] = None,
    after: Annotated[
        Path | None, typer.Option(metavar="DOCUMENT", help="Draft the version after this one.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="For how long it shall stand.")] = _DAYS,
    faulty: Annotated[
        int | None, typer.Option("--f", metavar="F", help="How many witnesses may be wrong.")
    ] = None,
) -> None:
    """Draft a network document: a new network's first one, or the next."""
    from node import stewards as office
    from node.clock import SystemClock
    from protocol.network import decode_document, verify_first

    offices = [office.decode_steward(read_whole(one, _STEWARD_MAX)) for one in stewards or ()]
    now = SystemClock().now()
    expires = now + days * _DAY_S
    if after is not None:
        if network is not None:
            raise usage("Either --network ID for a new network, or --after DOCUMENT: not both.")
        trusted = verify_first(decode_document(read_whole(after, DOCUMENT_BYTES_MAX)))
        document = office.next_document(
            trusted, created=now, expires=expires, stewards=offices, threshold=threshold, f=faulty
        )
    elif network is None or threshold is None or not offices:
        raise usage(
            "A new network needs --network ID, --threshold K and one --steward FILE.pub for each "
            "steward; a new version needs --after DOCUMENT."
        )
    else:
        document = office.first_document(
            network, offices, threshold=threshold, f=faulty or 0, created=now, expires=expires
        )
    write_new(out, office.unsigned(document).encode())
    network_text.say_draft(call, "comity.draft/1", out)


_STEWARD_MAX: Final = 16 * 1024


def add(
    call: Call,
    *,
    draft: Annotated[Path, typer.Argument(metavar="DRAFT")],
    listings: Annotated[list[Path] | None, typer.Argument(metavar="LISTING…")] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="[AUTHORITY=][LANGUAGE:]TEXT", help="How an authority is called."),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(metavar="[AUTHORITY=]CODE", help="Its State, as ISO 3166 has it."),
    ] = None,
    function: Annotated[
        list[str] | None,
        typer.Option(metavar="[AUTHORITY=]WORD", help="What it does: mla, extradition, fiu."),
    ] = None,
    suspend: Annotated[
        list[str] | None, typer.Option(metavar="AUTHORITY", help="Let it send nothing for now.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="AUTHORITY", help="Let it send nothing any more.")
    ] = None,
) -> None:
    """Add authorities by their listings, or bring their keys up to date."""
    from node import stewards as office
    from protocol.listing import decode_listing, decode_listing_text

    standing = office.standing(read_whole(draft, DOCUMENT_BYTES_MAX))
    if standing.signed_by:
        raise usage(
            f"{draft} is signed already, and a change would void that: draft the next version "
            "with `comity network create --after`."
        )
    raws = [read_whole(one, LISTING_BYTES_MAX) for one in listings or ()]
    ids = [decode_listing_text(decode_listing(raw).text).authority for raw in raws]
    names, states = names_by_authority(name or (), ids), by_authority(state or (), ids)
    functions = by_authority(function or (), ids)
    document = standing.document
    document = office.with_listings(
        document,
        [
            office.Listed(raw, names.get(one, {}), of(states, one), tuple(functions.get(one, ())))
            for one, raw in zip(ids, raws, strict=True)
        ],
    )
    for status, wanted in (("suspended", suspend), ("removed", remove)):
        for one in wanted or ():
            document = office.with_status(document, one, status)
    replace_whole(draft, office.unsigned(document).encode())
    network_text.say_draft(call, "comity.draft/1", draft)


def sign(
    call: Call,
    *,
    draft: Annotated[Path, typer.Argument(metavar="DRAFT")],
    key: Annotated[Path, typer.Option(metavar="STEWARDKEY", help="The steward's key file.")],
    previous: Annotated[
        Path | None,
        typer.Option(metavar="DOCUMENT", help="The version before, if it alone lists you."),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Sign a draft as a steward; a version is signed once."""
    from keys.keyfile import read_steward_file
    from node import stewards as office
    from protocol.network import decode_document, decode_document_text

    raw = read_whole(draft, DOCUMENT_BYTES_MAX)
    before = None
    if previous is not None:
        old = decode_document(read_whole(previous, DOCUMENT_BYTES_MAX))
        before = decode_document_text(old.text)
    standing = office.standing(raw)
    remembered = SignedBefore(key)
    ring = read_steward_file(key, steward_passphrase(passphrase_file))
    signed = office.sign_as_steward(
        raw, ring, signed_before=remembered.read(), previous=before
    ).encode()
    remembered.add(standing.document.network, standing.document.version, standing.digest)
    replace_whole(draft, signed)
    network_text.say_draft(call, "comity.signed/1", draft)


def show(
    call: Call,
    *,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A document, draft or listing.")
    ] = None,
) -> None:
    """Show a document, draft or listing; without a file, what is installed here."""
    if file is not None:
        network_text.say_file(call, file)
        return
    found = ask(call, "network.show", {})
    if not call.out.result(found):
        network_text.say_installed(call, Fields(found, "answer"))
