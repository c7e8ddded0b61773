"""What lies in the checkout beside the code: documents, lock files, folders."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement

from tests.support.source import PACKAGES, ROOT, tracked

ALL = (*PACKAGES, "tests")

TEXT = frozenset({
    ".py", ".md", ".toml", ".txt", ".sh", ".js", ".mjs", ".json", ".ini", ".mako", ".cfg", ".yml",
    ".yaml", ".service", ".html", ".css", "",
})  # fmt: skip


def texts() -> Iterator[tuple[str, list[str]]]:
    """Give path and lines of every text file that git tracks."""
    for path in tracked():
        if path.suffix in TEXT and not path.is_symlink():
            yield path.relative_to(ROOT).as_posix(), path.read_text(errors="replace").splitlines()


def test_nothing_is_left_to_do_in_a_comment() -> None:
    """What is missing is an issue; what is wrong is mended."""
    marks = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "X" * 3 + r"\b", "HA" + "CK")))
    found = [
        f"{where}:{number}"
        for where, lines in texts()
        if not where.endswith((".json", ".txt", "LICENSE"))
        for number, line in enumerate(lines, 1)
        if marks.search(line)
    ]
    assert found == []


def test_no_tracked_file_names_a_folder_of_one_machine() -> None:
    """What works only here does not work."""
    roots = "|".join(("wo" + "rk", "fa" + "rm", "Us" + "ers", "ho" + "me"))
    pattern = re.compile(rf"(^|[^A-Za-z0-9_.])/({roots})/[a-z.]")
    found = [
        f"{where}:{number}"
        for where, lines in texts()
        for number, line in enumerate(lines, 1)
        if pattern.search(line)
    ]
    assert found == []


LOCKS = ("requirements.txt", "constraints.txt")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_registry(name: str) -> None:
    """Where packages come from is the choice of whoever installs."""
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


def test_every_file_of_production_is_locked_by_its_hash() -> None:
    """`pip install --require-hashes` has a hash for each."""
    text = (ROOT / "requirements.txt").read_text().replace("\\\n", " ")
    pinned = [line for line in text.splitlines() if "==" in line]
    assert pinned
    assert [line for line in pinned if "--hash=sha256:" not in line] == []


def test_no_package_of_production_is_locked_by_its_source_alone() -> None:
    """Building one would fetch tools that no hash fixes; wheels come beside the source."""
    text = (ROOT / "requirements.txt").read_text().replace("\\\n", " ")
    counts = {line.split("==")[0]: line.count("--hash=") for line in text.splitlines()}
    assert [name for name, count in counts.items() if count == 1] == []


def pins(name: str) -> dict[str, str]:
    """Give the versions that a lock file fixes, by package."""
    found = re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", (ROOT / name).read_text(), re.MULTILINE)
    return dict(found)


def test_the_lock_files_satisfy_the_project() -> None:
    """Each dependency is pinned in both files, to one version that the project allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    production, development = pins(LOCKS[0]), pins(LOCKS[1])
    for text in project["dependencies"]:
        wanted = Requirement(text)
        assert production.get(wanted.name) == development.get(wanted.name)
        assert wanted.specifier.contains(production[wanted.name])
    for text in project["optional-dependencies"]["test"]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(development[wanted.name])


def test_a_javascript_lock_names_no_registry() -> None:
    """The same for npm: no package is tied to the address it once came from."""
    found = [
        path.relative_to(ROOT).as_posix()
        for path in tracked()
        if path.name == "package-lock.json" and '"resolved"' in path.read_text()
    ]
    assert found == []


def test_the_changelog_keeps_its_form() -> None:
    """Keep a Changelog: Unreleased first, known headings, versions in falling order."""
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    assert lines[0] == "# Changelog"
    versions = [line for line in lines if line.startswith("## ")]
    assert versions[0] == "## [Unreleased]"
    released = [
        re.fullmatch(r"## \[(\d+)\.(\d+)\.(\d+)\] - \d{4}-\d\d-\d\d", v) for v in versions[1:]
    ]
    assert all(released)
    numbers = [tuple(map(int, match.groups())) for match in released if match]
    assert numbers == sorted(set(numbers), reverse=True)
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {line[4:] for line in lines if line.startswith("### ")} <= kinds


def test_every_link_between_documents_leads_somewhere() -> None:
    """A relative link in a tracked Markdown file names a file that exists."""
    broken = []
    for path in tracked():
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text()):
            where = path.relative_to(ROOT).as_posix()
            broken += [] if (path.parent / target).exists() else [f"{where}: {target}"]
    assert broken == []


def test_every_test_folder_is_a_package() -> None:
    """Importlib mode finds modules by package, so every folder has its `__init__.py`."""
    bare = {
        path.parent.relative_to(ROOT).as_posix()
        for package in ALL
        for path in (ROOT / package).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert bare == set()


def test_the_licence_is_the_one_that_the_project_names() -> None:
    """Apache-2.0, in whole."""
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
