"""How fast evidence is hashed, beside `openssl dgst -sha256` on the same file.

    python -m tests.bench.evidence --json
    python -m tests.bench.evidence --size-mib 4096 --dir /mnt/disk --rounds 5

One large file, half random and half a hole, is hashed in turn by openssl and by us, each in
a process of its own, from the page cache; then a folder of many small files by one thread
and by two. Reports medians; judges nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from node.evidence.hashing import build_manifest, hash_file

MIB: Final = 1024 * 1024
SMALL_FILES: Final = 20_000
SMALL_BYTES: Final = 4_096


def peak_rss_mb() -> float:
    """Give the largest resident size of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MIB if sys.platform == "darwin" else peak / 1024


def make_file(path: Path, size_mib: int) -> None:
    """Write `size_mib` MiB: random bytes, then a hole of the same length."""
    block = os.urandom(16 * MIB)
    with path.open("wb") as file:
        for start in range(0, size_mib // 2, 16):
            file.write(block[: min(16, size_mib // 2 - start) * MIB])
        file.truncate(size_mib * MIB)


def make_folder(path: Path) -> None:
    """Write many small files, a hundred to a folder."""
    content = os.urandom(SMALL_BYTES)
    for number in range(SMALL_FILES):
        folder = path / f"{number // 100:04}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:06}.bin").write_bytes(content)


def child(path: Path, workers: int) -> dict[str, float | str]:
    """Hash in this process and report seconds, memory before and at most, and the digest."""
    before = peak_rss_mb()
    start = time.perf_counter()
    if path.is_dir():
        digest = build_manifest([path], workers=workers).digest
    else:
        _, digest = hash_file(path)
    return {
        "seconds": time.perf_counter() - start,
        "rss_before_mb": before,
        "rss_peak_mb": peak_rss_mb(),
        "digest": digest,
    }


def ours(path: Path, workers: int = 1) -> dict[str, float | str]:
    """Run `child` in a fresh process, so that nothing else counts as its memory."""
    command = [sys.executable, "-m", "tests.bench.evidence", "--child", str(path)]
    done = subprocess.run([*command, "--workers", str(workers)], check=True, capture_output=True)
    report: dict[str, float | str] = json.loads(done.stdout)
    return report


def theirs(openssl: str, path: Path) -> tuple[float, str]:
    """Give openssl's seconds, its start included as it always is, and its digest."""
    start = time.perf_counter()
    done = subprocess.run(
        [openssl, "dgst", "-sha256", "-r", str(path)], check=True, capture_output=True
    )
    return time.perf_counter() - start, done.stdout.split()[0].decode()


def large(folder: Path, size_mib: int, rounds: int) -> dict[str, float | bool | None]:
    """Hash one large file by turns and compare the medians."""
    path = folder / "large"
    make_file(path, size_mib)
    runs = [ours(path)]  # the first of each warms the page cache and is not counted
    openssl = shutil.which("openssl")
    digests, seconds = set(), []
    for _ in range(rounds + 1 if openssl else 0):
        if openssl:
            took, digest = theirs(openssl, path)
            seconds.append(took)
            digests.add(digest)
        runs.append(ours(path))
    path.unlink()
    counted = [float(run["seconds"]) for run in runs[1:]] or [float(runs[0]["seconds"])]
    mb = size_mib * MIB / 1e6
    our_rate = mb / statistics.median(counted)
    their_rate = mb / statistics.median(seconds[1:]) if seconds else None
    return {
        "size_mb": round(mb),
        "comity_mb_per_s": round(our_rate),
        "openssl_mb_per_s": round(their_rate) if their_rate else None,
        "ratio": round(our_rate / their_rate, 3) if their_rate else None,
        "digests_equal": len(digests | {str(run["digest"]) for run in runs}) == 1,
        "rss_before_mb": round(max(float(run["rss_before_mb"]) for run in runs), 1),
        "rss_peak_mb": round(max(float(run["rss_peak_mb"]) for run in runs), 1),
    }


def small(folder: Path, rounds: int) -> dict[str, float]:
    """Make the manifest of many small files with one thread and with two."""
    path = folder / "small"
    make_folder(path)
    ours(path)
    report: dict[str, float] = {"files": SMALL_FILES, "bytes_each": SMALL_BYTES}
    for workers in (1, 2):
        runs = [ours(path, workers) for _ in range(rounds)]
        median = statistics.median(float(run["seconds"]) for run in runs)
        report[f"files_per_s_{workers}_threads"] = round(SMALL_FILES / median)
        report["rss_peak_mb"] = round(max(float(run["rss_peak_mb"]) for run in runs), 1)
    return report


def main() -> None:
    """Run the benchmark and print its report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--size-mib", type=int, default=2_048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", type=Path, help="where to put the files (default: temporary)")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        sys.stdout.write(json.dumps(child(chosen.child, chosen.workers)))
        return
    with tempfile.TemporaryDirectory(dir=chosen.dir, prefix="comity-bench-") as folder:
        report = {
            "schema": "comity.bench.evidence/1",
            "large_file": large(Path(folder), chosen.size_mib, chosen.rounds),
            "small_files": small(Path(folder), chosen.rounds),
        }
    if chosen.json:
        sys.stdout.write(json.dumps(report) + "\n")
        return
    for name, part in report.items():
        sys.stdout.write(f"{name}: {json.dumps(part)}\n")


if __name__ == "__main__":
    main()
