"""`comity audit prove` and `comity audit bundle`: files that prove something to a stranger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.access import settings_of
from node.cli.call import Call, command
from node.cli.files import write_new
from node.cli.heads import witnessed
from node.cli.output import when
from protocol.encoding import Json

if TYPE_CHECKING:
    from node.audit.prove import ProvenRecord
    from node.storage import Connection


def register(audit: typer.Typer) -> None:
    """Add the commands."""
    command(audit, "prove")(prove)


def prove(
    call: Call,
    *,
    name: Annotated[
        str,
        typer.Argument(
            metavar="RECORD|MESSAGE", help="A position, LOG/POSITION, or how a message begins."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", show_default=False,
            help="Where to put FILE.tlog-proof and FILE.proof.json.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Write the proof that one record is in the log, with the record itself."""
    from node.audit.prove import find_place, prove_record
    from node.reading import open_desk_for_reading

    settings = settings_of(call)

    def work(conn: Connection) -> ProvenRecord:
        place = find_place(conn, name)
        return prove_record(conn, desk.office.directory, settings.authority, place)

    with open_desk_for_reading(settings, None) as desk:
        proven = desk.database.read(work)
    place = proven.place
    base = out or Path(f"{settings.authority}-{place.log}-{place.position}")
    bare = base.with_name(f"{base.name}.tlog-proof")
    whole = base.with_name(f"{base.name}.proof.json")
    write_new(bare, proven.proof)
    write_new(whole, proven.encode())
    _say_proof(call, proven, bare, whole)


def _say_proof(call: Call, proven: ProvenRecord, bare: Path, whole: Path) -> None:
    head, place = proven.head, proven.place
    result: dict[str, Json] = {
        "schema": "comity.proof/1", "log": place.log, "position": place.position,
        "kind": proven.kind, "origin": head.checkpoint.origin, "size": head.size,
        "signed_at": head.signed.time, "witnesses": list(head.witnesses), "quorum": head.quorum,
        "tlog_proof": str(bare), "proof": str(whole),
    }  # fmt: skip
    if call.out.result(result):
        return
    out = call.out
    out.verdict(f"Entry {place.position} of {head.checkpoint.origin} is proved.", good=True)
    out.line(f"  what       {proven.kind}")
    out.line(f"  under      {head.size:,} entries, signed {when(head.signed.time)}")
    out.line(f"  witnessed  {witnessed(head)}")
    out.line(f"  {whole}   record, salt and proof:  comity verify {whole}")
    out.line(f"  {bare}   the proof alone, for any C2SP tool")
