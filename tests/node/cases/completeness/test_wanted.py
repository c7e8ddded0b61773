"""What an authority wants, read from its listing, whatever its declarations hold."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cases.completeness import iso
from node.cases.completeness.wanted import NOTHING_KNOWN, Wanted
from tests.node.cases.completeness.test_request import JSON
from tests.support.requests import WANTED

NAMES = (
    "country", "accepts_electronic", "legal_channels", "minimum_value", "evidence_standard",
    "uncac_44_6", "dual_criminality", "extradites_nationals",
)  # fmt: skip


def test_declarations_are_read_by_their_names() -> None:
    """What Marazul declares is what a check knows of it."""
    known = Wanted.declared(WANTED["languages"], {**WANTED["declarations"], "motto": "Pax"})
    assert known.languages == ("pt", "en")
    assert (known.country, known.accepts_electronic, known.uncac_44_6) == ("QP", True, "yes")
    assert known.minimum_value == (Decimal("5000.00"), "XTS")
    assert known.extradites_nationals is False


@pytest.mark.parametrize(
    "declared",
    [
        {"country": "Marazul"},
        {"accepts_electronic": "yes"},
        {"legal_channels": "DIPLOMATIC"},
        {"minimum_value": {"amount": "-1", "currency": "XTS"}},
        {"minimum_value": {"amount": "0", "currency": "XTS"}},
        {"minimum_value": {"amount": "1e9", "currency": "XTS"}},
        {"minimum_value": {"amount": "5", "currency": "Taler"}},
        {"uncac_44_6": True},
        {"dual_criminality": "sometimes"},
    ],
)
def test_a_declaration_in_another_form_says_nothing(declared: dict[str, object]) -> None:
    """It is neither believed nor guessed at."""
    assert Wanted.declared((), declared) == NOTHING_KNOWN


@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_any_declarations_are_read(declared: dict[str, object]) -> None:
    """Nothing raises, whatever an authority signed."""
    assert Wanted.declared(("en",), declared).languages == ("en",)


@pytest.mark.parametrize("iban", ["GB82WEST12345698765432", "DE89 3704 0044 0532 0130 00"])
def test_an_iban_is_known_by_its_check_digits(iban: str) -> None:
    """Any single digit that changes is noticed, and so are two that change places."""
    assert iso.iban_fault(iban) is None
    for place, one in enumerate(iban):
        if one.isdigit():
            other = f"{iban[:place]}{(int(one) + 1) % 10}{iban[place + 1 :]}"
            assert iso.iban_fault(other) == "iban-check-digits"
    assert iso.iban_fault("QP00-DEMO-0001") == "iban-form"


def test_codes_have_the_size_of_their_standards() -> None:
    """ISO 3166-1 has 249 codes; 14 that users may assign are taken too. Demo money is known."""
    assert len(iso.COUNTRIES) == 249 + 14
    assert all(len(one) == 3 and one.isupper() for one in iso.CURRENCIES)
    assert (iso.CURRENCIES["XTS"], iso.CURRENCIES["JPY"], iso.CURRENCIES["KWD"]) == (2, 0, 3)


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hans", "sr-Latn-RS", "es-419", "sw"])
def test_languages_have_the_form_of_bcp_47(tag: str) -> None:
    """Language, and perhaps script and region."""
    assert iso.LANGUAGE.fullmatch(tag)
    assert not iso.LANGUAGE.fullmatch(tag.upper())
    assert iso.same_language(tag, tag.partition("-")[0])
