"""A second reader, in JavaScript and without any of our code, agrees on every vector it knows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from node.page import FOLDER as FOLDER_OF_THE_PAGE
from tests.vectors.form import FOLDER, names, read

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NODE_MAJOR_MIN = 18  # Debian 12 has it
INSTALL_S_MAX = 120
RUN_S_MAX = 120

KNOWN = frozenset({
    "json", "base64", "key-id", "signature", "identity", "statement", "message-text", "padding",
    "envelope", "entry", "record", "inclusion", "consistency", "checkpoint", "cosignature",
    "receipt", "fingerprint", "safety-number", "batch", "network", "network-text", "listing",
    "listing-text", "revocation", "add-checkpoint", "cosignatures", "policy",
    "continuation", "fork", "closure", "bundle", "receipt-file",
})  # fmt: skip
NAMES = tuple(name for name in names() if name.partition("/")[0] in KNOWN)

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("interop")]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the second reader says of one vector."""

    outcome: str
    found: dict[str, str]


def _unable(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _run(folder: Path, *command: str, seconds: int) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"not done in {seconds} s")


def _node(folder: Path) -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _unable("Node.js and npm are not installed")
    version = _run(folder, node or "", "--version", seconds=RUN_S_MAX).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0] or 0) < NODE_MAJOR_MIN:
        _unable(f"Node.js {NODE_MAJOR_MIN} or later is needed, here is {version}")
    here = folder / HERE.relative_to(ROOT)
    # What the verifier page reads, it reads here too: one reader, in two places.
    shutil.copytree(FOLDER_OF_THE_PAGE, folder / FOLDER_OF_THE_PAGE.relative_to(ROOT))
    here.mkdir(parents=True)
    for source in (*HERE.glob("*.mjs"), HERE / "package.json", HERE / "package-lock.json"):
        shutil.copy(source, here)
    options = ("--ignore-scripts", "--no-audit", "--no-fund")
    installed = _run(here, npm or "", "ci", *options, seconds=INSTALL_S_MAX)
    if installed.returncode != 0:
        _unable(f"npm ci failed: {installed.stderr[-500:]}")
    return node or ""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """Install the reader outside the checkout and run it once over all vectors."""
    folder = tmp_path_factory.mktemp("second-reader")
    node = _node(folder)
    here = folder / HERE.relative_to(ROOT)
    ran = _run(here, node, "reader.mjs", str(FOLDER), seconds=RUN_S_MAX)
    assert ran.returncode == 0, ran.stderr
    lines: list[dict[str, Any]] = [json.loads(line) for line in ran.stdout.splitlines()]
    return {line["name"]: Answer(line["outcome"], line["found"]) for line in lines}


def test_the_second_reader_reads_every_vector_of_its_types(answers: dict[str, Answer]) -> None:
    """Nothing is passed over in silence."""
    assert set(answers) == set(NAMES)
    assert {"envelope", "receipt"} <= {name.partition("/")[0] for name in answers}


@pytest.mark.parametrize("name", NAMES)
def test_the_second_reader_agrees(name: str, answers: dict[str, Answer]) -> None:
    """The outcome is the expected one, and whatever it computed is what stands in the file."""
    vector, answer = read(name), answers[name]
    assert answer.outcome == vector.expect
    for header, value in answer.found.items():
        assert vector.headers.get(header, value) == value


def test_the_lock_file_names_no_registry() -> None:
    """Where packages come from is the choice of whoever installs; what they are is pinned."""
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    assert "://" not in (HERE / "package-lock.json").read_text()
    pinned = {name: entry for name, entry in packages.items() if name}
    assert len(pinned) == 4
    assert all(entry["integrity"].startswith("sha512-") for entry in pinned.values())
