"""The caseworkers' page is true: its commands run as they stand, after those of the README."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.test_readme import BEFORE, COMITY, LONG_S, PORTS, blocks
from tests.support.network import lasting_port
from tests.support.source import ROOT

PAGE = (ROOT / "deploy" / "docs" / "CASEWORK.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    """Give the README's blocks as far as the first request, and then those of the page."""
    setting_up: list[str] = []
    for block in blocks("sh"):
        setting_up.append(block)
        if "request send" in block:
            break
    return [*setting_up, *re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


@pytest.mark.slow
@pytest.mark.skipif(not COMITY.exists(), reason="the command is not installed beside Python")
def test_every_line_for_caseworkers_can_be_pasted(tmp_path: Path) -> None:
    """From new people to a closed request, and to one that two of them refused."""
    script = BEFORE + "\nsettled\n".join(commands())
    for port in PORTS:
        script = script.replace(f":{port}", f":{lasting_port()}")
    inherited = {name: one for name, one in os.environ.items() if not name.startswith("COMITY_")}
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path, capture_output=True, text=True, timeout=LONG_S, check=False,
        env={
            **inherited, "PATH": f"{COMITY.parent}:{inherited['PATH']}",
            "XDG_STATE_HOME": str(tmp_path / "state"),
        },
    )  # fmt: skip
    if ended.returncode:
        pytest.fail(f"{ended.stdout}\n{ended.stderr}")
    assert "Nothing is missing." in ended.stdout
    assert "Every item is what was listed (1 same)." in ended.stdout
    assert "refused: status" in ended.stdout
    assert "BEGIN:VCALENDAR" in (tmp_path / "due.ics").read_text()
    assert (tmp_path / "published.csv").read_text().count("\n") > 1
