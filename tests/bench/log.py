"""How fast a log is written, proved and audited, on this machine.

    python -m tests.bench.log --json
    python -m tests.bench.log --entries 1000000 --database postgresql://user@/name?host=/run/pg

Appends go through the real writer, sequencer and guard: each is durable, signed and
guarded when it is counted. `batches_of` are units of work that record so many entries, one
unit after the other; `in_flight` are so many units of one entry, all waiting at once.
Proofs are made from the tiles in the database, with and without what was read before. At
each power of ten on the way to `--entries`, `growth` measures appends and proofs again.
`floor` is what this machine asks for one append whatever we do: two syncs and two
signatures. A bundle is of a case of 50 messages, all receipted and cosigned.
The audit reads the whole log, with records that stand alone (`--profile`: as `cProfile`
sees it). Reports; judges nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from keys.keyfile import read_key_file
from keys.pairs import pair_from_seeds
from node.app import Node, open_node
from node.audit.fsck import Conclusion, fsck
from node.audit.guard import read_guard
from node.audit.records import KeyRotated
from node.storage import Connection, log_rows
from node.storage.engine import open_database
from node.storage.writer import Tx
from protocol.bundle_check import verify_bundle
from protocol.checkpoint import Checkpoint, log_origin, sign_checkpoint
from protocol.merkle import TreeView
from protocol.proof import encode_proof
from tests.support.bundles import FIJI, QUMRAN, Story
from tests.support.clock import START
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import NETWORK, make_network
from tests.support.trust import make_trust

AUTHORITY: Final = "fj.justice"
BATCHES: Final = (1, 16, 256)
IN_FLIGHT: Final = (1, 16, 256)
BUNDLE_MESSAGES: Final = 50
GROWTH_FROM: Final = 1_000
ANY: Final = 10**12
GROWTH_S_MAX: Final = 0.5  # for each rate at each size
UNIT: Final = 4_096  # records in one unit while the log is filled


def record(number: int, now: int) -> KeyRotated:
    """Give a record of usual size, two digests, of a kind that names no row."""
    return KeyRotated(NETWORK, now, "hop", f"{number:064x}", f"{number + 1:064x}")


def make_log(folder: Path, database: str | None) -> Node:
    """Make a node with an empty log that its network knows."""
    databases = {AUTHORITY: database} if database else None
    made = make_network(folder, (AUTHORITY, "qm.justice"), databases)[AUTHORITY]
    settings = made.settings
    return open_node(settings, read_key_file(settings.keys.file, PASSPHRASE))


def unit_of(count: int, start: int = 0) -> Callable[[Tx], None]:
    """Give a unit of work that records `count` entries."""

    def unit(tx: Tx) -> None:
        for number in range(start, start + count):
            tx.record(record(number, tx.now))

    return unit


def in_batches(node: Node, count: int, seconds: float, most: int = ANY) -> float:
    """Give the appends a second in units of `count` entries, one unit after the other."""
    unit = unit_of(count)
    node.writer.write_now(unit)
    start, done = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < seconds and done < most:
        node.writer.write_now(unit)
        done += count
    return done / passed


def in_flight(node: Node, units: int, seconds: float) -> float:
    """Give the appends a second with so many units of one entry waiting at once."""
    unit = unit_of(1)

    async def run() -> float:
        start, done = time.perf_counter(), 0
        while (passed := time.perf_counter() - start) < seconds:
            await asyncio.gather(*(node.writer.write(unit) for _ in range(units)))
            done += units
        return done / passed

    return asyncio.run(run())


def size_of(node: Node) -> int:
    """Give the number of entries in the log."""
    head = node.database.read(lambda conn: log_rows.read_head(conn, node.log.origin))
    if head is None:
        raise SystemExit("the log has no head")
    return head.size


def fill(node: Node, size: int) -> None:
    """Append until the log has `size` entries, many in one transaction."""
    for start in range(size_of(node), size, UNIT):
        node.writer.write_now(unit_of(min(UNIT, size - start), start))


def growth(node: Node, entries: int, seconds: float) -> list[dict[str, float]]:
    """Measure again at each power of ten: appends stay as fast, proofs grow by their paths."""
    found, size = [], GROWTH_FROM
    for_each = min(seconds, GROWTH_S_MAX)
    while size <= entries:
        fill(node, size)
        row: dict[str, float] = {"entries": size_of(node)} | proofs(node, for_each)
        row["us_an_append_alone"] = round(1e6 / in_batches(node, 1, for_each))
        row["us_an_append_of_256"] = round(1e6 / in_batches(node, 256, for_each, 3 * size), 1)
        found.append(row)
        size *= 10
    return found


def floor(folder: Path) -> dict[str, int]:
    """Give the median time of one synced write of a page, and the mean of signing a head."""
    syncs, signing = [], []
    ed25519, ml_dsa = pair_from_seeds("log", (b"1" * 32, b"2" * 32))
    head = Checkpoint(log_origin(NETWORK, AUTHORITY, 1), 1, bytes(32))
    descriptor = os.open(folder / "floor", os.O_RDWR | os.O_CREAT, 0o600)
    for number in range(200):
        start = time.perf_counter()
        os.pwrite(descriptor, number.to_bytes(2) * 2_048, 0)
        os.fdatasync(descriptor)
        middle = time.perf_counter()
        sign_checkpoint(head, ed25519=ed25519, ml_dsa=ml_dsa, now=START)
        syncs.append(middle - start)
        signing.append(time.perf_counter() - middle)
    os.close(descriptor)
    return {
        "sync_us": round(1e6 * statistics.median(syncs)),
        "sign_us": round(1e6 * statistics.mean(signing)),
    }


def bundle() -> dict[str, float]:
    """Verify the bundle of a case of 50 messages, as `comity verify` does it."""
    story = Story(make_trust())
    for number in range(BUNDLE_MESSAGES):
        story.accept(story.send((FIJI, QUMRAN)[number % 2], "note", {"text": f"note {number}"}))
    story.cosign(FIJI)
    story.cosign(QUMRAN)
    raw = story.bundle().encode()
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        verify_bundle(raw)
        seconds.append(time.perf_counter() - start)
    return {
        "messages": BUNDLE_MESSAGES,
        "bytes": len(raw),
        "first_s": round(seconds[0], 3),
        "again_s": round(min(seconds), 3),
    }


def proofs(node: Node, seconds: float) -> dict[str, float]:
    """Give the proofs a second anywhere in the log: each with tiles of its own, and warm."""

    def run(conn: Connection) -> dict[str, float]:
        head = log_rows.read_head(conn, node.log.origin)
        if head is None:
            raise SystemExit("the log has no head")
        size, checkpoint, chance = head.size, head.checkpoint, random.Random(1)
        lengths: list[int] = []

        def view() -> TreeView:
            return TreeView(size, read)

        def read(level: int, index: int, _width: int) -> bytes:
            return log_rows.read_tile(conn, 1, level, index)

        def rate(give: Callable[[], TreeView], below: int) -> int:
            start, done = time.perf_counter(), 0
            while (passed := time.perf_counter() - start) < seconds:
                index = size - 1 - chance.randrange(below)
                path = give().inclusion_path(index)
                proof = encode_proof(index=index, path=path, checkpoint=checkpoint)
                lengths.append(len(proof))
                done += 1
            return round(done / passed)

        kept = view()
        for index in range(0, size, 256):
            kept.inclusion_path(index)
        return {
            "proofs_cold_per_s": rate(view, size),
            "proofs_warm_per_s": rate(lambda: kept, size),
            "proofs_newest_per_s": rate(lambda: kept, min(size, 1_024)),
            "path_hashes_max": len(kept.inclusion_path(0)),
            "proof_bytes_max": max(lengths),
            "checkpoint_bytes": len(checkpoint),
        }

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
        guard=read_guard(settings.guard.file),
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


def show_table(rows: list[dict[str, float]]) -> None:
    """Print measurements at several sizes, one size a line."""
    names = [name for name in rows[0] if name != "checkpoint_bytes"] if rows else []
    sys.stdout.write("".join(f"{name:>20}" for name in names) + "\n")
    for row in rows:
        sys.stdout.write("".join(f"{row[name]:>20,}" for name in names) + "\n")


def rates(give: Callable[[int], float], counts: tuple[int, ...]) -> dict[str, dict[str, float]]:
    """Give the appends a second for each count, and the processor time of each append."""
    found = {}
    for count in counts:
        cpu, start = time.process_time(), time.perf_counter()
        rate = give(count)
        busy = (time.process_time() - cpu) / (time.perf_counter() - start)
        found[str(count)] = {"per_s": round(rate), "cpu_us_each": round(1e6 * busy / rate, 1)}
    return found


def main() -> None:
    """Run the benchmark and print its report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--entries", type=int, default=100_000, help="how far the log grows")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each rate")
    parser.add_argument("--database", help="a PostgreSQL URL of an empty database")
    parser.add_argument("--dir", type=Path, help="where to put the files (default: temporary)")
    parser.add_argument("--profile", action="store_true", help="profile the audit, to stderr")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.dir, prefix="comity-bench-") as folder:
        node = make_log(Path(folder), chosen.database)
        try:
            report: dict[str, object] = {
                "schema": "comity.bench.log/3",
                "database": node.database.version(),
                "floor": floor(Path(folder)),
                "bundle": bundle(),
            }
            table = growth(node, chosen.entries, chosen.seconds)
            report["appends"] = {
                "batches_of": rates(lambda n: in_batches(node, n, chosen.seconds), BATCHES),
                "in_flight": rates(lambda n: in_flight(node, n, chosen.seconds), IN_FLIGHT),
            }
            report["growth"] = table
            report["audit"] = audited(node, profile=chosen.profile)
        finally:
            node.close()
    if chosen.json:
        sys.stdout.write(json.dumps(report) + "\n")
        return
    del report["growth"]
    for name, part in report.items():
        sys.stdout.write(f"{name}: {json.dumps(part)}\n")
    show_table(table)


if __name__ == "__main__":
    main()
