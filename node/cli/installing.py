"""`comity network install`: what a node shall trust, seen by a person where it must be.

The first document is believed by its own list of stewards, so somebody has to compare its
fingerprint with what the stewards say. Later ones prove themselves by those before them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.access import ask
from node.cli.call import Call, Failed, PassphraseOption, failed, usage
from node.cli.files import read_whole
from node.cli.network_text import say_fingerprint, statement_type
from node.cli.output import plural
from node.exits import Exit, Fault
from protocol.encoding import Fields, Json, to_base64
from protocol.limits import DOCUMENT_BYTES_MAX

if TYPE_CHECKING:
    from keys.fingerprint import Fingerprint
    from protocol.network import TrustedDocument

_HEX_CHARS = 64


def install(
    call: Call,
    *,
    files: Annotated[
        list[Path], typer.Argument(metavar="DOCUMENT [LISTING…] [REVOCATION…]", show_default=False)
    ],
    fingerprint: Annotated[
        str | None,
        typer.Option(metavar="DIGITS", help="The document's fingerprint, as digits or as hex."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Trust the first document without comparing it.")
    ] = False,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Install a network document, listings and revocations."""
    sorted_raw = _sorted(files)
    newest = _newest(sorted_raw["documents"])
    if fingerprint is not None:
        _compare(newest, fingerprint)
    elif newest is not None and not yes:
        _confirm(call, newest)
    arguments: dict[str, Json] = {
        kind: [to_base64(raw) for raw in raws] for kind, raws in sorted_raw.items()
    }
    found = ask(call, "network.install", arguments, passphrase_file=passphrase_file)
    if call.out.result(found):
        return
    fields = Fields(found, "answer")
    new = fields.items("new", count_max=len(files))
    call.out.verdict(
        f"Installed {sum(map(bool, new))} of {plural(len(files), 'file')}"
        f"{'' if all(new) else '; the others were here already'}.",
        good=True,
    )
    call.out.line(f"  network {fields.text('network')}, version {fields.integer('version')}")
    call.out.line(f"Next:  {call.typed('run')}")


def _sorted(files: list[Path]) -> dict[str, list[bytes]]:
    """Read the files and sort them by what they are, documents in the order of versions."""
    from protocol.listing import LISTING_TYPE, decode_listing, decode_listing_text
    from protocol.network import NETWORK_TYPE, decode_document, decode_document_text
    from protocol.revocation import REVOCATION_TYPE

    kinds = {NETWORK_TYPE: "documents", LISTING_TYPE: "listings", REVOCATION_TYPE: "revocations"}
    found: dict[str, list[bytes]] = {kind: [] for kind in kinds.values()}
    for path in files:
        raw = read_whole(path, DOCUMENT_BYTES_MAX)
        kind = kinds.get(statement_type(raw, path))
        if kind is None:
            raise failed("unknown-file", f"{path} is a statement of a type that is not installed.")
        found[kind].append(raw)
    found["documents"].sort(key=lambda raw: decode_document_text(decode_document(raw).text).version)
    found["listings"].sort(key=lambda raw: decode_listing_text(decode_listing(raw).text).serial)
    return found


def _newest(documents: list[bytes]) -> TrustedDocument | None:
    """Give the newest of the documents; refuse one that its own stewards have not signed."""
    from node.stewards import standing
    from protocol.network import decode_document, verify_first

    trusted = []
    for raw in documents:
        draft = standing(raw)
        if draft.missing:
            raise failed(
                "not-signed",
                f"Version {draft.document.version} of the network document is a draft: "
                f"{len(draft.signed_by)} of the {draft.document.threshold} stewards who must have "
                "signed it. The others type `comity network sign`.",
            )
        trusted.append(verify_first(decode_document(raw)))
    return trusted[-1] if trusted else None


def _compare(newest: TrustedDocument | None, typed: str) -> None:
    """Refuse a document that has not the fingerprint that was given."""
    if newest is None:
        raise usage("--fingerprint is that of a network document, and none was given.")
    found = _fingerprint(newest)
    plain = "".join(sign for sign in typed.lower() if sign.isalnum())
    expected = found.hex if len(plain) == _HEX_CHARS else found.digits.replace(" ", "")
    if plain != expected:
        raise Failed(
            Fault(
                "another-document",
                f"The document has another fingerprint: {found.digits} ({found.hex}). "
                "Nothing was installed. Ask the stewards which one is right.",
                Exit.FALSE,
            )
        )


def _confirm(call: Call, newest: TrustedDocument) -> None:
    """Let a person compare the fingerprint, if this is the first document here."""
    here = Fields(ask(call, "network.show", {}), "answer")
    if here.integer("version"):
        return  # it must follow the one that is trusted
    found = _fingerprint(newest)
    if call.out.as_json or not sys.stdin.isatty():
        raise usage(
            "This is the first document here, which proves itself to nobody: give --fingerprint "
            f"as the stewards say it, or --yes. It is {found.digits}."
        )
    call.out.heading("The first network document of this node. Compare with the stewards:")
    say_fingerprint(call, found)
    if not typer.confirm("Is it the same?"):
        raise failed("not-confirmed", "Nothing was installed.")


def _fingerprint(newest: TrustedDocument) -> Fingerprint:
    from keys.fingerprint import document_fingerprint

    return document_fingerprint(newest.digest)
