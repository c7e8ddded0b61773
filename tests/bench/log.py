"""How fast a log is written, proved and audited, on this machine.

    python -m tests.bench.log --json
    python -m tests.bench.log --entries 500000 --database postgresql://user@/name?host=/run/pg

Appends go through the real writer, sequencer and guard: each is durable, signed and
guarded when it is counted, one alone or many in flight. Proofs are made of random entries,
from the tiles in the database. The audit reads the whole log, once with records that stand
alone and once more as `cProfile` sees it (`--profile`). Reports; judges nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from keys.keyfile import read_key_file
from node.app import Node, open_node
from node.audit.fsck import Conclusion, fsck
from node.audit.records import MessageDelivered
from node.storage import Connection, log_rows
from node.storage.engine import open_database
from node.storage.writer import Tx
from protocol.merkle import TreeView
from protocol.proof import encode_proof
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import NETWORK, make_network

AUTHORITY: Final = "fj.justice"
IN_FLIGHT: Final = (1, 16, 256)
UNIT: Final = 4_096  # records in one unit while the log is filled


def record(number: int, now: int) -> MessageDelivered:
    """Give a record of usual size: two digests."""
    return MessageDelivered(NETWORK, now, f"{number:064x}", f"{number + 1:064x}")


def make_log(folder: Path, database: str | None) -> Node:
    """Make a node with an empty log that its network knows."""
    databases = {AUTHORITY: database} if database else None
    made = make_network(folder, (AUTHORITY, "qm.justice"), databases)[AUTHORITY]
    settings = made.settings
    return open_node(settings, read_key_file(settings.keys.file, PASSPHRASE))


def appends(node: Node, in_flight: int, seconds: float) -> float:
    """Give the appends a second with so many units of one record in flight."""

    async def one(number: int) -> None:
        await node.writer.write(lambda tx: tx.record(record(number, tx.now)))

    async def run() -> float:
        start, done = time.perf_counter(), 0
        while (passed := time.perf_counter() - start) < seconds:
            await asyncio.gather(*(one(done + number) for number in range(in_flight)))
            done += in_flight
        return done / passed

    return asyncio.run(run())


def fill(node: Node, count: int) -> None:
    """Append until `count` more entries are there, many in one transaction."""
    for start in range(0, count, UNIT):

        def unit(tx: Tx, start: int = start) -> None:
            for number in range(start, min(start + UNIT, count)):
                tx.record(record(number, tx.now))

        node.writer.write_now(unit)


def proofs(node: Node, seconds: float) -> dict[str, float]:
    """Give the proofs a second: each with tiles of its own, and many of one view."""

    def run(conn: Connection) -> dict[str, float]:
        head = log_rows.read_head(conn, node.log.origin)
        if head is None:
            raise SystemExit("the log has no head")
        size, checkpoint, chance = head.size, head.checkpoint, random.Random(1)

        def view() -> TreeView:
            return TreeView(size, lambda level, at, _width: log_rows.read_tile(conn, 1, level, at))

        def rate(*, fresh: bool) -> float:
            kept = view()
            start, done = time.perf_counter(), 0
            while (passed := time.perf_counter() - start) < seconds:
                index = chance.randrange(size) if fresh else size - 1 - chance.randrange(1_024)
                path = (view() if fresh else kept).inclusion_path(index)
                encode_proof(index=index, path=path, checkpoint=checkpoint)
                done += 1
            return done / passed

        return {"anywhere_per_s": round(rate(fresh=True)), "newest_per_s": round(rate(fresh=False))}

    return node.database.read(run)


def audited(node: Node, *, profile: bool) -> dict[str, float]:
    """Audit the log on a connection that only reads."""
    settings = node.settings
    database = open_database(settings.database.url.get_secret_value(), read_only=True)
    profiler = cProfile.Profile()
    cpu = time.process_time()
    if profile:
        profiler.enable()
    report = fsck(
        database,
        network=settings.network,
        authority=settings.authority,
        origin=node.log.origin,
        guard=settings.guard.file.read_bytes(),
        monotonic=time.perf_counter,
    )
    profiler.disable()
    cpu = time.process_time() - cpu
    if profile:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(15)
    database.close()
    if report.conclusion is not Conclusion.SOUND:
        raise SystemExit(f"the log is not sound: {report.findings[:3]}")
    return {
        "entries": report.counts.entries,
        "seconds": round(report.seconds, 3),
        "entries_per_s": round(report.counts.entries / report.seconds),
        "entries_per_cpu_s": round(report.counts.entries / cpu),
        "rss_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def main() -> None:
    """Run the benchmark and print its report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each rate")
    parser.add_argument("--database", help="a PostgreSQL URL of an empty database")
    parser.add_argument("--dir", type=Path, help="where to put the files (default: temporary)")
    parser.add_argument("--profile", action="store_true", help="profile the audit, to stderr")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.dir, prefix="comity-bench-") as folder:
        node = make_log(Path(folder), chosen.database)
        try:
            report: dict[str, object] = {
                "schema": "comity.bench.log/1",
                "database": node.database.version(),
                "appends_per_s": {
                    str(many): round(appends(node, many, chosen.seconds)) for many in IN_FLIGHT
                },
            }
            fill(node, chosen.entries)
            report["proofs"] = proofs(node, chosen.seconds)
            report["audit"] = audited(node, profile=chosen.profile)
        finally:
            node.close()
    if chosen.json:
        sys.stdout.write(json.dumps(report) + "\n")
        return
    for name, part in report.items():
        sys.stdout.write(f"{name}: {json.dumps(part)}\n")


if __name__ == "__main__":
    main()
