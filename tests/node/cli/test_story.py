"""The main story with real processes: two authorities are made, introduced, and exchange.

Every command is typed as the issue of its use is documented: the installed `comity`, one
process each, two of them nodes that talk over HTTPS on loopback.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from node.clock import SystemClock
from node.exits import Exit
from node.settings import load_settings
from tests.support.exchanged import FIJI
from tests.support.network import lasting_port
from tests.support.people import key_for, settle_in
from tests.support.requests import good_request

COMITY = str(Path(sys.executable).parent / "comity")
WAIT_S = 90.0


class Authority:
    """One authority's folder, and the commands typed there."""

    def __init__(self, folder: Path, name: str) -> None:
        """Name the authority."""
        self.name, self.folder, self.root = name, folder / name, folder

    def types(self, *words: str | Path, expect: Exit = Exit.DONE) -> dict[str, Any]:
        """Type a command for this node and give its one object."""
        key = key_for(self.folder, *(str(word) for word in words))
        return types(self.root, "--config", self.folder, *words, expect=expect, key=key)

    @contextmanager
    def runs(self) -> Iterator[subprocess.Popen[str]]:
        """Run the node until the block ends; it has said that it is ready."""
        environment = {**os.environ, "COMITY_CONFIG": str(self.folder)}
        with (
            (self.root / f"{self.name}.log").open("w") as log,
            subprocess.Popen(
                [COMITY, "run"], stdout=subprocess.PIPE, stderr=log, text=True, env=environment,
                cwd=self.root,
            ) as process,
        ):  # fmt: skip
            try:
                assert process.stdout is not None
                assert f"The node of {self.name} runs" in process.stdout.readline()
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(WAIT_S)


def types(
    folder: Path, *words: str | Path, expect: Exit = Exit.DONE, key: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Type a command with --json and give its one object."""
    ended = subprocess.run(
        [COMITY, *(str(word) for word in words), "--json"],
        capture_output=True, text=True, check=False, cwd=folder, timeout=120,
        env={**os.environ, **(key or {})},
    )  # fmt: skip
    assert ended.returncode == expect, ended.stdout + ended.stderr
    return cast("dict[str, Any]", json.loads(ended.stdout))


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    clock = SystemClock()
    deadline = clock.monotonic() + WAIT_S
    while not condition():
        assert clock.monotonic() < deadline, "it never came true"
        threading.Event().wait(0.05)


def _made(folder: Path, name: str) -> Authority:
    port = lasting_port()
    types(
        folder, "init", "--network", "pacific", "--authority", name, "--dir", name,
        "--listen", f"127.0.0.1:{port}", "--passphrase-file", "pass",
    )  # fmt: skip
    return Authority(folder, name)


def _introduced(folder: Path) -> tuple[Authority, Authority]:
    """Make two authorities and one steward, who signs the document that lists them."""
    (folder / "pass").touch(mode=0o600)
    (folder / "pass").write_text("a long enough passphrase\n")
    fiji, qumran = _made(folder, "fj.justice"), _made(folder, "qm.justice")
    secret = ("--passphrase-file", "pass")
    types(folder, "network", "steward", "--name", "Forum", "--out", "forum.key", *secret)
    types(folder, "network", "create", "--network", "pacific", "--threshold", "1",
          "--steward", "forum.key.pub", "--out", "network.json")  # fmt: skip
    listings = [f"{one.name}/{one.name}.listing" for one in (fiji, qumran)]
    types(folder, "network", "add", "network.json", *listings)
    signed = types(folder, "network", "sign", "network.json", "--key", "forum.key", *secret)
    for one in (fiji, qumran):
        digits = ("--fingerprint", signed["fingerprint"])
        one.types("network", "install", "network.json", *listings, *digits)
        settle_in(load_settings(one.folder / "comity.toml"))
    return fiji, qumran


@pytest.mark.slow
def test_two_authorities_exchange_a_request_and_an_answer(tmp_path: Path) -> None:
    """From `init` to a receipt that a stranger verifies, with keys rotated on the way."""
    fiji, qumran = _introduced(tmp_path)
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "statement.csv").write_text("date,amount\n")
    asking = {**good_request("INFORMAL_INQUIRY"), "text": "Please send the records."}
    (tmp_path / "ask.json").write_text(json.dumps(asking))
    with ExitStack() as running:
        running.enter_context(qumran.runs())
        running.enter_context(fiji.runs())
        sent = fiji.types("request", "send", "--to", qumran.name, "--kind", "INFORMAL_INQUIRY",
                          "--body", "ask.json")  # fmt: skip
        until(lambda: not fiji.types("outbox")["waiting"])
        case = sent["case"]
        shown = qumran.types("case", "show", case)
        assert shown["messages"][0]["body"]["text"] == "Please send the records."
        fiji.types("keys", "rotate", "hop")
        fiji.types("keys", "rotate", "seal")
        qumran.types("case", "answer", case, "--set", "text=Here.", "--evidence", "bank")
        until(lambda: not qumran.types("outbox")["waiting"])
        assert fiji.types("evidence", "verify", case, "bank")["conclusion"] == "same"
        fiji.types("case", "note", case, "--set", "text=Thank you.")
        until(lambda: not fiji.types("outbox")["waiting"])
        assert fiji.types("doctor")["counts"]["failed"] == 0
    written = fiji.types("case", "receipts", case, "--out", "receipts")["receipts"]
    assert [one["issuer"] for one in written] == [qumran.name, fiji.name, qumran.name]
    assert types(tmp_path, "verify", written[0]["file"])["conclusion"] == "true"
    assert fiji.types("audit", "verify", "--texts")["conclusion"] == "sound"


def test_a_node_that_cannot_start_says_why_and_how(nodes: Path, passphrase_file: Path) -> None:
    """Configuration is 78, a node that runs already 75, a log that must not sign 1."""
    node = Authority(nodes, FIJI)
    with node.runs():
        assert node.types("run", expect=Exit.LATER)["code"] == "node-runs"
    (node.folder / "guard" / "checkpoint").unlink()
    assert "do not delete the guard" in node.types("run", expect=Exit.FAILED)["sentence"]
    passphrase_file.write_text("another passphrase\n")
    assert node.types("run", expect=Exit.CONFIGURATION)["code"] == "configuration"
