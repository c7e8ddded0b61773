"""What the requested authority wants, from its own signed listing.

    Wanted.of(listing)      languages, channels and declarations as the authority signed them

The languages and channels of a listing have their form; its declarations are an open object,
in which these names are read and all others left alone:

    country               the State's code (ISO 3166-1)
    accepts_electronic    true, or false: a paper original is wanted too
    legal_channels        codes of channels that are accepted, such as ["DIPLOMATIC"]
    minimum_value         {"amount": "5000.00", "currency": "XTS"}: less is not worth a request
    evidence_standard     a few words, such as "prima facie case for coercive measures"
    uncac_44_6            "yes", "no" or "undeclared": the Convention as a basis of extradition
    dual_criminality      "always", "coercive" (the usual) or "not required"
    extradites_nationals  true or false

A declaration in another form says nothing. This module weighs nothing and knows no request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from node.cases.completeness.iso import COUNTRIES, CURRENCIES
from node.cases.completeness.shapes import AMOUNT
from protocol.listing import Listing

Basis44 = Literal["yes", "no", "undeclared"]
DualCriminality = Literal["always", "coercive", "not required"]

_BASIS_44: Final[Mapping[str, Basis44]] = {"yes": "yes", "no": "no", "undeclared": "undeclared"}
_DUAL: Final[Mapping[str, DualCriminality]] = {
    "always": "always", "coercive": "coercive", "not required": "not required",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an authority wants of requests to it; what it does not say is None or empty."""

    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    country: str | None = None
    accepts_electronic: bool | None = None
    minimum_value: tuple[Decimal, str] | None = None
    evidence_standard: str | None = field(default=None, repr=False)
    uncac_44_6: Basis44 | None = None
    dual_criminality: DualCriminality | None = None
    extradites_nationals: bool | None = None

    @classmethod
    def of(cls, listing: Listing) -> Wanted:
        """Read what a listing says."""
        return cls.declared(listing.languages, listing.declarations)

    @classmethod
    def declared(cls, languages: tuple[str, ...], says: Mapping[str, object]) -> Wanted:
        """Read declarations, which may hold anything."""
        country = _text(says, "country")
        channels = says.get("legal_channels")
        listed = channels if isinstance(channels, (list, tuple)) else ()
        return cls(
            languages=languages,
            channels=tuple(one for one in listed if isinstance(one, str)),
            country=country if country in COUNTRIES else None,
            accepts_electronic=_yes_no(says, "accepts_electronic"),
            minimum_value=_amount(says.get("minimum_value")),
            evidence_standard=_text(says, "evidence_standard") or None,
            uncac_44_6=_BASIS_44.get(_text(says, "uncac_44_6")),
            dual_criminality=_DUAL.get(_text(says, "dual_criminality")),
            extradites_nationals=_yes_no(says, "extradites_nationals"),
        )


NOTHING_KNOWN: Final = Wanted()
"""For an authority without a listing: one outside the network, or not yet heard of."""


def _text(says: Mapping[str, object], name: str) -> str:
    value = says.get(name)
    return value if isinstance(value, str) else ""


def _yes_no(says: Mapping[str, object], name: str) -> bool | None:
    value = says.get(name)
    return value if isinstance(value, bool) else None


def _amount(value: object) -> tuple[Decimal, str] | None:
    read = amount_of(value)
    return read if read is not None and read[0] > 0 else None


def amount_of(value: object) -> tuple[Decimal, str] | None:
    """Give an amount as a number and its currency, if it is one."""
    if not isinstance(value, Mapping):
        return None
    text, currency = value.get("amount"), value.get("currency")
    if not isinstance(text, str) or not isinstance(currency, str) or currency not in CURRENCIES:
        return None
    return (Decimal(text), currency) if AMOUNT.fullmatch(text) else None
