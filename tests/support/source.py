"""The project's own source as the architecture tests read it: files, modules, imports.

    for module in modules("protocol", "keys", "node"):
        for target, line in imports(module, known):
            ...

Nothing is imported: everything is read from the syntax trees, so imports inside functions
and under TYPE_CHECKING are seen like any other.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("protocol", "keys", "node")


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file of the project."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def where(self) -> str:
        """The path from the root of the checkout, for messages."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def lines(self) -> list[str]:
        """The lines of the file."""
        return self.text.splitlines()


@lru_cache(maxsize=8)
def modules(*packages: str) -> tuple[Module, ...]:
    """Give every module of the packages, by name."""
    found = []
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text()
            found.append(Module(name, path, text, ast.parse(text, str(path))))
    return tuple(found)


def imports(module: Module, known: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Give what a module imports, wherever in it, with the line, each once a line.

    `from node.storage import tables` is the module `node.storage.tables` if that is one of
    `known`, else `node.storage`.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            named = [f"{base}.{alias.name}" for alias in node.names]
            for target in sorted({inner if inner in known else base for inner in named}):
                yield target, node.lineno


def _base(module: Module, node: ast.ImportFrom) -> str:
    """Give the absolute name of the module that a `from … import` names."""
    if node.level == 0:
        return node.module or ""
    parts = module.name.split(".")
    if module.path.name != "__init__.py":
        parts = parts[:-1]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


def tracked() -> Iterator[Path]:
    """Give every file that git tracks and that is there."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so there are no tracked files to read")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file():
            yield path
