"""`comity verify` says what one file proves, for somebody who has nothing else.

Reads files and judges none: that is for `node.audit.verify` and its likes. What makes such
files is in `node.cli.bundling`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.cli.call import Call, command, usage
from node.cli.files import read_whole
from node.cli.output import harmless
from node.cli.stamping import CERTIFICATES_BYTES_MAX
from node.exits import Exit
from protocol.encoding import Json
from protocol.limits import BUNDLE_BYTES_MAX, POLICY_BYTES_MAX

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from node.audit.judged import Judgement
    from protocol.policy import Policy


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "verify")(verify)


# --- one file --------------------------------------------------------------


def verify(
    call: Call,
    *,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="A bundle, receipt, proof, document, or the folder of a log."
        ),
    ] = None,
    fingerprint: Annotated[
        str | None,
        typer.Option(metavar="DIGITS", help="The network document that you trust: digits or hex."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A tlog policy that you trust: a log, its witnesses."),
    ] = None,
    tsa_ca: Annotated[
        Path | None,
        typer.Option(
            "--tsa-ca",
            metavar="FILE",
            help="Certificates in PEM of whom you trust to timestamp (RFC 3161).",
        ),
    ] = None,
    page: Annotated[
        bool,
        typer.Option("--page", help="Write the verifier that needs no installation, as HTML."),
    ] = False,
) -> Exit:
    """Verify a bundle, receipt or proof, offline and without any configuration."""
    if page:
        return _write_page(file)
    if file is None:
        raise usage("Which file? `comity verify FILE`, or --page for the page that verifies.")
    if file.is_dir():
        if fingerprint is not None or tsa_ca is not None:
            raise usage("An exported log is verified by a policy: --policy, and nothing else.")
        judged = _judge_folder(file, policy)
    else:
        judged = _judge_file(file, fingerprint, policy, tsa_ca)
    _say(call, file, judged)
    return _VERIFY_EXITS[judged.conclusion.value]


def _judge_file(
    file: Path, fingerprint: str | None, policy: Path | None, tsa_ca: Path | None
) -> Judgement:
    from node.audit.verify import verify_file
    from protocol.errors import Misuse

    raw = read_whole(file, BUNDLE_BYTES_MAX)
    try:
        return verify_file(
            raw, trusted_fingerprint=fingerprint, policy=_read_policy(policy),
            tsa_roots=_read_roots(tsa_ca),
        )  # fmt: skip
    except Misuse as fault:
        raise usage(f"--fingerprint: {fault}.") from None


def _judge_folder(folder: Path, policy: Path | None) -> Judgement:
    from node.audit.verify_export import is_export, judge_export

    if not is_export(folder):
        raise usage(
            f"{folder} is a folder and no exported log: it holds no checkpoint. Give one file, or "
            "the folder that `audit export` made."
        )
    return judge_export(folder, _read_policy(policy))


def _read_roots(path: Path | None) -> tuple[Certificate, ...]:
    from node.audit.stamped import load_roots
    from protocol.errors import Rejected

    if path is None:
        return ()
    try:
        return load_roots(read_whole(path, CERTIFICATES_BYTES_MAX))
    except Rejected as fault:
        raise usage(f"--tsa-ca: {fault.detail}.") from None


def _write_page(file: Path | None) -> Exit:
    from node.page import verifier_html

    if file is not None:
        raise usage("--page writes a page to standard output and takes no file.")
    sys.stdout.buffer.write(verifier_html())
    sys.stdout.buffer.flush()
    return Exit.DONE


def _read_policy(path: Path | None) -> Policy | None:
    from protocol.errors import Rejected
    from protocol.policy import decode_policy

    if path is None:
        return None
    try:
        return decode_policy(read_whole(path, POLICY_BYTES_MAX))
    except Rejected as fault:
        raise usage(f"--policy: {fault.detail}.") from None


def _say(call: Call, file: Path, judged: Judgement) -> None:
    verdict = judged.conclusion.value
    result: dict[str, Json] = {
        "schema": "comity.verification/1", "file": str(file), "conclusion": verdict,
        "kind": judged.kind, "alarms": list(judged.alarms),
        "statements": list(judged.statements), "not_proved": list(judged.not_proved),
        **judged.fields,
    }  # fmt: skip
    if call.out.result(result):
        return
    said, good = _VERIFY_SENTENCES[verdict]
    for sentence in judged.alarms:
        call.out.verdict(harmless(sentence), good=False)
    call.out.verdict(f"{file}: {said}", good=good)
    for sentence in judged.statements:
        call.out.line(f"  {harmless(sentence)}")
    for sentence in judged.not_proved:
        call.out.line(f"  - {harmless(sentence)}")


_VERIFY_EXITS: Final = {"true": Exit.DONE, "false": Exit.FALSE, "undecided": Exit.UNDECIDED}
_VERIFY_SENTENCES: Final = {
    "true": ("VERIFIED", True),
    "false": ("FALSE", False),
    "undecided": ("CANNOT BE DECIDED", False),
}
