"""`comity audit verify`, `comity verify` and `comity doctor` say whether all is as it should be."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.cli.access import open_ring, settings_of
from node.cli.call import Call, PassphraseOption, command, usage
from node.cli.files import read_whole
from node.cli.output import harmless, plural
from node.exits import Exit
from protocol.encoding import Json

if TYPE_CHECKING:
    from node.audit.fsck import Report
    from node.settings import Settings

_FILE_BYTES_MAX: Final = 16 * 1024 * 1024
_FINDINGS_SHOWN: Final = 10


def register(app: typer.Typer) -> None:
    """Add the commands."""
    audit = typer.Typer(no_args_is_help=True, help="Verify this node's log.")
    command(audit, "verify")(audit_verify)
    app.add_typer(audit, name="audit")
    command(app, "verify")(verify)


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
    from node.audit.log import FIRST_LOG
    from node.clock import SystemClock, SystemRandom
    from node.logs import configure
    from node.storage.engine import open_database
    from node.storage.vault import Vault
    from protocol.checkpoint import log_origin

    configure("error", "console")
    vault = None
    if texts or passphrase_file is not None:
        vault = Vault(open_ring(settings, passphrase_file).storage_key, SystemRandom())
    database = open_database(settings.database.url.get_secret_value(), read_only=True)
    try:
        # The guard first: a node that runs moves it after the database, never before.
        guard = settings.guard.file.read_bytes() if settings.guard.file.exists() else None
        return fsck(
            database, network=settings.network, authority=settings.authority,
            origin=log_origin(settings.network, settings.authority, FIRST_LOG),
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
    if report.root is not None:
        out.line(f"  root      {report.root} at size {report.size}")
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


# --- one file --------------------------------------------------------------


def verify(
    call: Call,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt, proof or document.")],
    fingerprint: Annotated[
        str | None,
        typer.Option(metavar="DIGITS", help="The network document that you trust: digits or hex."),
    ] = None,
) -> Exit:
    """Verify a receipt or proof, offline and without any configuration."""
    from node.audit.verify import verify_file
    from protocol.errors import Misuse

    raw = read_whole(file, _FILE_BYTES_MAX)
    try:
        judged = verify_file(raw, trusted_fingerprint=fingerprint)
    except Misuse as fault:
        raise usage(f"--fingerprint: {fault}.") from None
    verdict = judged.conclusion.value
    result: dict[str, Json] = {
        "schema": "comity.verification/1", "file": str(file), "conclusion": verdict,
        "kind": judged.kind, "statements": list(judged.statements),
        "not_proved": list(judged.not_proved), **judged.fields,
    }  # fmt: skip
    if not call.out.result(result):
        said, good = _VERIFY_SENTENCES[verdict]
        call.out.verdict(f"{file}: {said}", good=good)
        for sentence in judged.statements:
            call.out.line(f"  {harmless(sentence)}")
        for sentence in judged.not_proved:
            call.out.line(f"  - {harmless(sentence)}")
    return _VERIFY_EXITS[verdict]


_VERIFY_EXITS: Final = {"true": Exit.DONE, "false": Exit.FALSE, "undecided": Exit.UNDECIDED}
_VERIFY_SENTENCES: Final = {
    "true": ("VERIFIED", True),
    "false": ("FALSE", False),
    "undecided": ("CANNOT BE DECIDED", False),
}
