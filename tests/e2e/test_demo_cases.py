"""The demonstration cases as somebody starts them: from the API alone, and by commands alone."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from node.demo.cases.run import CASES
from node.exits import Exit
from tests.e2e.test_demo import COMITY, nothing_is_left, playing, read_until, run

pytestmark = pytest.mark.skipif(
    not COMITY.exists(), reason="the command is not installed beside Python"
)
WANTED = {"1", "2", "3", "4", "5", "6", "refusal"}


@pytest.fixture
def apart(tmp_path: Path) -> dict[str, str]:
    """An environment whose temporary files are all below one folder, by which we find them."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    inherited = {name: one for name, one in os.environ.items() if not name.startswith("COMITY_")}
    return {**inherited, "TMPDIR": str(temporary), "PYTHONUTF8": "1"}


def plays(apart: dict[str, str], case: str, *words: str) -> None:
    """Play a case to its end, and see that all of it was verified and nothing is left."""
    done = run(apart, "demo", "--case", case, *words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["schema"] == "comity.demo-case/1"
    assert (told["case"], told["ok"], told["why"]) == (case, True, None)
    assert told["fictional"] is True
    days = [one["day"] for one in told["scenes"]]
    assert days == sorted(days)
    assert "logs derived again" in told["scenes"][-1]["saw"]
    nothing_is_left(apart)


@pytest.mark.parametrize("case", CASES)
def test_a_case_plays_from_the_api_alone(apart: dict[str, str], case: str) -> None:
    """As a case-management system drives it: HTTPS, a key, and no command."""
    plays(apart, case, "--api")


@pytest.mark.slow  # a process for each command: some ten seconds a case
@pytest.mark.parametrize("case", CASES)
def test_a_case_plays_from_the_command_line_alone(apart: dict[str, str], case: str) -> None:
    """As people type it: every word of the story is a command."""
    plays(apart, case)


def test_all_cases_are_listed_with_a_line_each(apart: dict[str, str]) -> None:
    """For a person, marked as fictional, and for a program."""
    told = json.loads(run(apart, "demo", "--cases", "--json").stdout)
    assert {one["case"] for one in told["cases"]} == WANTED == CASES.keys()
    said = run(apart, "demo", "--cases").stdout
    assert "DEMO - FICTIONAL" in said
    assert all(one["title"] in said for one in told["cases"])


def test_what_is_kept_can_be_worked_with(apart: dict[str, str], tmp_path: Path) -> None:
    """The page ends with a command that shows the case on the machine's own clock."""
    kept = tmp_path / "kept"
    done = run(
        {**apart, "NO_COLOR": "1"}, "demo", "--case", "refusal", "--api", "--keep", str(kept)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DEMO - FICTIONAL" in done.stdout.splitlines()[0]
    words = done.stdout.strip().splitlines()[-1].split()
    shown = run(apart, *words[1:], "--json")
    (case,) = json.loads(shown.stdout)["cases"]
    assert case["state"] == "CLOSED"
    nothing_is_left(apart)


def test_ctrl_c_ends_a_case_and_leaves_nothing(apart: dict[str, str]) -> None:
    """In the middle of the story, as in that of the demo."""
    with playing(apart, "--case", "1") as demo:
        read_until(demo, "day   1")
        demo.send_signal(signal.SIGINT)
        out, _ = demo.communicate(timeout=60)
        assert demo.returncode == Exit.FAILED
        assert "Stopped" in out
    nothing_is_left(apart)


def test_a_case_that_is_none_is_answered_with_those_there_are(apart: dict[str, str]) -> None:
    """And `--api` without a case says what it is for."""
    none = run(apart, "demo", "--case", "7")
    assert none.returncode == Exit.USAGE
    assert "refusal" in none.stderr
    alone = run(apart, "demo", "--api")
    assert alone.returncode == Exit.USAGE
    assert "--case" in alone.stderr
