"""Erasures: each record that was destroyed is documented, and each documented one is gone.

Erasing a record and its salt is lawful, and leaves a log that verifies. What makes it so is
a later record that names the entries; an entry without its record that no such record
names was emptied by somebody who did not say so. Knows no row but positions.
"""

from __future__ import annotations

import re
from typing import Final

from node.audit.fsck.report import Notes

_ENTRIES: Final = re.compile(r"(0|[1-9][0-9]{0,17})(-([1-9][0-9]{0,17}))?")

_Runs = list[tuple[int, int]]  # first and last position of each, ascending where that matters


class Erasures:
    """Gathers what is gone and what is documented, in runs of positions of each log."""

    def __init__(self) -> None:
        """Begin with nothing erased."""
        self._gone: dict[int, _Runs] = {}
        self._told: dict[int, _Runs] = {}
        self.cases: dict[str, str] = {}  # of each erased case, where that is recorded

    def note_gone(self, log: int, position: int) -> None:
        """Note that an entry has no record; positions of one log come in their order."""
        runs = self._gone.setdefault(log, [])
        if runs and runs[-1][1] == position - 1:
            runs[-1] = runs[-1][0], position
        else:
            runs.append((position, position))

    def note_told(self, log: int, entries: str) -> bool:
        """Note what a record says was erased; False if that is not in its form."""
        runs: _Runs = []
        for part in entries.split(","):
            match = _ENTRIES.fullmatch(part)
            if match is None:
                return False
            first = int(match[1])
            last = int(match[3]) if match[3] else first
            if (match[3] and last <= first) or (runs and first <= runs[-1][1]):
                return False
            runs.append((first, last))
        self._told.setdefault(log, []).extend(runs)
        return True

    def is_told(self, log: int, position: int) -> bool:
        """Say whether a record documents the erasure of this entry."""
        return any(first <= position <= last for first, last in self._told.get(log, ()))

    def compare(self, sizes: dict[int, int], notes: Notes) -> None:
        """Compare both sides; `sizes` has the entries that each log holds."""
        for log in sorted({*self._gone, *self._told}):
            told, gone = _merged(self._told.get(log, [])), self._gone.get(log, [])
            for run in _without(gone, told):
                sentence = "The record is gone, and no record says that it was erased."
                notes.false("erasure-undocumented", _place(log, run), sentence)
            size = sizes.get(log, 0)
            held = [(first, min(last, size - 1)) for first, last in told if first < size]
            for run in _without(held, gone):
                sentence = "The log says that it was erased, and it is here."
                notes.false("erasure-undone", _place(log, run), sentence)


def _place(log: int, run: tuple[int, int]) -> str:
    first, last = run
    return f"log {log}, entr{f'y {first}' if first == last else f'ies {first} to {last}'}"


def _merged(runs: _Runs) -> _Runs:
    merged: _Runs = []
    for first, last in sorted(runs):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return merged


def _without(runs: _Runs, less: _Runs) -> _Runs:
    """Give the parts of ascending runs that no run of `less` (ascending, merged) covers."""
    left: _Runs = []
    at = 0
    for first, last in runs:
        begin = first
        while at < len(less) and less[at][1] < begin:
            at += 1
        index = at
        while begin <= last:
            if index == len(less) or less[index][0] > last:
                left.append((begin, last))
                break
            if less[index][0] > begin:
                left.append((begin, less[index][0] - 1))
            begin = less[index][1] + 1
            index += 1
    return left
