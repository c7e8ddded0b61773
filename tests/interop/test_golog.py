"""A client that nobody here wrote reads an exported log, and refuses it with one bit flipped.

The program beside this file is a few lines over the Go project's packages for signed notes
and transparency logs, as Debian has them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from keys.pairs import signer_from_seed
from node.audit.export import Exported, export_log, log_lines
from node.audit.guard import FileGuard
from node.audit.kept import KeptHead
from node.audit.log import Log
from node.audit.records import MessageDelivered
from node.storage import Connection, log_rows
from node.storage.engine import Database, open_database
from node.storage.migrate import migrate
from node.storage.writer import PendingEntry
from protocol.checkpoint import LogKeys, log_origin, verify_checkpoint
from tests.support.clock import SeededRandom

SOURCES = Path("/usr/share/gocode")  # where Debian keeps Go packages
SIZES = (1, 255, 256, 257, 70_000)
NOW = 1_800_000_000
BUILD_S_MAX = 120
RUN_S_MAX = 60

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("golog")]

Client = Callable[[Path], "subprocess.CompletedProcess[str]"]


def _unable(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """Build the client from Debian's packages, and give what runs it."""
    folder = tmp_path_factory.mktemp("golog")
    if shutil.which("go") is None:
        _unable("Go is not installed")
    if not (SOURCES / "src/golang.org/x/mod/sumdb/tlog").exists():
        _unable("golang-golang-x-mod-dev is not installed")
    settings = {
        "GO111MODULE": "off", "GOPATH": str(SOURCES), "GOCACHE": str(folder / "cache"),
        "CGO_ENABLED": "0", "GOFLAGS": "",
    }  # fmt: skip
    source = Path(__file__).parent / "golog" / "main.go"
    built = subprocess.run(
        ["go", "build", "-o", str(folder / "client"), str(source)],
        env=os.environ | settings, cwd=folder, capture_output=True, text=True,
        timeout=BUILD_S_MAX, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr

    def run(exported: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [folder / "client", exported], capture_output=True, text=True, timeout=RUN_S_MAX,
            check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Path]]:
    """Grow one log and export it at every size."""
    folder = tmp_path_factory.mktemp("exports")
    database = open_database(f"sqlite:///{folder}/log.db")
    migrate(database)
    origin = log_origin("pacific", "fj.justice", 1)
    signers = (
        signer_from_seed("log", "ed25519", b"1" * 32),
        signer_from_seed("log", "ml-dsa-44", b"2" * 32),
    )
    log = Log(origin, signers, FileGuard(folder / "guard"), SeededRandom())
    keys = LogKeys(signers[0].public, signers[1].public)
    database.transact(lambda conn: FileGuard(folder / "guard").create(log.create(conn, NOW)))
    database.read(log.open)
    made = {}
    for size in SIZES:
        made[size] = folder / str(size)
        _grow(database, log, size)
        exported = database.read(partial(_export, into=made[size], origin=origin, keys=keys))
        assert (exported.size, exported.origin) == (size, origin)
    yield made
    database.close()


def _grow(database: Database, log: Log, size: int) -> None:
    def append(conn: Connection) -> None:
        head = log_rows.read_head(conn, log.origin)
        start = 0 if head is None else head.size
        entries = [
            PendingEntry(MessageDelivered("pacific", NOW, f"{number:064x}", "0" * 64), None)
            for number in range(start, size)
        ]
        log.sequence(conn, entries, NOW)

    database.transact(append)
    log.committed()


def _export(conn: Connection, *, into: Path, origin: str, keys: LogKeys) -> Exported:
    row = log_rows.read_head(conn, origin)
    assert row is not None
    signed = verify_checkpoint(row.checkpoint, origin=origin, keys=keys)
    head = KeptHead(1, signed, (), 0, keys)
    return export_log(conn, into, head, (("log.vkey", log_lines(head)),))


@pytest.mark.parametrize("size", SIZES)
def test_an_exported_log_is_read_by_another_client(
    size: int, client: Client, exports: dict[int, Path]
) -> None:
    """It verifies the note, and finds the root again in the entries and in the tiles."""
    ran = client(exports[size])
    assert (ran.returncode, ran.stderr) == (0, "")
    root = (exports[size] / "checkpoint").read_text().splitlines()[2]
    assert ran.stdout.split() == [str(size), root]


def _flipped(folder: Path, target: Path, name: str, at: int) -> Path:
    shutil.copytree(folder, target, copy_function=os.link)
    file = target / name
    raw = bytearray(file.read_bytes())
    raw[at] ^= 1
    file.unlink()  # else the bit would be flipped in the original, too
    file.write_bytes(raw)
    return target


def _files(folder: Path, below: str) -> list[str]:
    found = [path for path in (folder / below).rglob("*") if path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in found)


@pytest.mark.parametrize("size", SIZES)
def test_one_flipped_bit_is_refused_by_another_client(
    size: int, client: Client, exports: dict[int, Path], tmp_path: Path
) -> None:
    """In a tile of each level, in the first and last bundle, and in the checkpoint."""
    folder = exports[size]
    tiles = [one for one in _files(folder, "tile") if not one.startswith("tile/entries/")]
    levels = {one.split("/")[1]: one for one in tiles}  # the last of each level
    bundles = _files(folder, "tile/entries")
    text = (folder / "checkpoint").read_text()
    ed25519 = text.index("— ") + len("— pacific/fj.justice/1 ") + 20
    changes = [
        *((one, -1) for one in (tiles[0], *levels.values())), *((one, 0) for one in tiles[:1]),
        *((one, at) for one in (bundles[0], bundles[-1]) for at in (0, 1, 2, 20, -1)),
        ("checkpoint", 0), ("checkpoint", text.index("\n") + 1), ("checkpoint", ed25519),
        ("checkpoint", text.index("\n\n") - 10), ("log.vkey", 30),
    ]  # fmt: skip
    for number, (name, at) in enumerate(changes):
        ran = client(_flipped(folder, tmp_path / str(number), name, at))
        assert (ran.returncode, ran.stdout) == (1, ""), (name, at)


def test_a_tile_that_is_missing_or_too_much_is_refused(
    client: Client, exports: dict[int, Path], tmp_path: Path
) -> None:
    """The client looks at the whole export, not only at what a proof needs."""
    less, more = tmp_path / "less", tmp_path / "more"
    shutil.copytree(exports[257], less)
    (less / "tile/0/001.p/1").unlink()
    assert client(less).returncode == 1
    shutil.copytree(exports[257], more)
    shutil.copy(more / "tile/0/001.p/1", more / "tile/0/002")
    assert client(more).returncode == 1
