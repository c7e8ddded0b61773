"""Copies of a node: a folder as it was at one moment, guard and all, resumed later.

kept = copy_of(pair, QUMRAN)
...                                  # the true node goes on
resume(pair, QUMRAN, kept)           # and its clone takes its place
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.pair import FIJI, QUMRAN, Pair


async def exchanged(pair: Pair, *, sender: str = FIJI, to: str = QUMRAN) -> None:
    """Let a node accept a request of another one, which then has cosigned its log."""
    await pair.request(sender=sender, to=to)
    await pair[sender].send_to(to)


def copy_of(pair: Pair, name: str) -> Path:
    """Copy the whole folder of a node, as a clone of its machine would be."""
    pair.close(*[name] if name in pair.nodes else [])
    kept = pair.folder.parent / f"clone of {name}"
    shutil.copytree(pair.folder / name, kept)
    return kept


def resume(pair: Pair, name: str, kept: Path) -> Path:
    """Put the copy in the place of the node; gives where the node's own folder is now."""
    pair.close(*[name] if name in pair.nodes else [])
    away = pair.folder.parent / f"true {name}"
    (pair.folder / name).rename(away)
    kept.rename(pair.folder / name)
    return away


async def set_back(pair: Pair) -> Path:
    """Resume a clone of Qumran after the true one has gone on, and Fiji has cosigned that."""
    await exchanged(pair)
    kept = copy_of(pair, QUMRAN)
    await exchanged(pair)
    return resume(pair, QUMRAN, kept)
