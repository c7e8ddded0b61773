"""What an audit found: findings, counts, and one conclusion drawn from all of them.

A finding is either *false* (something is provably not as the log or a signature says) or
*open* (it cannot be decided from what is here). The audit never stops at the first; it
keeps a hundred and counts the rest. Knows no database and no key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

FINDINGS_KEPT: Final = 100

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told of the part ("entries", "messages", "refusals"), how far it is, and of how many (or 0)."""


class Conclusion(Enum):
    """What an audit comes to."""

    SOUND = "sound"
    FALSE = "false"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be: a stable code, where, and a sentence."""

    code: str
    place: str
    sentence: str
    open: bool = False  # cannot be decided; else it is provably wrong


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was read and compared."""

    entries: int = 0
    records: int = 0
    erased: int = 0
    tiles: int = 0
    documents: int = 0
    messages: int = 0
    texts: int = 0
    receipts_issued: int = 0
    receipts_held: int = 0
    refusals: int = 0
    checkpoints: int = 0  # of ours, cosigned
    witnessed: int = 0  # of peers, that we cosigned
    notices: int = 0
    timestamps: int = 0
    tokens: int = 0
    persons: int = 0
    waiting: int = 0
    standings: int = 0
    drafts: int = 0
    steps: int = 0  # on paper
    links: int = 0
    users: int = 0
    keys: int = 0  # by which people are known
    members: int = 0
    webhooks: int = 0


@dataclass(frozen=True, slots=True)
class ClosedLog:
    """A log that was closed: how much of it is here, and where it ended."""

    origin: str
    size: int
    end: int


@dataclass(frozen=True, slots=True)
class Report:
    """The whole outcome of one audit."""

    conclusion: Conclusion
    findings: tuple[Finding, ...]
    findings_total: int
    counts: Counts
    not_checked: tuple[str, ...]
    size: int | None
    root: str | None
    seconds: float
    closed: tuple[ClosedLog, ...] = ()


@dataclass(slots=True)
class Notes:
    """What is gathered while an audit runs."""

    findings: list[Finding] = field(default_factory=list)
    total: int = 0
    conclusion: Conclusion = Conclusion.SOUND
    counted: Counter[str] = field(default_factory=Counter)
    not_checked: list[str] = field(default_factory=list)
    closed: list[ClosedLog] = field(default_factory=list)

    def false(self, code: str, place: str, sentence: str) -> None:
        """Note something that is provably wrong."""
        self.conclusion = Conclusion.FALSE
        self._keep(Finding(code, place, sentence))

    def open(self, code: str, place: str, sentence: str) -> None:
        """Note something that cannot be decided from what is here."""
        if self.conclusion is Conclusion.SOUND:
            self.conclusion = Conclusion.UNDECIDED
        self._keep(Finding(code, place, sentence, open=True))

    def _keep(self, finding: Finding) -> None:
        self.total += 1
        if len(self.findings) < FINDINGS_KEPT:
            self.findings.append(finding)

    def count(self, what: str, more: int = 1) -> None:
        """Count something that was read."""
        self.counted[what] += more

    def report(self, *, size: int | None, root: bytes | None, seconds: float) -> Report:
        """Give the report."""
        return Report(
            self.conclusion, tuple(self.findings), self.total, Counts(**self.counted),
            tuple(self.not_checked), size, None if root is None else root.hex(), seconds,
            tuple(self.closed),
        )  # fmt: skip
