"""The runbook and the unit say what the code does: statuses, checks, words, names, paths."""

from __future__ import annotations

import configparser
import inspect
import re
from types import ModuleType

import pytest

from node.doctor import casework, files, storage, trust
from node.exits import Exit
from node.settings import CREDENTIAL
from node.transport.errors import HINTS
from protocol.errors import REFUSALS
from tests.support.source import ROOT

RUNBOOK = (ROOT / "deploy" / "RUNBOOK.md").read_text(encoding="utf-8")


class Unit(configparser.RawConfigParser):
    """A unit file; what stands twice adds to what stood before."""

    def __init__(self) -> None:
        """Read the unit."""
        super().__init__(strict=False)
        self.read(ROOT / "deploy" / "comity.service")

    def optionxform(self, optionstr: str) -> str:
        """Keep names as they are written."""
        return optionstr


def section(heading: str) -> str:
    """Give the text below a heading of the runbook."""
    return RUNBOOK.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_every_exit_status_is_explained_and_no_other() -> None:
    """The table is the enumeration."""
    rows = re.findall(r"^\| (\d+) \|", section("Exit statuses"), re.MULTILINE)
    assert [int(row) for row in rows] == sorted(Exit)


@pytest.mark.parametrize("module", [casework, files, storage, trust])
def test_every_check_of_the_doctor_is_explained(module: ModuleType) -> None:
    """By the name under which it is shown."""
    text = inspect.getsource(module)
    names = set(re.findall(r'(?:name(?:, \w+)* = |failed\(|ok\(|warning\()"([a-z-]+)"', text))
    shown = set(re.findall(r"`([a-z-]+)`", section("Reading `comity doctor`")))
    assert names
    assert names <= shown


def test_every_word_about_a_peer_is_explained() -> None:
    """Ours by name; theirs by the list in SPEC 9."""
    shown = set(re.findall(r"`([a-z-]+)`", section("Reading `comity doctor`")))
    assert set(HINTS) - set(REFUSALS) <= shown


def test_the_unit_starts_the_installed_command_as_the_node_expects() -> None:
    """The credential's name, the word that it is ready, and the status that ends it for good."""
    service = Unit()["Service"]
    assert service["Type"] == "notify"
    assert service["ExecStart"] == "/opt/comity/bin/comity run --config /var/lib/comity/comity.toml"
    name, _, path = service["LoadCredential"].partition(":")
    assert name == CREDENTIAL
    assert path in RUNBOOK
    assert int(service["RestartPreventExitStatus"]) == Exit.CONFIGURATION
    assert service["StateDirectory"] == "comity"


def test_the_unit_keeps_keys_in_memory_and_the_node_in_its_folder() -> None:
    """What `systemd-analyze security` rates; here so that none of it is lost by the way."""
    service = Unit()["Service"]
    for name in (
        "NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "PrivateUsers",
        "ProtectKernelModules", "RestrictNamespaces", "LockPersonality", "MemoryDenyWriteExecute",
    ):  # fmt: skip
        assert service[name] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert (service["LimitCORE"], service["MemorySwapMax"]) == ("0", "0")
    assert service["UMask"] == "0077"
