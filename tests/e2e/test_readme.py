"""The README is true: its commands run as they stand, and its page is what one sees.

A block marked `sh` is run, all of them in one shell and in their order, as a reader pastes
them; one marked `text` is output. The two blocks without a mark are the commands to install
and to test, which `.ci/run` runs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.network import lasting_port
from tests.support.source import ROOT

COMITY = Path(sys.executable).with_name("comity")
README = (ROOT / "README.md").read_text(encoding="utf-8")
LONG_S = 240
PORTS = ("8443", "8444")

# What a person does between two blocks: looks until nothing waits. The end takes the nodes down.
BEFORE = """
set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
settled() {
    local node
    for node in qm qn; do
        [ -n "$(jobs -r)" ] || continue
        until comity --config "$node" outbox --json | grep -q '"waiting": \\[\\]'; do
            [ -n "$(jobs -r)" ] && sleep 0.1
        done
    done
}
"""


def blocks(mark: str) -> list[str]:
    """Give the README's blocks that have this mark, in their order."""
    every = re.findall(r"^```(.*?)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [block for found, block in every if found == mark]


def plain(page: str) -> list[str]:
    """Give a page without what differs from run to run."""
    shown = page.partition("steps done")[0].strip()
    return [re.sub(r"[0-9]+", "0", " ".join(line.split())) for line in shown.splitlines()]


def test_the_two_commands_are_those_of_ci() -> None:
    """Install and demo, and the tests: whatever else is typed is tried here or is output."""
    install, test = blocks("")
    ci = (ROOT / ".ci" / "run").read_text()
    assert [part.strip() for part in install.split("&&")] == [
        "python3 -m venv .venv",
        ".venv/bin/pip install -q -c constraints.txt -e '.[test]'",
        ".venv/bin/comity demo",
    ]
    assert all(part.strip() in ci for part in install.split("&&")[:2])
    assert f"\n{test.strip()} " in ci
    fences = re.findall(r"^```(.*)$", README, re.MULTILINE)
    assert set(fences) == {"", "sh", "text"}


@pytest.mark.slow
@pytest.mark.skipif(not COMITY.exists(), reason="the command is not installed beside Python")
def test_every_line_can_be_pasted(tmp_path: Path) -> None:
    """From three stewards to a receipt that verifies offline, in a folder with nothing in it."""
    script = BEFORE + "\nsettled\n".join(blocks("sh"))
    for port in PORTS:
        assert f"127.0.0.1:{port} " in script
        script = script.replace(f":{port}", f":{lasting_port()}")
    inherited = {name: one for name, one in os.environ.items() if not name.startswith("COMITY_")}
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path, capture_output=True, text=True, timeout=LONG_S, check=False,
        env={**inherited, "PATH": f"{COMITY.parent}:{inherited['PATH']}"},
    )  # fmt: skip
    if ended.returncode:
        pytest.fail(f"{ended.stdout}\n{ended.stderr}")
    for said in ("Every item is what was listed (1 same).", "SOUND: ", "1 warning."):
        assert said in ended.stdout
    assert ended.stdout.count(": VERIFIED") == 2
    logs = (tmp_path / "qm.log").read_text() + (tmp_path / "qn.log").read_text()
    assert "account 4471" not in logs + ended.stderr
    assert "correct horse" not in logs + ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.skipif(not COMITY.exists(), reason="the command is not installed beside Python")
def test_the_page_is_what_the_demo_shows() -> None:
    """Line by line, but for numbers."""
    ended = subprocess.run(
        [str(COMITY), "demo", "--once"],
        capture_output=True, text=True, timeout=LONG_S, check=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    [page] = blocks("text")
    assert plain(ended.stdout) == plain(page)
