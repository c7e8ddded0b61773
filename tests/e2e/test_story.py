"""The whole life of a case by real commands and real processes, with everything in between.

Two authorities; the other side is down, killed, or has just rotated its keys; evidence is
the same, different, missing, extra; and in the end both logs hold and every receipt proves
itself to a stranger. Nothing waits for a clock: every wait is for something to be seen.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from node.exits import Exit
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import make_network
from tests.support.people import key_for, settle_in
from tests.support.requests import good_request

COMITY = Path(sys.executable).with_name("comity")
ASKING, ASKED = "fj.justice", "qm.justice"
ASKED_FOR = "Please send the records of account 4471."
LONG_S = 90  # so that a busy machine fails no test

pytestmark = pytest.mark.skipif(
    not COMITY.exists(), reason="the command is not installed beside Python"
)


def types(
    folder: Path, *words: str | Path, expect: Exit = Exit.DONE, key: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Type a command in a folder, and give its one object."""
    ended = subprocess.run(
        [str(COMITY), *(str(word) for word in words), "--json"],
        cwd=folder, capture_output=True, text=True, timeout=LONG_S, check=False,
        env={**os.environ, **(key or {})},
    )  # fmt: skip
    assert ended.returncode == expect, f"{words}: {ended.stdout}{ended.stderr}"
    return cast("dict[str, Any]", json.loads(ended.stdout))


@dataclass(frozen=True, slots=True)
class Office:
    """One authority, as whoever sits there sees it."""

    name: str
    folder: Path

    def types(self, *words: str | Path, expect: Exit = Exit.DONE) -> dict[str, Any]:
        """Type a command for this node in the folder that holds both nodes."""
        key = key_for(self.folder, *(str(word) for word in words))
        return types(self.folder.parent, "--config", self.folder, *words, expect=expect, key=key)

    def waiting(self) -> list[dict[str, Any]]:
        """Give what waits in the outbox."""
        return cast("list[dict[str, Any]]", self.types("outbox")["waiting"])

    def nothing_waits(self) -> bool:
        """Say whether all that was sent has its receipt."""
        return not self.waiting()

    def messages(self, case: str) -> list[dict[str, Any]]:
        """Give what was said in a case."""
        return cast("list[dict[str, Any]]", self.types("case", "show", case)["messages"])

    @contextmanager
    def runs(self, end: signal.Signals = signal.SIGTERM) -> Iterator[None]:
        """Run the node until the block ends, by this signal; it has said that it is ready."""
        command = [str(COMITY), "--config", str(self.folder), "run"]
        with (
            (self.folder / "run.log").open("ab") as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as node,
        ):
            try:
                assert node.stdout is not None
                assert f"The node of {self.name} runs" in node.stdout.readline()
                yield
            finally:
                node.send_signal(end)
                status = node.wait(LONG_S)
        assert status == (0 if end == signal.SIGTERM else -end)


def until(condition: Callable[[], bool]) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        threading.Event().wait(0.05)


@pytest.fixture
def offices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Office, Office]:
    """Make two authorities that trust each other, and what they will send."""
    made = make_network(tmp_path, (ASKING, ASKED))
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_bytes(PASSPHRASE + b"\n")
    for name in [one for one in os.environ if one.startswith("COMITY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COMITY_KEYS__PASSPHRASE_FILE", str(passphrase))
    for node in made.values():
        settle_in(node.settings)
    for name, text in {
        "ask.json": json.dumps({**good_request("INFORMAL_INQUIRY"), "text": ASKED_FOR}),
        "answer.json": '{"text": "Attached.", "pages": 2}',
        "note.txt": "Page two is hard to read.",
        "basis/order.txt": "ordered by the court",
        "records/one.csv": "2026-01-05;120.00\n",
        "records/sub/two.csv": "2026-01-06;80.00\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Office(ASKING, tmp_path / ASKING), Office(ASKED, tmp_path / ASKED)


def _asks(asking: Office, asked: Office) -> str:
    """Ask while the other side is down and rotates the key to which the request is sealed."""
    sent = asking.types(
        "request", "send", "--to", asked.name, "--kind", "INFORMAL_INQUIRY", "--body", "ask.json",
        "--evidence", "basis",
    )  # fmt: skip
    until(lambda: asking.waiting()[0]["why"] == "unreachable")
    [waiting] = asking.waiting()
    assert waiting["message"] == sent["message"]
    assert waiting["attempts"] >= 1
    assert waiting["next_try"] > 0
    [message] = asking.messages(sent["case"])
    assert (message["state"], message["receipted"]) == ("queued", False)
    asked.types("keys", "rotate", "seal")
    with asked.runs(signal.SIGKILL):
        until(asking.nothing_waits)
        [message] = asked.messages(sent["case"])
        assert message["body"]["text"] == ASKED_FOR
        assert message["evidence"]["items"] == 1
        assert asked.types("evidence", "verify", sent["case"], "basis")["conclusion"] == "same"
    return str(sent["case"])


def _talk(asking: Office, asked: Office, case: str) -> None:
    """Note to a node that was killed; it comes back, answers, and rotates once more."""
    note = asking.types("case", "note", case, "--body", "note.txt")
    assert [one["message"] for one in asking.waiting()] == [note["message"]]
    with asked.runs():
        until(asking.nothing_waits)
        asked.types("case", "answer", case, "--body", "answer.json", "--evidence", "records")
        until(asked.nothing_waits)
        asked.types("keys", "rotate", "seal")
        asking.types("case", "note", case, "--body", "note.txt")
        until(asking.nothing_waits)
        assert asked.types("doctor")["counts"]["failed"] == 0


def _checks_evidence(asking: Office, case: str) -> None:
    """Find every item the same; then one different, one missing, one extra."""
    folder = asking.folder.parent / "records"
    verify = ("evidence", "verify", case, "records")

    def verdicts(expect: Exit, *more: str) -> dict[str, str]:
        found = asking.types(*verify, *more, expect=expect)
        return {one["path"]: one["verdict"] for one in found["items"]}

    assert verdicts(Exit.DONE) == {"one.csv": "same", "sub/two.csv": "same"}
    (folder / "three.csv").write_text("")
    assert verdicts(Exit.DONE)["three.csv"] == "extra"
    assert verdicts(Exit.WARNINGS, "--strict")["three.csv"] == "extra"
    (folder / "one.csv").write_text("2026-01-05;999.00\n")
    (folder / "sub" / "two.csv").unlink()
    found = verdicts(Exit.FALSE)
    assert found == {"one.csv": "different", "sub/two.csv": "missing", "three.csv": "extra"}


def _agree(asking: Office, asked: Office, case: str) -> None:
    """See that both sides hold the same messages in the same order, each of them once."""
    ours, theirs = asking.messages(case), asked.messages(case)
    assert {one["message"] for one in ours} == {one["message"] for one in theirs}
    assert sorted(one["order"] for one in theirs) == [1, 2, 3, 4]
    assert {one["message"]: one["order"] for one in ours} == {
        one["message"]: one["order"] for one in theirs
    }
    assert {one["state"] for one in (*ours, *theirs)} == {"delivered", "accepted"}


def _prove(office: Office, case: str, stranger: Path) -> None:
    """Verify the log, write the receipts, and let a stranger without a node verify them."""
    report = office.types("audit", "verify", "--texts")
    assert (report["conclusion"], report["not_checked"]) == ("sound", [])
    out = stranger / office.name
    written = office.types("case", "receipts", case, "--out", out)["receipts"]
    assert len(written) == 4
    for one in written:
        found = types(stranger, "verify", one["file"])
        assert (found["conclusion"], found["message"]) == ("true", one["message"])
    altered = Path(written[0]["file"])
    raw = bytearray(altered.read_bytes())
    raw[raw.index(b'"receipt":"') + 100] ^= 1  # in what the other side has signed
    altered.write_bytes(raw)
    assert types(stranger, "verify", altered, expect=Exit.FALSE)["conclusion"] == "false"


@pytest.mark.slow
def test_a_case_lives_through_outages_rotations_and_an_audit(
    offices: tuple[Office, Office], tmp_path: Path
) -> None:
    """Everything that was queued arrives once, and everything can be proved."""
    asking, asked = offices
    with asking.runs():
        case = _asks(asking, asked)
        _talk(asking, asked, case)
        _checks_evidence(asking, case)
        _agree(asking, asked, case)
        stranger = tmp_path / "stranger"
        stranger.mkdir()
        for office in offices:
            _prove(office, case, stranger)
        assert not any(office.types("outbox")["alarms"] for office in offices)
    for office in offices:
        log = (office.folder / "run.log").read_text()
        assert "account 4471" not in log
        assert "hard to read" not in log
        assert PASSPHRASE.decode() not in log
