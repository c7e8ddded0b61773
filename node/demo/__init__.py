"""The demo: three authorities on one machine, from nothing to a fraud that is caught.

    status = run_demo(once=True, keep=None, json=True)

Everything that runs is what an authority would run, each node in a process of its own. This
module gives the story its folder, its clock and its end: when the demo ends, however it
does, its processes have ended and its folder is gone, unless somebody asked to keep it or
a step failed and the reason lies there.
"""

from __future__ import annotations

import errno
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from node.clock import SystemClock, SystemRandom
from node.demo.page import SCHEMA, Hint, JsonPage, Page, Played
from node.demo.stage import LOG_FILE, Stage, StepFailed
from node.demo.story import ASKED, ASKING, AUTHORITIES, NETWORK, STEPS, THIRD, Company, Step
from node.exits import Exit

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOWN_DIGITS: Final = 8


def run_demo(*, once: bool, keep: Path | None, json: bool) -> Exit:
    """Play the demo and give the command's exit status.

    Without `once` the nodes stay up until Ctrl-C. Raises `OSError` if `keep` cannot be
    used, which a folder that holds something cannot.
    """
    folder = _new_folder(keep)
    page = JsonPage() if json else Page()
    clock = SystemClock()
    status = Exit.FAILED
    with _ended_by_signals(), Stage(clock) as stage:
        company = Company(folder, stage, clock, SystemRandom())
        try:
            page.begin()
            if _play(company, page, once=once, kept=keep is not None):
                status = Exit.DONE
            if status is Exit.DONE and not once:
                _stay(company, page)
        except KeyboardInterrupt:
            page.word("")
    if removed := keep is None and status is Exit.DONE:
        shutil.rmtree(folder)
    page.word(_farewell(folder, done=status is Exit.DONE, removed=removed))
    return status


def _new_folder(keep: Path | None) -> Path:
    """Make the demo's folder, for nobody else to read."""
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="comity-demo-"))
    folder = keep.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise OSError(
            errno.ENOTEMPTY, "is not empty; name a new folder, or an empty one", str(keep)
        )
    return folder


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the demo as Ctrl-C does, and nothing disturb its end."""

    def end(_number: int, _frame: FrameType | None) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _play(company: Company, page: Page, *, once: bool, kept: bool) -> bool:
    """Play the steps until one fails, and show the outcome."""
    began = company.clock.monotonic()
    played: list[Played] = []
    for step in STEPS:
        played.append(_play_one(company, page, step))
        page.step(played[-1])
        if not played[-1].ok:
            break
    ok = all(one.ok for one in played)
    hints = _hints(company) if ok and (kept or not once) else []
    page.result({
        "schema": SCHEMA,
        "ok": ok,
        "seconds": round(company.clock.monotonic() - began, 3),
        "steps_total": len(STEPS),
        "steps": [_step_json(one) for one in played],
        "network": {"id": NETWORK, **company.said},
        "authorities": _authorities(company),
        "cases": [one for one in (company.case, company.second_case) if one],
        "folder": str(company.folder) if kept or not ok or not once else None,
        "try": [list(hint.words) for hint in hints],
    })  # fmt: skip
    if hints:
        page.hints(company.folder, hints, _LEAD if not once else _LEAD_KEPT)
    return ok


_LEAD: Final = "The nodes stay up. In another terminal, try:"
_LEAD_KEPT: Final = "The nodes are down; these commands work on what they left:"


def _play_one(company: Company, page: Page, step: Step) -> Played:
    began = company.clock.monotonic()
    try:
        with page.during(step.title):
            ok, saw = True, step.play(company)
    except (StepFailed, OSError) as fault:
        ok, saw = False, f"{step.title}: {fault}"
    note = str(company.said["fingerprint"]) if step.name == "introduce" and ok else ""
    return Played(step.name, ok, company.clock.monotonic() - began, saw, note)


def _step_json(played: Played) -> dict[str, Any]:
    seen = "saw" if played.ok else "why"
    return {
        "name": played.name,
        "ok": played.ok,
        "seconds": round(played.seconds, 3),
        seen: played.saw,
    }


def _authorities(company: Company) -> list[dict[str, Any]]:
    entries = company.said.get("entries", {})
    pids = company.stage.pids()
    return [
        {
            "id": one,
            "folder": str(company.home(one)),
            "pid": pids.get(one),
            "log_entries": entries.get(one),
        }
        for one in AUTHORITIES
    ]


def _hints(company: Company) -> list[Hint]:
    """Give commands that show more of what has just happened."""

    def at(home: Path, *words: str) -> tuple[str, ...]:
        return ("--config", str(home), *words)

    short = company.case.rpartition("/")[2][:_SHOWN_DIGITS]
    asking, asked, third = (company.home(one) for one in (ASKING, ASKED, THIRD))
    received, receipt = str(company.received), str(min(company.receipts.iterdir()))
    return [
        Hint(at(asked, "case", "show", short), "the request as the other side reads it"),
        Hint(at(asking, "evidence", "verify", short, received), "file by file"),
        Hint(at(third, "audit", "verify"), "a log, from storage"),
        Hint(at(company.altered_log, "audit", "verify"), "the altered log: status 3"),
        Hint(("verify", receipt), "a receipt, offline"),
        Hint(at(asking, "doctor"), "is all well?"),
    ]


def _stay(company: Company, page: Page) -> None:
    """Stay up until Ctrl-C; a node that ends by itself ends the demo too."""
    page.word("\nCtrl-C ends all three nodes.")
    name = company.stage.wait_for_end()
    page.word(f"The node of {name} has ended; see {company.home(name) / LOG_FILE}.")


def _farewell(folder: Path, *, done: bool, removed: bool) -> str:
    if removed:
        return "Everything the demo made is gone."
    if done:
        return f"All is kept in {folder}: DEMO, throw-away keys."
    return f"What was made is kept: the nodes' logs are {folder}/AUTHORITY/{LOG_FILE}."
