"""What a check found: each missing or doubtful field, with the rule that it comes from.

    Finding("items[2].purpose", "blocks", "UNCAC 46(15)(f)", "The purpose is missing …", "missing")

`blocks` is for what the law makes mandatory; all else warns, because a person decides. A
sentence says what to do next and never quotes what was typed: findings reach places where
the text of a request must not. Knows no law and no body.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from protocol.encoding import Json

Severity = Literal["blocks", "warns"]

PRACTICE: Final = "practice"
PRODUCT_DEFAULT: Final = "product default"
FINDINGS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One missing or doubtful field.

    `field` is its dotted path, with the number of an item counted from 0; `rule` a citation,
    "practice" or "product default"; `code` a word that stays the same when sentences change.
    `unreviewed`: no lawyer has confirmed the rule.
    """

    field: str
    severity: Severity
    rule: str
    sentence: str
    code: str
    unreviewed: bool = False

    def to_json(self) -> dict[str, Json]:
        """Give the finding as verbs return it."""
        return {
            "field": self.field,
            "severity": self.severity,
            "rule": self.rule,
            "sentence": self.sentence,
            "code": self.code,
            "unreviewed": self.unreviewed,
        }


Note = Callable[[Finding], None]
"""Where the parts of a check put what they find."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found, what blocks first and otherwise in the order of the form."""

    findings: tuple[Finding, ...]

    @property
    def may_be_sent(self) -> bool:
        """Whether nothing blocks; a warning is for a person to weigh."""
        return not any(one.severity == "blocks" for one in self.findings)

    def to_json(self) -> dict[str, Json]:
        """Give the report as verbs return it."""
        blocking = sum(one.severity == "blocks" for one in self.findings)
        return {
            "schema": "comity.check/1",
            "may_be_sent": blocking == 0,
            "blocks": blocking,
            "warns": len(self.findings) - blocking,
            "findings": [one.to_json() for one in self.findings],
        }


def report(findings: Iterable[Finding]) -> Report:
    """Make a report: one finding for one fault of one field, and not without end.

    A body may hold a thousand faulty items. What blocks is never left out for what warns.
    """
    once: dict[tuple[str, str], Finding] = {}
    for one in findings:
        known = once.setdefault((one.field, one.code), one)
        if known.severity == "warns" and one.severity == "blocks":
            once[one.field, one.code] = one
    ordered = sorted(once.values(), key=lambda one: one.severity == "warns")
    return Report(tuple(ordered[:FINDINGS_MAX]))


def leniently(whole: Report, under: str) -> Report:
    """Give the report on a draft that is sent for comment: nothing blocks it yet."""
    return Report(
        tuple(
            dataclasses.replace(one, field=f"{under}.{one.field}", severity="warns")
            for one in whole.findings
        )
    )
