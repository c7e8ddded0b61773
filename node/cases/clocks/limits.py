"""Which limit a clock has: what the case's legal basis says, else the product's default.

A limit comes out with the sentence that is stored beside the due date, so that whoever is
warned sees who says so. What has no limit has no clock: provisional arrest without one in
its profile runs by what the measure itself says. Knows no rows and no states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast

from node.cases.law import Clock, Law, Limit

FAST: Final = frozenset({"URGENT", "EMERGENCY"})
_PROVISIONAL: Final = frozenset({"FREEZING", "PRESERVATION", "PROVISIONAL_ARREST"})
_OF_LAW: Final = frozenset({
    "delivery", "acknowledgement", "decision", "execution", "information", "consultation",
    "oral_confirmation", "safe_conduct", "second_person", "status_reply", "provisional_arrest",
})  # fmt: skip


def _default(count: int) -> Limit:
    return Limit(count=count, unit="days", product_default=True)


PRODUCT: Final[Mapping[str, Limit]] = MappingProxyType({
    "confirmation": _default(30),
    "withdrawal": _default(7),
    "closing": _default(30),
    "consent": _default(30),
    "answer": _default(30),
    "offer": _default(7),
    "release": _default(7),
    "extension": _default(7),
})  # fmt: skip
"""Limits of steps for which the law's files have no clock: somebody is waited for all the same."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What of a case decides about its limits: codes, as the request says them."""

    kind: str
    basis: str | None = None
    urgency: str | None = None


def limit_of(law: Law, terms: Terms, name: str) -> Limit | None:
    """Give the limit of a clock in such a case."""
    if name in PRODUCT:
        return PRODUCT[name]
    if name not in _OF_LAW:
        return None
    for one in (*_faster(name, terms), name):
        limit = law.limit(terms.basis, cast("Clock", one))  # all of `_OF_LAW`, or faster
        if limit is not None:
            return limit
    return None


def _faster(name: str, terms: Terms) -> tuple[str, ...]:
    """Name the limits that come before the plain one where a case presses."""
    if name == "acknowledgement" and terms.urgency == "EMERGENCY":
        return ("acknowledgement_emergency", "acknowledgement_urgent")
    if name in {"acknowledgement", "delivery"} and terms.urgency in FAST:
        return (f"{name}_urgent",)
    if name == "decision" and terms.kind in _PROVISIONAL:
        return ("provisional_measure",)
    return ()


def warnings_of(law: Law, basis: str | None) -> tuple[float, ...]:
    """Give after which parts of its time a measure that lapses is warned of."""
    whole, some = law.limit(basis, "preservation"), law.limit(basis, "preservation_warnings")
    if whole is None or some is None or whole.unit != some.unit:
        return (0.75,)
    return tuple(sorted(one / whole.count for one in (some.count, *some.also)))


def said(limit: Limit) -> str:
    """Say a limit with its source, as it is stored beside a due date."""
    unit = limit.unit.replace("_", " ")
    time = f"{limit.count} {unit.removesuffix('s') if limit.count == 1 else unit}"
    source = "product default" if limit.product_default else limit.source
    mark = "" if limit.confidence == "high" or limit.product_default else ", unreviewed"
    return f"{time} ({source}{mark})"
