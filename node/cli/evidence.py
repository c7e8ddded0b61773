"""`comity evidence`: hash what is offered, and compare what came with what was signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.cli.access import ask, settings_of
from node.cli.call import Call, PassphraseOption, command, failed, usage
from node.cli.files import hash_paths, progress_bar, read_whole, write_new
from node.cli.output import harmless, plural, size
from node.exits import Exit
from protocol.encoding import Fields, Json
from protocol.limits import MANIFEST_FILE_BYTES_MAX, MANIFEST_INLINE_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from node.evidence.compare import Outcome
    from node.evidence.manifest import Manifest

_ROWS_SHOWN: Final = 200
_MESSAGES_MAX: Final = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the commands."""
    evidence = typer.Typer(no_args_is_help=True, help="Hash evidence, or check it.")
    command(evidence, "hash")(hash_evidence)
    command(evidence, "verify")(verify)
    app.add_typer(evidence, name="evidence")


def hash_evidence(
    call: Call,
    *,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(metavar="MANIFEST", help="Write the manifest to a new file.")
    ] = None,
) -> None:
    """Hash files and folders, as a request or an answer would list them."""
    manifest = hash_paths(call, paths)
    if out is not None:
        write_new(out, manifest.encode())
    items: list[Json] = [
        {"path": one.path, "type": one.type, "size": one.size, "sha256": one.sha256}
        for one in manifest.items
    ]
    result: dict[str, Json] = {
        "schema": "comity.manifest/1", "sha256": manifest.digest, "bytes": manifest.size,
        "file": None if out is None else str(out), "items": items,
    }  # fmt: skip
    if call.out.result(result):
        return
    if out is None:
        for one in manifest.items:
            call.out.line(f"{one.sha256}  {harmless(one.path)}")
        call.out.line()
    counted = f"{plural(len(manifest.items), 'file')}, {size(manifest.size)}"
    call.out.line(f"{counted}; manifest {manifest.digest}")
    if out is not None:
        call.out.line(f"Wrote {out}. Check a folder against it:")
        call.out.line(f"  comity evidence verify {out} FOLDER")


def verify(
    call: Call,
    *,
    source: Annotated[
        str, typer.Argument(metavar="CASE|MANIFEST", help="A case, or a manifest's file.")
    ],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The folder or file to check.")],
    message: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="The sender's message of that number in the case."),
    ] = None,
    ours: Annotated[
        bool, typer.Option("--ours", help="What we listed in the case, not what came.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Files that nobody listed count: exit status 5.")
    ] = False,
    passphrase_file: PassphraseOption = None,
) -> Exit:
    """Say of every item: same, different, missing or extra."""
    from node.evidence.compare import Conclusion, compare, conclusion

    where: dict[str, Json] = {"path": str(path)}
    if Path(source).is_file():
        if message is not None or ours:
            raise usage(f"{source} is a file with one manifest: no --message, no --ours.")
        from node.evidence.manifest import decode_manifest

        raw = read_whole(Path(source), MANIFEST_FILE_BYTES_MAX)
        manifest = decode_manifest(raw, bytes_max=MANIFEST_FILE_BYTES_MAX)
    else:
        manifest, stated = _of_case(call, source, message, passphrase_file, ours=ours)
        where |= stated
    with progress_bar(call, "checking", manifest.size) as progress:
        outcomes = compare(manifest, path, progress)
    found = conclusion(outcomes)
    _say(call, manifest, outcomes, where)
    if found is Conclusion.EXTRA:
        call.out.warn("there are files that the manifest does not list.")
        return Exit.WARNINGS if strict else Exit.DONE
    return _EXITS[found.value]


_EXITS: Final = {"same": Exit.DONE, "undecided": Exit.UNDECIDED, "false": Exit.FALSE}


def _of_case(
    call: Call, case: str, number: int | None, passphrase_file: Path | None, *, ours: bool
) -> tuple[Manifest, dict[str, Json]]:
    """Give the newest manifest of the other side in a case, or that of one message."""
    from node.evidence.manifest import decode_manifest

    own = settings_of(call).authority
    found = Fields(
        ask(call, "case.manifests", {"case": case}, passphrase_file=passphrase_file), "answer"
    )
    case_id = found.text("case")
    listed = []
    for item in found.items("manifests", count_max=_MESSAGES_MAX):
        one = Fields(item, "manifest")
        sender, seq = one.text("from"), one.integer("seq")
        if (sender == own) == ours and number in {None, seq}:
            listed.append((seq, sender, one))
    if not listed:
        whose = "we sent" if ours else "we received"
        which = "" if number is None else f" with number {number}"
        raise failed("no-evidence", f"No message that {whose} in {case_id}{which} lists evidence.")
    seq, sender, newest = max(listed, key=lambda one: one[0])
    raw = newest.base64("manifest", bytes_max=MANIFEST_INLINE_BYTES_MAX)
    stated: dict[str, Json] = {
        "case": case_id, "from": sender, "seq": seq, "message": newest.text("message"),
    }  # fmt: skip
    return decode_manifest(raw), stated


def _say(
    call: Call, manifest: Manifest, outcomes: Sequence[Outcome], where: dict[str, Json]
) -> None:
    from node.evidence.compare import Conclusion, Verdict, conclusion, tally

    counts, found = tally(outcomes), conclusion(outcomes)
    rows: list[Json] = [
        {"path": one.path, "verdict": str(one.verdict), "reason": one.reason,
         "size_listed": one.size_listed, "size_found": one.size_found}
        for one in outcomes
    ]  # fmt: skip
    result: dict[str, Json] = {
        "schema": "comity.comparison/1", **where, "manifest": manifest.digest,
        "conclusion": str(found), "counts": {str(key): value for key, value in counts.items()},
        "items": rows,
    }  # fmt: skip
    if call.out.result(result):
        return
    if "seq" in where:
        call.out.line(
            f"As {where['from']} listed in its message {where['seq']} of {where['case']}:"
        )
    wanted = [
        one for one in outcomes if len(outcomes) <= _ROWS_SHOWN or one.verdict != Verdict.SAME
    ]
    call.out.table(
        ("", "path", "why"),
        [(one.verdict.upper(), one.path, one.reason) for one in wanted[:_ROWS_SHOWN]],
    )
    if len(wanted) > _ROWS_SHOWN:
        call.out.line(f"… and {len(wanted) - _ROWS_SHOWN:,} more; --json lists all.")
    call.out.line()
    said = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.items() if count)
    good = found in {Conclusion.SAME, Conclusion.EXTRA}
    call.out.verdict(f"{_SENTENCES[found.value]} ({said}).", good=good)


_SENTENCES: Final = {
    "same": "Every item is what was listed",
    "extra": "Every item is what was listed, and there is more",
    "undecided": "Cannot be decided: something could not be read",
    "false": "NOT what was listed",
}
