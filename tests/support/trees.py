"""Change one thing in a JSON text that was valid: the manner of the attack tables.

document = json.loads(text)
put("authorities.0.status", "trusted")(document)
raw = dumped(document)                     # canonical in form, wrong in content
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

Tree: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Tree], object]


def at(tree: Tree, path: str) -> Any:  # noqa: ANN401  what stands there may be anything
    """Give what stands at a path such as `authorities.0.status`."""
    place: Any = tree
    for step in path.split("."):
        place = place[int(step)] if isinstance(place, list) else place[step]
    return place


def put(path: str, value: object) -> Change:
    """Give a change that sets what stands at a path."""
    before, _, last = path.rpartition(".")

    def change(tree: Tree) -> None:
        place: Any = at(tree, before) if before else tree
        place[int(last) if isinstance(place, list) else last] = value

    return change


def copy(source: str, target: str) -> Change:
    """Give a change that copies what stands at one path to another."""

    def change(tree: Tree) -> None:
        put(target, at(tree, source))(tree)

    return change


def drop(path: str) -> Change:
    """Give a change that takes away what stands at a path."""
    before, _, last = path.rpartition(".")

    def change(tree: Tree) -> None:
        place: Any = at(tree, before) if before else tree
        del place[int(last) if isinstance(place, list) else last]

    return change


def dumped(tree: Tree) -> bytes:
    """Give a tree as compact, sorted JSON, also one that our encoder would refuse."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
