"""The command `comity`: parse, call one verb, render (`node.cli.program` puts it together)."""

from __future__ import annotations

from node.cli.program import main

__all__ = ["main"]
