"""Read the law's files, the node's own and those of an authority's folder, into their forms.

Every way in which that can fail is a sentence for the person who wrote the file: which
file, which place in it, and what would be right. Nothing is joined or compared here.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from node.cases.law.files import (
    CodesFile,
    CoreFile,
    DefaultsFile,
    GlossaryFile,
    HolidaysFile,
    KindFile,
    LimitsFile,
    NarrowedFile,
    OffencesFile,
    SectionsFile,
)
from node.cases.law.model import Basis, Entry

_FILE_BYTES_MAX: Final = 1024 * 1024
_FILES_MAX: Final = 1_000
_PROBLEMS_MAX: Final = 20
_WITHOUT_END: Final = "has lists in lists without end; is it the right file?"

F = TypeVar("F", bound=Entry)


class LawError(Exception):
    """The law cannot be used; each problem is a sentence for whoever wrote the files."""

    def __init__(self, *problems: str) -> None:
        """Take sentences that name file and place, and say what would be right."""
        super().__init__("\n".join(problems))
        self.problems = problems


SINGLE: Final[Mapping[str, type[Entry]]] = {
    "sections.toml": SectionsFile,
    "codes.toml": CodesFile,
    "offences.toml": OffencesFile,
    "glossary.toml": GlossaryFile,
    "defaults.toml": DefaultsFile,
}
FOLDERS: Final[Mapping[str, type[Entry]]] = {
    "cores": CoreFile, "kinds": KindFile, "bases": Basis,
}  # fmt: skip
OF_AN_AUTHORITY: Final[Mapping[str, type[Entry]]] = {
    "codes.toml": CodesFile,
    "offences.toml": OffencesFile,
    "glossary.toml": GlossaryFile,
    "limits.toml": LimitsFile,
    "narrowed.toml": NarrowedFile,
    "holidays.toml": HolidaysFile,
}
FOLDERS_OF_AN_AUTHORITY: Final[Mapping[str, type[Entry]]] = {"kinds": KindFile, "bases": Basis}


@dataclass(slots=True)
class Folder:
    """What one folder holds, each file under its name as people see it (`kinds/X.toml`)."""

    whose: str
    files: dict[str, Entry] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def one(self, name: str, form: type[F]) -> F | None:
        """Give a single file, if it is there."""
        found = self.files.get(name)
        return found if isinstance(found, form) else None

    def all(self, form: type[F]) -> dict[str, F]:
        """Give all files of a form, by name."""
        return {name: one for name, one in self.files.items() if isinstance(one, form)}


def read_folder(
    folder: Path, singles: Mapping[str, type[Entry]], folders: Mapping[str, type[Entry]], whose: str
) -> Folder:
    """Read all TOML files of a folder; a file without a place in it is a problem too."""
    found = Folder(whose)
    try:
        paths = sorted(one for one in folder.rglob("*.toml") if not one.name.startswith("."))
    except OSError as fault:
        found.problems.append(f"{folder} cannot be read: {fault.strerror}.")
        return found
    if len(paths) > _FILES_MAX:
        found.problems.append(f"{folder} has more than {_FILES_MAX} files; is it the right one?")
        return found
    for path in paths:
        name = path.relative_to(folder).as_posix()
        form = folders.get(path.parent.name) if name.count("/") == 1 else singles.get(name)
        if form is None:
            known = [*singles, *(f"{one}/NAME.toml" for one in folders)]
            found.problems.append(
                f"{whose}{name} has no place there; files are {', '.join(known)}."
            )
            continue
        try:
            found.files[name] = _read(path, form)
        except _Unread as fault:
            found.problems += [f"{whose}{name}: {one}" for one in fault.problems]
    return found


class _Unread(Exception):
    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems


def _read(path: Path, form: type[F]) -> F:
    try:
        if not path.is_file():
            raise _Unread("is no file: a folder, a pipe or a device has nothing to say here.")
        with path.open("rb") as file:
            raw = file.read(_FILE_BYTES_MAX + 1)
    except OSError as fault:
        raise _Unread(f"cannot be read: {fault.strerror}.") from fault
    if len(raw) > _FILE_BYTES_MAX:
        raise _Unread(f"has more than {_FILE_BYTES_MAX} bytes; is it the right file?")
    try:
        tree = tomllib.loads(raw.decode())
    except UnicodeDecodeError:
        raise _Unread("is not text in UTF-8.") from None
    except tomllib.TOMLDecodeError as fault:
        raise _Unread(f"is not TOML: {fault}.") from None
    except ValueError:  # Python refuses to read one of thousands of digits
        raise _Unread("has a number that is too long; is it the right file?") from None
    except RecursionError:
        raise _Unread(_WITHOUT_END) from None
    # As JSON, since a strict model takes a tuple from a list only there; a day written
    # without quotation marks becomes the same text as one with them.
    try:
        return form.model_validate_json(json.dumps(tree, default=str))
    except RecursionError:
        raise _Unread(_WITHOUT_END) from None
    except ValidationError as fault:
        raise _Unread(*_sentences(tree, fault)) from None


def _sentences(tree: Mapping[str, Any], fault: ValidationError) -> list[str]:
    """Say what is wrong by place, with the code or name of the entry where it has one."""
    said = []
    for error in fault.errors(include_input=False, include_url=False, include_context=False):
        message = error["msg"].removeprefix("Value error, ").removesuffix(".")
        if error["type"] == "extra_forbidden":
            message = "there is no such key; look at its spelling, or take it out"
        elif error["type"] == "missing":
            message = "this key is missing"
        said.append(f"{_place(tree, error['loc'])}: {message[0].lower()}{message[1:]}.")
    return said[:_PROBLEMS_MAX]


def _place(tree: object, where: tuple[int | str, ...]) -> str:
    """Give a place as a lawyer finds it: `fields "nexus", why`, not `fields.3.why`."""
    words: list[str] = []
    for step in where:
        if isinstance(step, int):
            tree = tree[step] if isinstance(tree, list) and step < len(tree) else None
            named = tree if isinstance(tree, dict) else {}
            name = next((named[key] for key in ("name", "code", "id") if key in named), None)
            mark = f'"{name}"' if isinstance(name, str) else f"number {step + 1}"
            words[-1:] = [f"{words[-1]} {mark}"] if words else [mark]
        else:
            tree = tree.get(step) if isinstance(tree, dict) else None
            words.append(step)
    return ", ".join(words) or "the file"
