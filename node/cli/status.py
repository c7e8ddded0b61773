"""`comity status`, and what watches logs: `comity audit monitor`, `comity audit forks`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated, Final

import typer

from node.cli.access import ask
from node.cli.call import Call, command
from node.cli.output import harmless, plural, when
from node.exits import Exit
from protocol.encoding import Fields

_MANY: Final = 100_000
_AGAIN_S: Final = 60.0


def register(app: typer.Typer) -> None:
    """Add the command that stands at the top."""
    command(app, "status")(status)


def register_audit(audit: typer.Typer) -> None:
    """Add the commands of auditors."""
    command(audit, "monitor")(monitor)
    command(audit, "forks")(forks)


def status(call: Call) -> Exit:
    """Say how the node stands: its log, its witnesses, its peers' logs, its queues."""
    found = ask(call, "status", {})
    shown = Fields(found, "answer")
    log = Fields(shown.take("log"), "log")
    halted = log.take("halted")
    ended = Exit.FAILED if halted is not None else Exit.DONE
    if call.out.result(found):
        return ended
    runs = "runs" if shown.take("runs") else "does not run"
    call.out.heading(f"{shown.text('authority')} in {shown.text('network')}: the node {runs}")
    document = shown.take("document")
    if document is None:
        call.out.line("  network   no network document is installed")
    else:
        fields = Fields(document, "document")
        expires = when(fields.take("expires"))
        call.out.line(f"  network   document {fields.take('version')}, good until {expires}")
    signed_at = log.take("signed_at")  # None until a listing here shows the log's keys
    signed = "" if signed_at is None else f", signed {when(signed_at)}"
    call.out.line(f"  log       {harmless(log.take('origin'))}: {log.take('size')} entries{signed}")
    if halted is not None:
        call.out.verdict(f"  HALTED    nothing is signed: {harmless(halted)}", good=False)
    _say_witnessed(call, shown)
    _say_peers(call, shown)
    _say_queues(call, shown)
    return ended


def _say_witnessed(call: Call, shown: Fields) -> None:
    found = shown.take("witnessed")
    if found is None:
        return
    fields = Fields(found, "witnessed")
    size, behind = fields.take("size"), fields.integer("behind")
    told = fields.text("said")
    if size is not None:
        told += f" at {size} entries, {behind} behind the newest"
    call.out.line(f"  witness   {told}")
    call.out.line(f"            {fields.text('explained')}")
    for one in fields.items("witnesses", count_max=_MANY):
        witness = Fields(one, "witness")
        name, at, last = witness.text("authority"), witness.take("at"), witness.take("size")
        word = "has given no word yet" if at is None else f"cosigned {last} entries, {when(at)}"
        call.out.line(f"            {name} {word}")


def _say_peers(call: Call, shown: Fields) -> None:
    for one in shown.items("peers", count_max=_MANY):
        peer = Fields(one, "peer")
        size = peer.take("size")
        told = "not cosigned yet" if size is None else f"{size} entries, {when(peer.take('at'))}"
        count = peer.integer("unproven")
        told += f"; {plural(count, 'checkpoint')} not proved" if count else ""
        told += "; HAS FORKED" if peer.take("forked") else ""
        call.out.line(f"  follows   {harmless(peer.take('origin'))}: {told}")
    for one in shown.items("forks", count_max=_MANY):
        fork = Fields(one, "fork")
        call.out.verdict(
            f"  FORK      {harmless(fork.take('origin'))}, known since {when(fork.take('at'))}; "
            "`comity audit forks --out DIR` writes the proof",
            good=False,
        )


def _say_queues(call: Call, shown: Fields) -> None:
    for one in shown.items("waiting", count_max=_MANY):
        queue = Fields(one, "queue")
        why = queue.take("why")
        told = f"{queue.take('count')} since {when(queue.take('since'))}"
        call.out.line(f"  waits     for {queue.text('peer')}: {told}{f' ({why})' if why else ''}")
    alarms = Fields(shown.take("alarms"), "alarms")
    count, newest = alarms.integer("count"), alarms.take("newest")
    if count and newest is not None:
        kind = Fields(newest, "alarm").text("kind")
        call.out.line(
            f"  alarms    {plural(count, 'alarm')}, the newest {harmless(kind)}: `comity outbox`"
        )


_ENDS: Final = {
    "fork": Exit.FALSE,
    "rollback": Exit.FALSE,
    "stale": Exit.WARNINGS,
    "unproven": Exit.WARNINGS,
}
_MEANING: Final = {
    "ok": "continues what was cosigned here",
    "away": "could not be looked at",
    "unproven": "has not proved something for a day",
    "stale": "shows nothing new",
    "rollback": "WENT BACK",
    "fork": "HAS TWO HISTORIES",
}


def monitor(
    call: Call,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Look once and end; so does --json.")
    ] = False,
) -> Exit:
    """Have the node look at the logs of all peers, every minute until one has changed its past."""
    while True:
        ended = _look(call)
        if once or call.out.as_json or ended is Exit.FALSE:
            return ended
        call.out.flush()
        threading.Event().wait(_AGAIN_S)


def _look(call: Call) -> Exit:
    """Look once, and say what was found."""
    found = ask(call, "audit.monitor", {})
    logs = [Fields(one, "log") for one in Fields(found, "answer").items("logs", count_max=_MANY)]
    seen = [(one, one.text("verdict")) for one in logs]
    ends = {_ENDS.get(verdict, Exit.DONE) for _, verdict in seen}
    ended = next((one for one in (Exit.FALSE, Exit.WARNINGS) if one in ends), Exit.DONE)
    if call.out.result(found):
        return ended
    for fields, verdict in seen:
        size = fields.take("size")
        told = f"{fields.text('origin')}: {_MEANING.get(verdict, verdict)}"
        told += "" if size is None else f", {size} entries, signed {when(fields.take('signed_at'))}"
        detail = fields.text("detail")
        call.out.line(f"  {harmless(told)}{f' ({harmless(detail)})' if detail else ''}")
    good = ended is not Exit.FALSE
    away = sum(1 for _, verdict in seen if verdict == "away")
    verdict = "No log contradicts itself." if good else "A log is not what it was."
    if good and away:
        verdict = f"Not looked at: {plural(away, 'log')}. No other contradicts itself."
    call.out.verdict(verdict, good=good)
    return ended


def forks(
    call: Call,
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="A folder, made if it is not there.")],
) -> None:
    """Write the proofs of forks as files, which `comity verify` judges anywhere."""
    found = ask(call, "audit.forks", {})
    proofs = Fields(found, "answer").items("forks", count_max=_MANY)
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for one in proofs:
        fields = Fields(one, "fork")
        name = fields.text("origin").replace("/", "_") + ".fork.json"
        (out / name).write_bytes(fields.base64("proof"))
        written.append(name)
    if call.out.result({"schema": "comity.forks/1", "folder": str(out), "files": [*written]}):
        return
    for name in written:
        call.out.line(f"  {out / name}")
    call.out.line(f"{plural(len(written), 'proof')} written.")
