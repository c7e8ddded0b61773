"""Hold a folder against a manifest: for every item same, different, missing or extra.

The manifest was written by another authority and is only ever compared with what is on the
disk here: nothing in it is opened as a path. The folder is listed as it is, and the items
are looked up in that list, so no name can lead out of the root and no link is followed.
Only a file whose size is right is read. What could not be read is `undecided`: to call it
different would be an accusation, to call it the same a lie.

This module must not know who signed the manifest, nor what follows from a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from node.evidence.hashing import (
    WORKERS,
    Entry,
    EvidenceFault,
    Found,
    Kind,
    Progress,
    hash_each,
    survey,
)
from node.evidence.manifest import Item, Manifest
from node.evidence.paths import normalised, safe_path, shown
from protocol.errors import Rejected
from protocol.limits import MANIFEST_ITEMS_MAX

_EXTRA_MAX: Final = MANIFEST_ITEMS_MAX  # more than that is the wrong folder


class Verdict(StrEnum):
    """What was found for one path."""

    SAME = "same"
    DIFFERENT = "different"
    MISSING = "missing"
    EXTRA = "extra"
    UNDECIDED = "undecided"


class Conclusion(StrEnum):
    """What all verdicts together say."""

    SAME = "same"  # every item is there and the same, and there is nothing else
    EXTRA = "extra"  # every item is the same, but there are files that the manifest lacks
    UNDECIDED = "undecided"  # nothing is wrong so far, but something could not be read
    FALSE = "false"  # an item is different or missing


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on one path; `path` always prints, though an extra file may be named oddly."""

    path: str
    verdict: Verdict
    reason: str
    size_listed: int | None = None
    size_found: int | None = None


_IN_ITS_PLACE: Final = {
    Kind.FOLDER: "there is a folder in its place",
    Kind.TOO_DEEP: "there is a folder in its place",
    Kind.LINK: "there is a symbolic link in its place, which is not followed",
    Kind.SPECIAL: "there is a device, a socket or a pipe in its place",
}
_ALONE: Final = {
    Kind.LINK: "a symbolic link that the manifest does not list",
    Kind.SPECIAL: "a device, a socket or a pipe that the manifest does not list",
    Kind.UNREADABLE: "cannot be read, and the manifest does not list it",
    Kind.TOO_DEEP: "a folder deeper than any manifest reaches; nobody looked into it",
}


def compare(
    manifest: Manifest, root: Path, progress: Progress | None = None, *, workers: int = WORKERS
) -> tuple[Outcome, ...]:
    """Give a verdict for every item and for every other file under `root`, sorted by path.

    Raises `EvidenceFault` only if `root` itself is not usable; a root that is a file stands
    for a folder with that one file in it.
    """
    there, closed, outcomes = _list(frozenset(item.path for item in manifest.items), root)
    to_hash: list[tuple[Item, Found]] = []
    for item in manifest.items:
        entry = there.get(item.path)
        outcome = _without_reading(item, entry, closed)
        if outcome is not None:
            outcomes.append(outcome)
        elif entry is not None:
            to_hash.append((item, Found(item.path, root, entry.names, entry.size)))
    hashed = hash_each([found for _, found in to_hash], progress, workers=workers)
    outcomes += [
        _after_reading(item, result) for (item, _), result in zip(to_hash, hashed, strict=True)
    ]
    return tuple(sorted(outcomes, key=lambda outcome: (outcome.path, outcome.verdict)))


def tally(outcomes: Iterable[Outcome]) -> Mapping[Verdict, int]:
    """Count the outcomes by verdict; every verdict has a number."""
    counted = Counter(outcome.verdict for outcome in outcomes)
    return {verdict: counted[verdict] for verdict in Verdict}


def conclusion(outcomes: Iterable[Outcome]) -> Conclusion:
    """Say what the outcomes mean together; the worst one decides."""
    counts = tally(outcomes)
    if counts[Verdict.DIFFERENT] or counts[Verdict.MISSING]:
        return Conclusion.FALSE
    if counts[Verdict.UNDECIDED] or not counts[Verdict.SAME]:
        return Conclusion.UNDECIDED
    return Conclusion.EXTRA if counts[Verdict.EXTRA] else Conclusion.SAME


def _list(
    listed: frozenset[str], root: Path
) -> tuple[dict[str, Entry], frozenset[str], list[Outcome]]:
    """Give what stands at the listed paths, which folders are closed, and what is extra."""
    there: dict[str, Entry] = {}
    closed: set[str] = set()
    extra: list[Outcome] = []
    for entry in survey(root):
        if not entry.names and entry.kind is Kind.UNREADABLE:
            raise EvidenceFault("cannot be read", str(root))
        names = entry.names or (root.name,)
        path = normalised(names)
        if entry.kind is Kind.UNREADABLE:
            closed.add(path)
        if path not in listed:
            if entry.kind is not Kind.FOLDER:
                extra.append(_extra(path, entry))
        elif path not in there:
            there[path] = entry
        else:
            # Two names that are equal in NFC: the one spelled as listed is the item.
            second = path == "/".join(names)
            extra.append(_extra(path, there[path] if second else entry))
            there[path] = entry if second else there[path]
        if len(extra) > _EXTRA_MAX:
            raise EvidenceFault(f"more than {_EXTRA_MAX} files that the manifest does not list")
    return there, frozenset(closed), extra


def _extra(path: str, entry: Entry) -> Outcome:
    try:
        name = safe_path(path)
    except Rejected:
        name = shown(path)
    reason = _ALONE.get(entry.kind, "the manifest does not list it")
    size = entry.size if entry.kind is Kind.FILE else None
    return Outcome(name, Verdict.EXTRA, reason, size_found=size)


def _without_reading(item: Item, entry: Entry | None, closed: frozenset[str]) -> Outcome | None:
    """Give the verdict that needs no byte of the file, or None if it has to be read."""
    if entry is None:
        if closed and _is_under(item.path, closed):
            return _outcome(item, Verdict.UNDECIDED, "a folder above it cannot be read")
        return _outcome(item, Verdict.MISSING, "is not there")
    if entry.kind is Kind.UNREADABLE:
        return _outcome(item, Verdict.UNDECIDED, "cannot be read")
    if entry.kind is not Kind.FILE:
        return _outcome(item, Verdict.DIFFERENT, _IN_ITS_PLACE[entry.kind])
    if entry.size != item.size:
        return _outcome(item, Verdict.DIFFERENT, "has another size", entry.size)
    return None


def _after_reading(item: Item, result: tuple[int, str] | EvidenceFault | None) -> Outcome:
    if not isinstance(result, tuple):
        reason = "was not reached" if result is None else result.reason
        return _outcome(item, Verdict.UNDECIDED, reason)
    size, digest = result
    if (size, digest) == (item.size, item.sha256):
        return _outcome(item, Verdict.SAME, "has the listed size and SHA-256", size)
    reason = "has another SHA-256" if size == item.size else "has another size"
    return _outcome(item, Verdict.DIFFERENT, reason, size)


def _outcome(item: Item, verdict: Verdict, reason: str, found: int | None = None) -> Outcome:
    return Outcome(item.path, verdict, reason, size_listed=item.size, size_found=found)


def _is_under(path: str, folders: frozenset[str]) -> bool:
    """Say whether one of the folders stands above `path`."""
    while "/" in path:
        path = path.rpartition("/")[0]
        if path in folders:
            return True
    return False
