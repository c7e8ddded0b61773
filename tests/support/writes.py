"""Where the node writes: every call of a function that changes rows, found in the source.

    for write in writes():
        write.function, write.writer        "outbox.Outbox._delivered", "case_rows.change_case"

A function of `node/storage` writes if it makes a statement that does, or calls one that
does; the module's constants are followed. Nothing is imported or run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tests.support.source import Module, modules

_MAKERS = frozenset({"insert", "update", "delete", "insert_into", "update_of"})
_CHANGERS = frozenset({"change", "change_many", "Change", "insert_rows"})
_APART = ("node.storage", "node.demo.fraud")
"""Who writes the rows; and what somebody does to a copy who wants to leave no record."""


@dataclass(frozen=True, slots=True, order=True)
class Write:
    """One function of the node, and a function of storage that it calls to change rows."""

    function: str
    writer: str


def _calls(tree: ast.AST) -> set[str]:
    """Give the bare names of all that a tree calls."""
    return {
        node.func.id for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }  # fmt: skip


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _targets(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.Assign(targets=targets):
            return [one.id for one in targets if isinstance(one, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _writers_of(module: Module) -> set[str]:
    """Give the functions of one module of storage that change rows."""
    made: set[str] = set()
    functions = {one.name: one for one in module.tree.body if isinstance(one, ast.FunctionDef)}
    constants = {
        name: one for one in module.tree.body if not isinstance(one, ast.FunctionDef)
        for name in _targets(one)
    }  # fmt: skip
    while True:
        more = {
            name for name, one in constants.items()
            if name not in made and (_calls(one) & _MAKERS or _names(one) & made)
        } | {
            name for name, one in functions.items()
            if name not in made and (_calls(one) & (_MAKERS | _CHANGERS) or _names(one) & made)
        }  # fmt: skip
        if not more:
            return made & functions.keys()
        made |= more


@lru_cache(maxsize=1)
def writers() -> frozenset[str]:
    """Give every function of storage that changes rows, as `case_rows.insert_case`."""
    return frozenset(
        f"{short}.{name}"
        for module in modules("node/storage")
        if (short := module.name.rpartition(".")[2]).endswith("_rows")
        for name in _writers_of(module)
        if not name.startswith("_")
    )


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST]]:
    """Give every function and method, by its full name; what is inside one belongs to it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{prefix}.{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}.{node.name}")


def _called(node: ast.Call, known: frozenset[str]) -> str | None:
    match node.func:
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return f"{module}.{name}" if f"{module}.{name}" in known else None
        case ast.Name(id=name):
            return next((one for one in known if one.rpartition(".")[2] == name), None)
    return None


def writes() -> set[Write]:
    """Give every place of the node, outside storage, that changes rows."""
    known, found = writers(), set()
    for module in modules("node"):
        if module.name.startswith(_APART):
            continue
        short = module.name.removeprefix("node.")
        for function, tree in _functions(module.tree, short):
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and (writer := _called(node, known)):
                    found.add(Write(function, writer))
    return found
