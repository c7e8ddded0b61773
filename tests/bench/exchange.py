"""Messages per second between two nodes, each a process of its own, durable on both sides.

python -m tests.bench.exchange --json

Two nodes on loopback with real TLS, signatures, logs and SQLite at `synchronous=FULL`. The
sender posts 4 KiB messages with a fixed number in flight; one counts when its receipt has
been verified and stored. Then single messages, one at a time, give the latency. CPU time
is attributed by timers around the calls of each part, exclusive of the parts inside them,
so the shares add up to the processes' CPU time. Figures are printed, never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from keys import pairs
from node.examined import Proven
from node.outbox import Outbox
from node.run import share_the_interpreter
from node.storage import engine
from node.storage.writer import Tx
from node.transport import hop
from protocol import checkpoint, dsse, envelope
from tests.support.network import RunningNode, make_network

P = ParamSpec("P")
T = TypeVar("T")

SENDER, RECIPIENT = "fj.justice", "qm.justice"
BODY = {"text": "x" * 4_096}
_local = threading.local()


class Parts:
    """CPU seconds by part, exclusive: time in an inner part is not counted to the outer."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.seconds: dict[str, float] = defaultdict(float)
        self.on_loop: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._loop_thread = threading.get_ident()

    def timed(self, part: str, function: Callable[P, T]) -> Callable[P, T]:
        """Wrap a function so that its CPU time counts to `part`."""

        @wraps(function)
        def wrapper(*args: P.args, **named: P.kwargs) -> T:
            stack: list[float] = getattr(_local, "stack", [])
            _local.stack = stack
            stack.append(0.0)
            start = time.thread_time()
            try:
                return function(*args, **named)
            finally:
                whole = time.thread_time() - start
                inner = stack.pop()
                if stack:
                    stack[-1] += whole
                self._add(part, whole - inner)

        return wrapper

    def _add(self, part: str, seconds: float) -> None:
        with self._lock:
            self.seconds[part] += seconds
            if threading.get_ident() == self._loop_thread:
                self.on_loop[part] += seconds

    def install(self) -> None:
        """Put timers around the calls of each part."""
        for cls in (pairs.Ed25519Signer, pairs.MlDsaSigner):
            setattr(cls, "sign", self.timed("signatures", cls.__dict__["sign"]))  # noqa: B010  (mypy sees two types of `sign`)
        for module in (dsse, checkpoint):
            module.verify_signature = self.timed("signatures", module.verify_signature)  # type: ignore[attr-defined]  # timers go around
        envelope.hpke_seal = self.timed("hpke", envelope.hpke_seal)  # type: ignore[attr-defined]  # timers go around
        envelope.hpke_open = self.timed("hpke", envelope.hpke_open)  # type: ignore[attr-defined]  # timers go around
        for name in ("transact", "read"):
            timed = self.timed("database", getattr(engine.SqliteDatabase, name))
            setattr(engine.SqliteDatabase, name, timed)
        for name in ("sign_request", "verify_head", "sign_response", "verify_response"):
            setattr(hop, name, self.timed("http", getattr(hop, name)))


class Delivered:
    """Tells when receipts have been settled, by wrapping the outbox of a node."""

    def __init__(self, outbox: Outbox) -> None:
        """Watch `outbox`."""
        self._futures: dict[str, asyncio.Future[float]] = {}
        self._early: dict[str, float] = {}
        self._loop = asyncio.get_running_loop()
        settle = outbox.settle

        def watched(tx: Tx, examined: Sequence[Any]) -> None:
            settle(tx, examined)
            proven = [one for one in examined if isinstance(one, Proven)]
            identities = [one.answer.decision.identity for one in proven]
            tx.after_commit(lambda: self._from_writer(identities))

        outbox.settle = watched  # type: ignore[method-assign]  # timers go around

    def _from_writer(self, identities: Sequence[str]) -> None:
        self._loop.call_soon_threadsafe(self._tell, identities)

    def _tell(self, identities: Sequence[str]) -> None:
        now = time.perf_counter()
        for identity in identities:
            future = self._futures.pop(identity, None)
            if future is None:
                self._early[identity] = now
            else:
                future.set_result(now)

    async def wait(self, identity: str) -> float:
        """Give the time at which a message's receipt was stored."""
        if identity in self._early:
            return self._early.pop(identity)
        future: asyncio.Future[float] = self._loop.create_future()
        self._futures[identity] = future
        return await future


def _peak_mb() -> float:
    """Peak resident memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def _usage(parts: Parts, cpu: float, loop_cpu: float) -> dict[str, float]:
    """Shares of CPU time; what the event loop's thread does beside the parts is HTTP."""
    shares = dict(parts.seconds)
    shares["http"] = shares.get("http", 0.0) + max(loop_cpu - sum(parts.on_loop.values()), 0.0)
    shares["rest"] = max(cpu - sum(shares.values()), 0.0)
    return shares


async def _one(node: RunningNode, delivered: Delivered) -> float:
    start = time.perf_counter()
    posted = await node.write(
        lambda tx: node.node.register.send_request(
            tx, to=RECIPIENT, request_kind="MLA_EVIDENCE", body=BODY
        )
    )
    return await delivered.wait(posted.identity) - start


async def _many(node: RunningNode, delivered: Delivered, count: int, in_flight: int) -> float:
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await _one(node, delivered)

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return time.perf_counter() - start


async def _send(settings: Path, port: int, count: int, in_flight: Sequence[int]) -> dict[str, Any]:
    parts = Parts()
    parts.install()
    node = RunningNode(settings, port)
    await node.start()
    delivered = Delivered(node.node.outbox)
    for _ in range(20):
        await _one(node, delivered)
    rates = {}
    for number in in_flight:
        parts.seconds.clear()
        parts.on_loop.clear()
        cpu, loop_cpu = time.process_time(), time.thread_time()
        seconds = await _many(node, delivered, count, number)
        shares = _usage(parts, time.process_time() - cpu, time.thread_time() - loop_cpu)
        rates[number] = {
            "per_second": round(count / seconds, 1),
            "cpu_us": {name: round(value / count * 1e6) for name, value in shares.items()},
        }
    print("rates-done", file=sys.stderr, flush=True)
    single = sorted([await _one(node, delivered) for _ in range(200)])
    await node.stop()
    return {
        "rates": rates,
        "latency_ms": {
            "p50": round(statistics.median(single) * 1e3, 2),
            "p99": round(single[int(len(single) * 0.99)] * 1e3, 2),
        },
        "peak_mb": round(_peak_mb(), 1),
    }


async def _receive(settings: Path, port: int) -> dict[str, Any]:
    parts = Parts()
    parts.install()
    node = RunningNode(settings, port)
    await node.start()
    loop_cpu, cpu = time.thread_time(), time.process_time()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    shares = _usage(parts, time.process_time() - cpu, time.thread_time() - loop_cpu)
    await node.stop()
    return {"cpu_s": shares, "peak_mb": round(_peak_mb(), 1)}


def _child(role: str, node: RunningNode, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.bench.exchange", "--role", role]
    command += ["--settings", str(node.settings_file), "--port", str(node.port), *more]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def measure(count: int, in_flight: Sequence[int]) -> dict[str, Any]:
    """Run both processes and give all figures."""
    with tempfile.TemporaryDirectory() as folder:
        nodes = make_network(Path(folder), (SENDER, RECIPIENT))
        recipient = _child("receive", nodes[RECIPIENT])
        assert recipient.stdout is not None
        recipient.stdout.readline()
        numbers = ",".join(str(number) for number in in_flight)
        sender = _child("send", nodes[SENDER], "--messages", str(count), "--in-flight", numbers)
        sent = json.loads(sender.communicate()[0].splitlines()[-1])
        received = json.loads(recipient.communicate("\n")[0].splitlines()[-1])
    total = count * len(in_flight) + 220
    received["cpu_us"] = {
        name: round(value / total * 1e6) for name, value in received.pop("cpu_s").items()
    }
    return {
        "schema": "comity.bench.exchange/1",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "messages": count,
        "body_bytes": 4_096,
        "sender": sent,
        "recipient": received,
    }


def main() -> None:
    """Measure, or be one of the two processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--in-flight", default="8,64")
    parser.add_argument("--role", choices=("send", "receive"))
    parser.add_argument("--settings", type=Path)
    parser.add_argument("--port", type=int)
    given = parser.parse_args()
    share_the_interpreter()
    in_flight = [int(number) for number in given.in_flight.split(",")]
    if given.role == "send":
        print(json.dumps(asyncio.run(_send(given.settings, given.port, given.messages, in_flight))))
    elif given.role == "receive":
        print(json.dumps(asyncio.run(_receive(given.settings, given.port))))
    else:
        print(json.dumps(measure(given.messages, in_flight), indent=None if given.json else 2))


if __name__ == "__main__":
    main()
