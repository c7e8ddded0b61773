"""What an authority's own folder may add to the law, and what it may not do.

It adds; it asks for more in kinds that are there; it sets limits where a basis is silent,
or where the authority has agreed on others. It never takes a field or a rule away.
This module does not check what it joined: `node.cases.law.checks` looks at the whole.
"""

from __future__ import annotations

from typing import Final

from node.cases.law.files import (
    CodesFile,
    HolidaysFile,
    KindFile,
    LimitsFile,
    Narrowed,
    NarrowedFile,
    OwnLimit,
)
from node.cases.law.joined import Joined
from node.cases.law.model import STRICTNESS, Limit
from node.cases.law.read import Folder

_FIXED: Final = frozenset({"forbidden_refusal_ground", "transmission_effect"})


def join_own(joined: Joined, found: Folder) -> None:
    """Join an authority's folder; what it may not do becomes a problem."""
    whose = found.whose
    for name, kind in found.all(KindFile).items():
        if not kind.code.startswith("X_"):
            joined.problems.append(
                f"{whose}{name}: the code of a kind of your own begins with X_, as X_{kind.code}."
            )
        if kind.formal and kind.grounds == "mla" and not kind.assistance:
            joined.problems.append(
                f"{whose}{name}: a formal kind of your own says which assistance it asks for; "
                "`comity law kind MLA_EVIDENCE` shows an example."
            )
    for name, codes in found.all(CodesFile).items():
        joined.problems += [
            f"{whose}{name}: {one} is the same everywhere; take it out of this file."
            for one in sorted(_FIXED & set(codes.vocabularies))
        ]
    joined.take(found)
    narrowed = found.one("narrowed.toml", NarrowedFile)
    for change in narrowed.fields if narrowed else ():
        _narrow(joined, change, f"{whose}narrowed.toml")
    limits = found.one("limits.toml", LimitsFile)
    for limit in limits.limits if limits else ():
        _limit(joined, limit, f"{whose}limits.toml")
    holidays = found.one("holidays.toml", HolidaysFile)
    joined.holidays = dict(holidays.countries) if holidays else {}


def _narrow(joined: Joined, change: Narrowed, where: str) -> None:
    kind = joined.kinds.get(change.kind)
    rule = kind.field(change.name) if kind else None
    if kind is None or rule is None:
        joined.problems.append(
            f'{where}: {change.kind} has no field "{change.name}"; `comity law kind CODE` shows '
            "which it has."
        )
        return
    if STRICTNESS[change.need] < STRICTNESS[rule.need]:
        joined.problems.append(
            f'{where}: "{change.name}" of {change.kind} is {rule.need} ({rule.rule}) and cannot '
            f"become {change.need}; a folder of your own may only ask for more."
        )
        return
    if (change.need == "conditional") is (change.when is None):
        joined.problems.append(
            f'{where}: "{change.name}" has "when" if, and only if, its need is conditional.'
        )
        return
    stricter = rule.model_copy(
        update={
            "need": change.need, "rule": change.rule, "why": change.why, "when": change.when,
        }
    )  # fmt: skip
    fields = tuple(stricter if one is rule else one for one in kind.fields)
    joined.kinds[kind.code] = kind.model_copy(update={"fields": fields})


def _limit(joined: Joined, own: OwnLimit, where: str) -> None:
    limit = Limit(**{name: getattr(own, name) for name in Limit.model_fields})
    if own.basis is None:
        if own.clock == "provisional_arrest":
            joined.problems.append(
                f"{where}: provisional_arrest has no limit for all; name the basis that sets it."
            )
        joined.defaults[own.clock] = limit
        return
    basis = joined.bases.get(own.basis)
    if basis is None:
        joined.problems.append(
            f"{where}: no basis is called {own.basis}; `comity law bases` shows those there are."
        )
        return
    limits = {**basis.limits, own.clock: limit}
    joined.bases[basis.code] = basis.model_copy(update={"limits": limits})
