"""The demo: three authorities on one machine, from nothing to a fraud that is caught.

    status = run_demo(once=True, keep=None, json=True)

Everything that runs is what an authority would run, each node in a process of its own. This
module gives the story its folder, its clock and its end: when the demo ends, however it
does, its processes have ended and its folder is gone, unless somebody asked to keep it or
a step failed and the reason lies there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from node.clock import SystemClock, SystemRandom
from node.demo.ends import ended_by_signals, new_folder
from node.demo.page import SCHEMA, Hint, JsonPage, Page, Played
from node.demo.stage import LOG_FILE, Stage, StepFailed
from node.demo.story import (
    ASKED,
    ASKING,
    AUTHORITIES,
    NETWORK,
    OFFICER_KEY,
    STEPS,
    THIRD,
    Company,
    Seen,
    Step,
)
from node.exits import Exit

_SHOWN_DIGITS: Final = 8


def run_demo(*, once: bool, keep: Path | None, json: bool) -> Exit:
    """Play the demo and give the command's exit status.

    Without `once` the nodes stay up until Ctrl-C. Raises `OSError` if `keep` cannot be
    used, which a folder that holds something cannot.
    """
    folder = new_folder(keep)
    page = JsonPage() if json else Page()
    with ended_by_signals() as deaf:
        status, stopped = _on_stage(folder, page, deaf, once=once, kept=keep is not None)
        done = stopped or status is Exit.DONE
        if removed := done and keep is None:
            shutil.rmtree(folder)
    page.word(_farewell(folder, done=done, removed=removed))
    return status


def _on_stage(
    folder: Path, page: Page, deaf: Callable[[], None], *, once: bool, kept: bool
) -> tuple[Exit, bool]:
    """Play and stay up, and end every process; says how it went and whether it was stopped."""
    clock = SystemClock()
    status, stopped = Exit.FAILED, False
    with Stage(clock) as stage:
        company = Company(folder, stage, clock, SystemRandom())
        try:
            page.begin()
            if _play(company, page, once=once, kept=kept):
                status = Exit.DONE
            if status is Exit.DONE and not once:
                _stay(company, page)
                status = Exit.FAILED
        except KeyboardInterrupt:
            stopped = True
        finally:
            deaf()
    if stopped:
        page.word("All nodes have ended.")
    return status, stopped


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
        "network": NETWORK,
        "fingerprint": None if company.document is None else company.document.digits,
        "authorities": _authorities(company),
        "cases": [one for one in (company.case, company.second_case) if one],
        "folder": str(company.folder) if kept or not ok or not once else None,
        "try": [list(hint.words) for hint in hints],
    })  # fmt: skip
    if hints:
        page.hints(company.folder, hints, _LEAD if not once else _LEAD_KEPT)
    return ok


_LEAD: Final = "The nodes stay up. In another terminal, try:"
_LEAD_KEPT: Final = "The nodes are down, these commands work on what they left; `run` starts one:"


def _play_one(company: Company, page: Page, step: Step) -> Played:
    began = company.clock.monotonic()
    try:
        with page.during(step.title):
            ok, seen = True, step.play(company)
    except (StepFailed, OSError) as fault:
        ok, seen = False, Seen(f"{step.title}: {fault}")
    seconds = company.clock.monotonic() - began
    return Played(step.name, ok, seconds, seen.sentence, seen.note)


def _step_json(played: Played) -> dict[str, Any]:
    seen = "saw" if played.ok else "why"
    return {
        "name": played.name,
        "ok": played.ok,
        "seconds": round(played.seconds, 3),
        seen: played.saw,
    }


def _authorities(company: Company) -> list[dict[str, Any]]:
    pids = company.stage.pids()
    return [
        {
            "id": one,
            "folder": str(company.home(one)),
            "pid": pids.get(one),
            "log_entries": company.log_sizes.get(one),
        }
        for one in AUTHORITIES
    ]


def _hints(company: Company) -> list[Hint]:
    """Give commands that show more of what has just happened."""

    def at(home: Path, *words: str) -> tuple[str, ...]:
        return ("--config", str(home), *words)

    def read(home: Path, *words: str) -> tuple[str, ...]:
        return at(home, "--key-file", str(home / OFFICER_KEY), *words)

    short = company.case.rpartition("/")[2][:_SHOWN_DIGITS]
    asking, asked, third = (company.home(one) for one in (ASKING, ASKED, THIRD))
    received, receipt = str(company.received), company.receipt
    return [
        Hint(read(asked, "case", "show", short), "the case as the other side reads it"),
        Hint(
            read(asking, "evidence", "verify", short, received),
            "the files against what was signed",
        ),
        Hint(at(third, "audit", "verify"), "a log, derived again from storage"),
        Hint(at(company.altered_log, "audit", "verify"), "the altered log (ends with status 3)"),
        Hint(("verify", receipt), "a receipt, with no node at all"),
        Hint(
            read(asked, "case", "note", short, "--body", str(company.note)), "a word to the other"
        ),
    ]


def _stay(company: Company, page: Page) -> None:
    """Stay up until Ctrl-C; returns only if a node has ended by itself."""
    page.word("\nCtrl-C ends all three nodes.")
    name = company.stage.wait_for_end()
    page.word(f"The node of {name} has ended; see {company.home(name) / LOG_FILE}.")


def _farewell(folder: Path, *, done: bool, removed: bool) -> str:
    if removed:
        return "Everything the demo made is gone."
    if done:
        return f"All is kept in {folder}: DEMO, throw-away keys."
    return f"What was made is kept: the nodes' logs are {folder}/AUTHORITY/{LOG_FILE}."
