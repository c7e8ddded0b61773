"""`comity audit`: verify, export, search and prove what this node's log holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from node.cli import bundling, stamping, status, tokens
from node.cli.access import open_ring, settings_of
from node.cli.call import Call, PassphraseOption, command, failed
from node.cli.erasing import audit_erase
from node.cli.heads import witnessed
from node.cli.output import harmless, plural, size, when
from node.cli.recovering import recover
from node.cli.searching import search
from node.exits import Exit
from protocol.encoding import Json

if TYPE_CHECKING:
    from node.audit.export import Exported
    from node.audit.fsck import Report
    from node.audit.kept import KeptHead
    from node.settings import Settings
    from node.storage import Connection

_FINDINGS_SHOWN: Final = 10

LogOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--log", metavar="N", min=1, show_default=False,
        help="Which of this authority's logs; else the one that is open.",
    ),
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands."""
    audit = typer.Typer(no_args_is_help=True, help="Verify, search and show this node's log.")
    command(audit, "verify")(audit_verify)
    command(audit, "export")(export)
    command(audit, "search")(search)
    command(audit, "erase")(audit_erase)
    command(audit, "recover")(recover)
    bundling.register(audit)
    status.register_audit(audit)
    tokens.register(audit)
    stamping.register(audit)
    app.add_typer(audit, name="audit")


# --- the log ---------------------------------------------------------------


def audit_verify(
    call: Call,
    *,
    texts: Annotated[
        bool,
        typer.Option("--texts", help="Open the texts of messages, too: needs the passphrase."),
    ] = False,
    passphrase_file: PassphraseOption = None,
) -> Exit:
    """Derive the whole log again from storage, by code that its writer does not share."""
    settings = settings_of(call)
    report = _audit(settings, passphrase_file, texts=texts)
    if not settings.guard.file.exists():
        call.out.warn(
            f"{settings.guard.file} is absent: an older state of the database would look as "
            "sound as this one."
        )
    _say_report(call, settings, report)
    return _AUDIT_EXITS[report.conclusion.value]


_AUDIT_EXITS: Final = {"sound": Exit.DONE, "false": Exit.FALSE, "undecided": Exit.UNDECIDED}


def _audit(settings: Settings, passphrase_file: Path | None, *, texts: bool) -> Report:
    from node.audit.fsck import fsck
    from node.audit.guard import read_guard
    from node.audit.log import open_origin
    from node.clock import SystemClock, SystemRandom
    from node.logs import configure
    from node.storage.engine import open_database
    from node.storage.vault import Vault

    configure("error", "console")
    vault = None
    if texts or passphrase_file is not None:
        vault = Vault(open_ring(settings, passphrase_file).storage_key, SystemRandom())
    database = open_database(settings.database.url.get_secret_value(), read_only=True)
    try:
        # The guard first: a node that runs moves it after the database, never before.
        guard = read_guard(settings.guard.file)
        return fsck(
            database, network=settings.network, authority=settings.authority,
            origin=database.read(
                lambda conn: open_origin(conn, settings.network, settings.authority)
            ),
            guard=guard, vault=vault, monotonic=SystemClock().monotonic,
        )  # fmt: skip
    finally:
        database.close()


def _say_report(call: Call, settings: Settings, report: Report) -> None:
    counts = asdict(report.counts)
    result: dict[str, Json] = {
        "schema": "comity.audit/1", "authority": settings.authority, "network": settings.network,
        "conclusion": report.conclusion.value, "size": report.size, "root": report.root,
        "counts": counts, "findings_total": report.findings_total,
        "findings": [
            {"code": one.code, "place": one.place, "sentence": one.sentence, "open": one.open}
            for one in report.findings
        ],
        "not_checked": list(report.not_checked),
        "closed": [
            {"origin": one.origin, "size": one.size, "end": one.end} for one in report.closed
        ],
        "milliseconds": int(report.seconds * 1000),
    }  # fmt: skip
    if call.out.result(result):
        return
    out = call.out
    out.heading(f"The log of {settings.authority}, derived again from storage")
    out.line(f"  entries   {counts['entries']:,}, of which {counts['erased']:,} erased")
    out.line(f"  messages  {counts['messages']:,}, texts opened {counts['texts']:,}")
    held, issued = counts["receipts_held"], counts["receipts_issued"]
    out.line(f"  receipts  {held:,} held, {issued:,} given; refusals {counts['refusals']:,}")
    out.line(f"  trust     {plural(counts['documents'], 'statement')}; tiles {counts['tiles']:,}")
    watched, notices = plural(counts["checkpoints"], "checkpoint"), counts["notices"]
    out.line(f"  witnesses {watched} cosigned, {plural(counts['witnessed'], 'log')} followed")
    if notices:
        out.line(f"  notices   {notices:,}: forks and closings of logs")
    if report.root is not None:
        out.line(f"  root      {report.root} at size {report.size}")
    for log in report.closed:
        lost = f", {log.end - log.size:,} lost, as it says" if log.end > log.size else ""
        out.line(f"  closed    {log.origin} at {log.end:,} by a signed statement{lost}")
    out.line(f"  in        {report.seconds:.2f} s")
    for sentence in report.not_checked:
        out.line(f"  not checked: {sentence}")
    out.line()
    for one in report.findings[:_FINDINGS_SHOWN]:
        mark = "open " if one.open else "FALSE"
        out.line(f"  {mark}  {one.code}, {harmless(one.place)}: {harmless(one.sentence)}")
    if report.findings_total > _FINDINGS_SHOWN:
        out.line(f"  … and {report.findings_total - _FINDINGS_SHOWN:,} more; --json lists them.")
    sentence, good = _AUDIT_SENTENCES[report.conclusion.value]
    out.verdict(sentence, good=good)


_AUDIT_SENTENCES: Final = {
    "sound": ("SOUND: the log is what its signed checkpoint says, and so is all that it is about.",
              True),
    "false": ("FALSE: storage is not what was signed. Keep everything as it is, and find out why.",
              False),
    "undecided": ("CANNOT BE DECIDED: what would decide it is not here.", False),
}  # fmt: skip


# --- the log as files ------------------------------------------------------


def export(
    call: Call,
    *,
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="A folder to be made.")],
    log: LogOption = None,
    entries: Annotated[
        int | None,
        typer.Option(
            "--size", metavar="N", min=0, show_default=False,
            help="The state with so many entries; else the newest that witnesses have cosigned.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Write the log as files that any C2SP client reads; it holds no record."""
    from node.audit.export import export_log, frame_of
    from node.audit.kept import choose_head
    from node.reading import open_desk_for_reading

    settings = settings_of(call)

    def work(conn: Connection) -> tuple[KeptHead, Exported]:
        directory = desk.office.directory
        head = choose_head(conn, directory, settings.authority, number=log, size=entries)
        frame = frame_of(directory, settings.authority, head)
        return head, export_log(conn, folder, head, frame)

    with open_desk_for_reading(settings, None) as desk:
        try:
            head, exported = desk.database.read(work)
        except FileExistsError:
            raise failed(
                "exists", f"{folder} exists, and is never filled or replaced: choose another."
            ) from None
    _say_export(call, folder, head, exported)


def _say_export(call: Call, folder: Path, head: KeptHead, exported: Exported) -> None:
    result: dict[str, Json] = {
        "schema": "comity.export/1", "dir": str(folder), "origin": exported.origin,
        "size": exported.size, "root": exported.root.hex(), "signed_at": head.signed.time,
        "witnesses": list(head.witnesses), "quorum": head.quorum, "tiles": exported.tiles,
        "bundles": exported.bundles, "bytes": exported.total_bytes,
    }  # fmt: skip
    if call.out.result(result):
        return
    out = call.out
    out.verdict(f"Wrote {exported.origin} with {exported.size:,} entries to {folder}.", good=True)
    out.line(f"  root       {exported.root.hex()}")
    out.line(f"  signed     {when(head.signed.time)}")
    out.line(f"  witnessed  {witnessed(head)}")
    out.line(
        f"  files      {plural(exported.tiles, 'tile')} and "
        f"{plural(exported.bundles, 'bundle')} of entries, {size(exported.total_bytes)}"
    )
