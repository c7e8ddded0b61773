"""The demo as a newcomer starts it: the installed command, in a process of its own."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

COMITY = Path(sys.executable).with_name("comity")
STEPS = [
    "make", "introduce", "request", "answer", "evidence", "outage", "return", "logs",
    "altered-log", "altered-file", "receipt",
]  # fmt: skip
LONG_S = 120  # so that a busy machine fails no test; what is reported is the demo's own time

pytestmark = pytest.mark.skipif(
    not COMITY.exists(), reason="the command is not installed beside Python"
)


@pytest.fixture
def apart(tmp_path: Path) -> dict[str, str]:
    """An environment whose temporary files are all below one folder, by which we find them."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    inherited = {name: one for name, one in os.environ.items() if not name.startswith("COMITY_")}
    return {**inherited, "TMPDIR": str(temporary), "PYTHONUTF8": "1"}


def relatives(apart: dict[str, str]) -> list[int]:
    """Give the processes that were started with this test's folder for temporary files."""
    mark = f"TMPDIR={apart['TMPDIR']}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
        except OSError:  # it has ended, or is not ours
            continue
        if mark in environment.split(b"\0"):
            found.append(int(process.name))
    return found


def nobody_is_left(apart: dict[str, str]) -> None:
    """Wait until no process of the demo is left; fail if one stays."""
    until = time.monotonic() + LONG_S
    while left := relatives(apart):
        assert time.monotonic() < until, f"these processes outlived the demo: {left}"
        time.sleep(0.05)


def nothing_is_left(apart: dict[str, str]) -> None:
    """See that neither a process nor a temporary file is left."""
    nobody_is_left(apart)
    assert list(Path(apart["TMPDIR"]).iterdir()) == []


def run(apart: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [str(COMITY), *words],
        env=apart, capture_output=True, text=True, timeout=LONG_S, check=False,
    )  # fmt: skip


@contextmanager
def playing(apart: dict[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start a demo, and let nothing of it be there in the end."""
    with subprocess.Popen(
        [str(COMITY), "demo", *words],
        env=apart, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as demo:  # fmt: skip
        try:
            yield demo
        finally:
            demo.kill()


def read_until(demo: subprocess.Popen[str], mark: str) -> str:
    """Read what a demo says up to the line with a mark."""
    assert demo.stdout is not None
    said = ""
    for line in demo.stdout:
        said += line
        if mark in line:
            return said
    raise AssertionError(f"the demo ended without {mark!r}: {said}")


def test_the_demo_tells_its_whole_story_and_leaves_nothing(apart: dict[str, str]) -> None:
    """`comity demo --once --json` ends well, with one object, no process and no folder."""
    done = run(apart, "demo", "--once", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout)
    assert summary["schema"] == "comity.demo/1"
    assert summary["ok"] is True
    assert [one["name"] for one in summary["steps"]] == STEPS
    assert all(one["ok"] and one["seconds"] >= 0 for one in summary["steps"])
    assert len(summary["authorities"]) == 3
    assert all(one["log_entries"] > 0 for one in summary["authorities"])
    nothing_is_left(apart)


def test_a_person_reads_one_page_and_types_what_it_says(
    apart: dict[str, str], tmp_path: Path
) -> None:
    """Printed commands work while the nodes are up, and on what is kept after Ctrl-C."""
    kept = tmp_path / "kept"
    with playing({**apart, "NO_COLOR": "1"}, "--keep", str(kept)) as demo:
        said = read_until(demo, "Ctrl-C ends")
        page_is_plain(said)
        follow_the_hints(said, apart)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(LONG_S) == 0
    nothing_is_left(apart)
    nodes = [one.parent.name for one in kept.glob("*/comity.toml")]
    assert sorted(nodes) == ["qm.justice", "qn.prosecution", "qp.fiu"]
    follow_the_hints(said, apart)


def page_is_plain(said: str) -> None:
    """One page without colours, under a banner that nobody takes for real."""
    assert "\x1b" not in said
    page = said.partition("The nodes stay up")[0].splitlines()
    assert "DEMO" in page[0]
    assert "throw-away keys" in page[0]
    assert len(page) <= 24
    assert max(map(len, page)) <= 90


def follow_the_hints(said: str, apart: dict[str, str]) -> None:
    """Paste every printed command into a shell; each must end as the page says."""
    hints = said.partition("  D=")[2].splitlines()
    folder = f"D={hints[0]}"
    shown = [one for one in hints[1:] if one.startswith("  ")]
    meanings, commands = shown[::2], [one.strip() for one in shown[1::2]]
    assert {Path(shlex.split(one)[0]).name for one in commands} == {"comity"}
    assert len(commands) >= 5
    for meaning, line in zip(meanings, commands, strict=True):
        done = subprocess.run(
            ["sh", "-c", f"{folder}\n{line}"],
            env=apart, capture_output=True, text=True, timeout=LONG_S, check=False,
        )  # fmt: skip
        expected = 3 if "status 3" in meaning else 0
        assert done.returncode == expected, line + done.stdout + done.stderr


def test_a_demo_that_is_told_to_end_in_the_middle_leaves_nothing(apart: dict[str, str]) -> None:
    """SIGTERM while commands and nodes run: all of them end, and the folder goes."""
    with playing(apart, "--once") as demo:
        read_until(demo, "stewards signed")
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(LONG_S) == 1
    nothing_is_left(apart)


def test_no_process_outlives_a_demo_that_is_killed(apart: dict[str, str]) -> None:
    """After `kill -9` of the demo its nodes end by themselves."""
    with playing(apart, "--once") as demo:
        read_until(demo, "stewards signed")
        assert len(relatives(apart)) > 3
        demo.kill()
        demo.wait(LONG_S)
        nobody_is_left(apart)


def test_a_folder_that_holds_something_is_refused(apart: dict[str, str], tmp_path: Path) -> None:
    """`--keep` never writes among other people's files."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    done = run(apart, "demo", "--once", "--keep", str(tmp_path / "mine"))
    assert done.returncode == 1
    assert "not empty" in done.stderr
    assert [one.name for one in (tmp_path / "mine").iterdir()] == ["letter.txt"]
