"""`comity keys`: which keys this node has, a fresh one, and a listing that shows them.

The passphrase is needed to write the key file again. It is asked for here, and goes to a
node that runs through its own socket, which only its user can open; it is never logged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.cli.access import ask, asking, known_passphrase, settings_of
from node.cli.call import Call, PassphraseOption, command, usage
from node.cli.files import write_new
from node.cli.output import when
from protocol.encoding import Fields, Json, to_base64
from protocol.limits import LISTING_BYTES_MAX

_KEYS_MAX = 1_024


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = typer.Typer(no_args_is_help=True, help="Show, rotate or publish this node's keys.")
    command(keys, "show")(show)
    command(keys, "rotate")(rotate)
    command(keys, "publish")(publish)
    app.add_typer(keys, name="keys")


def show(call: Call, *, passphrase_file: PassphraseOption = None) -> None:
    """Show the ids of this node's keys, and the fingerprint to read to others."""
    found = ask(call, "keys.show", {}, passphrase_file=passphrase_file)
    if call.out.result(found):
        return
    fields = Fields(found, "answer")
    call.out.heading(f"Keys of {fields.text('authority')}")
    call.out.line(f"  fingerprint  {fields.text('fingerprint')}")
    call.out.line(f"  as hex       {fields.text('sha256')}")
    call.out.line()
    keys = [Fields(one, "key") for one in fields.items("keys", count_max=_KEYS_MAX)]
    call.out.table(
        ("purpose", "algorithm", "key id", "made", "until", "listed"),
        [
            (one.text("purpose"), one.text("algorithm"), one.text("key_id")[:16],
             when(one.take("created")), when(one.take("until")),
             "yes" if one.take("listed") else "no")
            for one in keys
        ],
    )  # fmt: skip


def rotate(
    call: Call,
    *,
    purpose: Annotated[str, typer.Argument(metavar="seal|hop", help="Which key.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Replace the key that opens envelopes (seal) or the one that signs HTTP (hop)."""
    if purpose not in {"seal", "hop"}:
        raise usage(
            f'"{purpose}" keys are not rotated here: seal or hop. The others stand in the network '
            "document, and change with it."
        )
    settings = settings_of(call)
    named = passphrase_file or settings.keys.passphrase_file
    known = None
    if named is not None or asking() is not None:
        known = known_passphrase(settings, passphrase_file)
    arguments: dict[str, Json] = {
        "purpose": purpose, "passphrase": None if known is None else to_base64(known),
    }  # fmt: skip
    found = ask(call, "keys.rotate", arguments, passphrase_file=passphrase_file, passphrase=known)
    if call.out.result(found):
        return
    fields = Fields(found, "answer")
    until = when(fields.take("until"))
    call.out.verdict(f"A fresh {purpose} key is in use and listed.", good=True)
    call.out.line(f"  new  {fields.text('key_id')}")
    call.out.line(f"  old  {fields.text('retired')}, until {until}")
    if purpose == "seal":
        call.out.line("The old key still opens what is on its way, and is destroyed in 35 days.")
    else:
        call.out.line("The old key still signs until then; peers fetch the listing meanwhile.")
    call.out.line("The key file has changed: make a new copy of it.")


def publish(
    call: Call,
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the listing to a new file, too.")
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """List this node's keys, URLs and certificate anew, as the settings have them now."""
    found = ask(call, "keys.publish", {}, passphrase_file=passphrase_file)
    fields = Fields(found, "answer")
    raw = fields.base64("listing", bytes_max=LISTING_BYTES_MAX)
    if out is not None:
        write_new(out, raw)
    if call.out.result(found):
        return
    call.out.verdict(f"Listing {fields.integer('serial')} stands.", good=True)
    call.out.line(f"  until {when(fields.take('expires'))}; peers fetch it by themselves.")
