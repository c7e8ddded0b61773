"""`comity verify` says whether one file is what it should be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from node.cli.call import Call, command, usage
from node.cli.files import read_whole
from node.cli.output import harmless
from node.exits import Exit
from protocol.encoding import Json

_FILE_BYTES_MAX: Final = 16 * 1024 * 1024


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "verify")(verify)


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
