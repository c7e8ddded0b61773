"""Make the law from its files: the node's own beside this module, and an authority's.

    law = load_law(settings.folder / "law")     # or load_law() for what the node brings alone
    law.kinds["MLA_BANK_RECORDS"].fields

An authority's folder adds kinds, bases, offences, codes, terms, limits and holidays, and
may ask for more in the kinds that are there. What does not fit together is refused whole,
with a sentence for each problem. Nothing here knows a case.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from node.cases.law import checks
from node.cases.law.files import CoreFile, DefaultsFile, SectionsFile
from node.cases.law.joined import Joined
from node.cases.law.model import Law
from node.cases.law.own import join_own
from node.cases.law.read import (
    FOLDERS,
    FOLDERS_OF_AN_AUTHORITY,
    OF_AN_AUTHORITY,
    SINGLE,
    LawError,
    read_folder,
)

BUILT_IN: Final = Path(__file__).parent
"""Where the files lie that the node brings."""


def load_law(extension: Path | None = None) -> Law:
    """Give the law, with an authority's folder if there is one; raises `LawError`.

    What was read once stays as it is until the process ends: a node that runs does not see
    half of what somebody is writing.
    """
    return _built_in() if extension is None else _extended(extension)


_FOLDERS_KEPT: Final = 8


@lru_cache(_FOLDERS_KEPT)
def _extended(extension: Path) -> Law:
    return read_law(extension)


def read_law(extension: Path) -> Law:
    """Read an authority's folder anew, whatever was read before; raises `LawError`."""
    if not extension.is_dir():
        raise LawError(f"{extension} is no folder; [law] folder says where the authority's law is.")
    joined = _brought()
    own = read_folder(extension, OF_AN_AUTHORITY, FOLDERS_OF_AN_AUTHORITY, f"{extension.name}/")
    join_own(joined, own)
    return _checked(joined)


@cache
def _built_in() -> Law:
    return _checked(_brought())


def _brought() -> Joined:
    """Join what the node brings."""
    joined = Joined()
    found = read_folder(BUILT_IN, SINGLE, FOLDERS, "")
    joined.problems += [f"{name} is missing." for name in SINGLE if name not in found.files]
    sections = found.one("sections.toml", SectionsFile)
    joined.sections = {one.id: one.title for one in sections.sections} if sections else {}
    defaults = found.one("defaults.toml", DefaultsFile)
    joined.defaults = dict(defaults.limits.items()) if defaults else {}
    joined.cores = {Path(name).stem: one for name, one in found.all(CoreFile).items()}
    joined.take(found)
    return joined


def _checked(joined: Joined) -> Law:
    problems = joined.problems or list(checks.problems(joined))
    if problems:
        raise LawError(*dict.fromkeys(problems))
    return joined.law()
