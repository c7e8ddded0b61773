"""How a row of the tables reads: a good request, one change, and what must be found.

    Row("no purpose", "MLA_EVIDENCE", {"items[0].purpose": GONE},
        "items[0].purpose missing", blocks("UNCAC 46(15)(f)"))

A change maps paths to new values, `GONE` takes a field away. `to` changes the declarations
of the requested authority, `languages` what it accepts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.requests import GONE

__all__ = ["GONE", "Answer", "Row", "blocks", "warns"]


@dataclass(frozen=True)
class Expected:
    """How severe a finding is, and the rule that it cites."""

    severity: str
    rule: str


def blocks(rule: str) -> Expected:
    """Expect a finding that keeps the request back."""
    return Expected("blocks", rule)


def warns(rule: str) -> Expected:
    """Expect a finding for a person to weigh."""
    return Expected("warns", rule)


@dataclass(frozen=True)
class Row:
    """One request: `found` is "FIELD CODE", or None where the change is none to speak of."""

    name: str
    kind: str
    change: dict[str, Any]
    found: str | None
    expected: Expected | None = None
    to: dict[str, Any] = field(default_factory=dict)
    languages: tuple[str, ...] = ("pt", "en")


@dataclass(frozen=True)
class Answer:
    """One event in a case: `facts` is what is known of the case."""

    name: str
    event: str
    body: dict[str, Any]
    found: str | None
    expected: Expected | None = None
    facts: dict[str, Any] = field(default_factory=dict)
