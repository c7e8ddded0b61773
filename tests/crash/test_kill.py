"""`kill -9` of either node at any moment of a stream of messages, again and again.

Real processes, real sockets, real disks. Messages go in through the control socket by
several senders at once while one node or the other is killed and started again. Whatever
the socket reported as queued must arrive exactly once; every receipt and both logs must
verify in the end. COMITY's own clock and back-off are in force: what makes it quick is that
a node that comes back is heard.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from node.ask import NoNode, Told, ask_node
from node.storage import case_rows, queue_rows
from node.storage.engine import Database, open_database
from protocol.encoding import Json
from tests.support.network import RunningNode, make_network
from tests.support.people import KEY, settle_in
from tests.support.requests import good_request
from tests.support.sound import assert_sound

A, B = "fj.justice", "qm.justice"
MESSAGES = 1_000
KILLS_MIN = 8
SEEDS = [int(seed) for seed in os.environ.get("CRASH_SEEDS", "1 2").split()]
SENDERS = 2
READY_S = 30.0
DRAINED_S = 30.0


class Process:
    """One node that can be killed and started again."""

    def __init__(self, node: RunningNode) -> None:
        """Name the node; it is not running yet."""
        self.node = node
        self.socket = node.settings.control.socket
        self._said = node.settings.folder / "said"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "tests.crash.node", str(self.node.settings_file)]
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(command, stderr=said)
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self._said.read_text()[-2_000:]
            try:
                ask_node(self.socket, "outbox", {})
            except (NoNode, OSError):
                time.sleep(0.02)
            else:
                return
        pytest.fail("the node did not become ready")

    def kill(self) -> None:
        """Kill it as the power cut of a process: nothing of it runs on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


class Stream:
    """Several senders who post messages through the control socket until all are queued."""

    def __init__(self, path: Path, count: int) -> None:
        """Post `count` messages to the node at `path`."""
        self._path = path
        self._numbers = iter(range(count))
        self._lock = threading.Lock()
        self.queued: list[str] = []
        self._threads = [
            threading.Thread(target=self._post_all, daemon=True) for _ in range(SENDERS)
        ]

    def start(self) -> None:
        """Begin to post."""
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> bool:
        """Whether something is still to be posted."""
        return any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        """Wait for the last one."""
        for thread in self._threads:
            thread.join()

    def _post_all(self) -> None:
        while (number := self._next()) is not None:
            self._post(number)

    def _next(self) -> int | None:
        with self._lock:
            return next(self._numbers, None)

    def _post(self, number: int) -> None:
        """Post one message; without an answer nobody said that it is queued, so post again."""
        body: dict[str, Json] = {**good_request("INFORMAL_INQUIRY"), "text": f"number {number}"}
        arguments: dict[str, Json] = {"to": B, "kind": "INFORMAL_INQUIRY", "body": body}
        while True:
            try:
                answer = ask_node(self._path, "request.send", arguments, key=KEY)
            except (NoNode, Told, OSError):
                time.sleep(0.02)
                continue
            with self._lock:
                self.queued.append(str(answer["message"]))
            return


@pytest.fixture
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Give each node a database of the wanted kind, or none for its default."""
    return request.getfixturevalue("empty_postgres_urls") if request.param == "postgresql" else {}


def _moments(seed: int) -> Iterator[tuple[float, int]]:
    """When to kill next, and which node: short and long pauses, both nodes, repeatable."""
    chance = random.Random(seed)
    for turn in itertools.count():
        yield chance.choice((0.02, 0.1, 0.4)) * chance.random() * 2, turn % 2


def _wait_until_drained(databases: Sequence[Database]) -> None:
    deadline = time.monotonic() + DRAINED_S
    while time.monotonic() < deadline:
        if not any(database.read(queue_rows.peers_waiting) for database in databases):
            return
        time.sleep(0.1)
    waiting = databases[0].read(queue_rows.list_waiting)
    queues = databases[0].read(queue_rows.list_queues)
    codes = sorted({str(one.last_code) for one in waiting})
    pytest.fail(f"{len(waiting)} messages still wait: {codes}; queues: {queues}")


@pytest.mark.crash
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("databases", ["sqlite", "postgresql"], indirect=True)
def test_what_was_reported_queued_arrives_exactly_once(
    tmp_path: Path, databases: dict[str, str], seed: int
) -> None:
    """Through kills of both nodes nothing is lost, nothing doubled, and all proofs hold."""
    nodes = make_network(tmp_path, (A, B), databases)
    settle_in(nodes[A].settings)
    processes = [Process(nodes[A]), Process(nodes[B])]
    stream = Stream(processes[0].socket, MESSAGES)
    kills = 0
    with ExitStack() as stack:
        for process in processes:
            stack.callback(process.kill)
            process.start()
        stream.start()
        for pause_s, which in _moments(seed):
            if not stream.running and kills >= KILLS_MIN:
                break
            time.sleep(pause_s)
            processes[which].kill()
            processes[which].start()
            kills += 1
        stream.join()
        readers = [
            open_database(nodes[name].settings.database.url.get_secret_value(), read_only=True)
            for name in (A, B)
        ]
        for reader in readers:
            stack.callback(reader.close)
        _wait_until_drained(readers)
        for process in processes:
            process.kill()
        arrived = readers[1].read(lambda conn: case_rows.find_messages(conn, stream.queued, "in"))
        sent = readers[0].read(lambda conn: case_rows.find_messages(conn, stream.queued, "out"))
        assert kills >= KILLS_MIN
        assert len(set(stream.queued)) == MESSAGES
        assert set(arrived) == set(stream.queued)
        assert all(one.state == "delivered" for one in sent.values())
        assert {one.receipt for one in sent.values()} == {one.receipt for one in arrived.values()}
    for name in (A, B):
        assert_sound(nodes[name])
