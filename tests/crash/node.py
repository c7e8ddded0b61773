"""A node as a process of its own, to be killed: python -m tests.crash.node SETTINGS."""

from __future__ import annotations

import sys
from pathlib import Path

from keys.keyfile import read_key_file
from node.logs import configure
from node.run import run_node
from node.settings import load_settings
from tests.support.keyfiles import PASSPHRASE


def main() -> None:
    """Run the node of a test's network until it is killed."""
    settings = load_settings(Path(sys.argv[1]))
    configure("warning", "json")
    run_node(settings, read_key_file(settings.keys.file, PASSPHRASE))


if __name__ == "__main__":
    main()
