"""`comity audit prove` and `comity audit bundle`: files that prove something to a stranger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.cli.access import ask, settings_of
from node.cli.call import Call, PassphraseOption, command
from node.cli.files import write_new
from node.cli.heads import witnessed
from node.cli.output import harmless, size, when
from node.exits import Exit
from protocol.encoding import Fields, Json
from protocol.limits import BUNDLE_BYTES_MAX

if TYPE_CHECKING:
    from node.audit.judged import Judgement
    from node.audit.prove import ProvenRecord
    from node.storage import Connection


def register(audit: typer.Typer) -> None:
    """Add the commands."""
    command(audit, "prove")(prove)
    command(audit, "bundle")(bundle)


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
    out.line(f"  {whole}   record, salt and proof:  comity verify {whole} --policy POLICY")
    out.line(f"  {bare}   the proof alone, for any C2SP tool")
    out.line("A policy names the log's keys and witnesses: it is in what `audit export` writes.")


def bundle(
    call: Call,
    *,
    case: Annotated[str, typer.Argument(metavar="CASE", help="Its id, or how it begins.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="As case.comity.")],
    proofs_only: Annotated[
        bool,
        typer.Option("--proofs-only", help="Without texts: identities, receipts and proofs."),
    ] = False,
    passphrase_file: PassphraseOption = None,
) -> Exit:
    """Write one file with all that a stranger needs to verify a case, and verify it."""
    from node.audit.verify import verify_file

    verb = "case.proofs" if proofs_only else "case.bundle"
    made = Fields(ask(call, verb, {"case": case}, passphrase_file=passphrase_file), "answer")
    raw = made.base64("bundle", bytes_max=BUNDLE_BYTES_MAX)
    left_out = made.texts("left_out", count_max=1_000, chars_max=1_000)
    judged = verify_file(raw)
    write_new(out, raw)
    result: dict[str, Json] = {
        "schema": "comity.bundle/1", "case": made.text("case"), "file": str(out),
        "bytes": len(raw), "proofs_only": proofs_only, "left_out": list(left_out),
        "conclusion": judged.conclusion.value, "statements": list(judged.statements),
        "not_proved": list(judged.not_proved),
    }  # fmt: skip
    if not call.out.result(result):
        _say_bundle(call, out, raw, judged, left_out)
    return _EXITS[judged.conclusion.value]


_EXITS: Final = {"true": Exit.DONE, "false": Exit.FALSE, "undecided": Exit.UNDECIDED}


def _say_bundle(
    call: Call, path: Path, raw: bytes, judged: Judgement, left_out: Sequence[str]
) -> None:
    out, verdict = call.out, judged.conclusion.value
    out.verdict(f"Wrote {path} with {size(len(raw))}.", good=verdict == "true")
    for sentence in left_out:
        out.line(f"  left out: {harmless(sentence)}")
    if verdict == "true":
        out.line(f"Anybody can verify it, without this node:  comity verify {path}")
        return
    found = "is FALSE" if verdict == "false" else "cannot be decided by itself"
    out.line(f"Whoever verifies it will find that it {found}:")
    for sentence in (*judged.statements, *judged.not_proved):
        out.line(f"  {harmless(sentence)}")
