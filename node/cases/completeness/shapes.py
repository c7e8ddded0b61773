"""Whether a value has the form that its field's type wants.

    for fault in faults("amount", value, vocabulary): …

A fault is hard if nobody could work with the value (a date that is none, a code outside its
vocabulary) and soft if it is only doubtful. Sentences say what the form is and never quote
the value. This module knows types, no fields and no law; codes come from its caller.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from node.cases.completeness import iso
from node.cases.completeness.characters import TEXT_CHARS_MAX, is_blank
from node.cases.completeness.places import is_empty, is_list, members
from protocol.lifecycle_guards import number_of

AMOUNT: Final = re.compile(r"(0|[1-9][0-9]{0,17})(\.([0-9]{1,4}))?", re.ASCII)
"""An amount of money as text: digits, and a point before at most four places."""

_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PLACES_MAX: Final = 4
_SECONDS_MAX: Final = 253_402_300_799  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a value, or with a part of it (`at`: `.currency`, `[2].title`)."""

    code: str
    sentence: str
    at: str = ""
    hard: bool = True
    of_whole: bool = False  # found by comparing parts: no rule of a part says it


Faults = Iterator[Fault]
Codes = Container[str]


def faults(kind: str, value: object, codes: Codes = ()) -> Faults:
    """Give what is wrong with a value of a type; a type nobody knows wants nothing."""
    if kind.startswith("code:"):
        yield from _code(value, codes)
    elif kind.startswith("codes:"):
        yield from _codes(value, codes)
    elif kind in _TYPES:
        yield from _TYPES[kind](value)


def moment(value: object) -> int | None:
    """Give the time that a date or time means, in Unix seconds (a date: its last second)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value <= _SECONDS_MAX else None
    if not isinstance(value, str):
        return None
    try:
        if _DAY.fullmatch(value):
            day = dt.date.fromisoformat(value)
            end = dt.datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=dt.UTC)
            return int(end.timestamp())
        if _MOMENT.fullmatch(value):
            return int(dt.datetime.fromisoformat(value).timestamp())
    except (ValueError, OverflowError):
        return None
    return None


# --- texts, numbers and codes ----------------------------------------------------------------


def _text(value: object) -> Faults:
    if not isinstance(value, str):
        yield Fault("not-text", "This is not text: write it as text.")
    elif len(value) > TEXT_CHARS_MAX:
        yield Fault(
            "long-text",
            "The text is very long for this field and is kept whole: move what belongs elsewhere, "
            "such as the facts, to its own field.",
            hard=False,
        )


def _long_text(value: object) -> Faults:
    if not isinstance(value, str):
        yield Fault("not-text", "This is not text: write it as text.")


def _texts(value: object) -> Faults:
    if not is_list(value):
        yield Fault("not-a-list", "This is not a list: give a list of texts, even for one.")
        return
    for number, one in enumerate(value):
        if not isinstance(one, str) or is_blank(one):
            sentence = "An entry of the list is not text or is empty: write it, or take it out."
            yield Fault("not-text", sentence, f"[{number}]")


def _yes_no(value: object) -> Faults:
    if not isinstance(value, bool):
        yield Fault("not-yes-or-no", "This is neither yes nor no: choose one (true or false).")


def _number(value: object) -> Faults:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        yield Fault("not-a-number", "This is not a whole number of 0 or more: write it in digits.")


def _item_no(value: object) -> Faults:
    """Check the number of an item, in the form by which both sides compare numbers."""
    if not isinstance(value, (int, str)) or number_of(value) is None:
        sentence = "This is no number of an item: write a number, or at most 16 letters and digits."
        yield Fault("not-a-number", sentence)


def _item_name(value: object) -> Faults:
    """Check what names an item of evidence: its path, or its number."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        yield Fault("not-a-number", "Name the item by its path or its number.")


def _item_names(value: object) -> Faults:
    yield from _each(value, _item_name)


def _seconds(value: object) -> Faults:
    """Check a time that the life cycle counts with; it reads no dates."""
    if isinstance(value, str) or moment(value) is None:
        yield Fault("not-a-time", "This is not a time in Unix seconds: give the moment as such.")


def _code(value: object, codes: Codes) -> Faults:
    if not isinstance(value, str) or value not in codes:
        yield Fault("unknown-code", "This code is not in its vocabulary: choose one from the list.")


def _codes(value: object, codes: Codes) -> Faults:
    if not is_list(value):
        yield Fault("not-a-list", "This is not a list: give a list of codes, even for one.")
        return
    for number, one in enumerate(value):
        for fault in _code(one, codes):
            yield Fault(fault.code, fault.sentence, f"[{number}]")


def _date(value: object) -> Faults:
    if moment(value) is None or (isinstance(value, str) and _DAY.fullmatch(value) is None):
        yield Fault("not-a-date", "This is not a date: write year, month and day, 2026-03-31.")


def _time(value: object) -> Faults:
    if moment(value) is None or (isinstance(value, str) and _MOMENT.fullmatch(value) is None):
        yield Fault(
            "not-a-time",
            "This is not a time: give date, time and zone (2026-03-31T14:30Z) or Unix seconds.",
        )


def _country(value: object) -> Faults:
    if not isinstance(value, str) or value not in iso.COUNTRIES:
        yield Fault("not-a-country", "This is not a State's code of two letters (ISO 3166-1).")


def _countries(value: object) -> Faults:
    for one in members(value) if is_list(value) else (value,):
        yield from _country(one)


def _language(value: object) -> Faults:
    if not isinstance(value, str) or iso.LANGUAGE.fullmatch(value) is None:
        yield Fault("not-a-language", "This is not a language's tag (BCP 47), such as fr or pt-BR.")


def _languages(value: object) -> Faults:
    for one in members(value) if is_list(value) else (value,):
        yield from _language(one)


def _currency(value: object) -> Faults:
    if not isinstance(value, str) or value not in iso.CURRENCIES:
        yield Fault("not-a-currency", "This is not a currency's code of three letters (ISO 4217).")


def _digest(value: object) -> Faults:
    if not isinstance(value, str) or iso.DIGEST.fullmatch(value) is None:
        yield Fault("not-a-digest", "This is not a SHA-256 digest: 64 digits 0-9 and a-f.")


def _email(value: object) -> Faults:
    if not isinstance(value, str) or iso.EMAIL.fullmatch(value) is None:
        yield Fault("not-an-address", "This is not an e-mail address: check it.", hard=False)


def _iban(value: object) -> Faults:
    fault = iso.iban_fault(value) if isinstance(value, str) else "iban-form"
    if fault is not None:
        yield Fault(
            fault,
            "This is no valid IBAN (ISO 13616): compare it with the source; another form of "
            "account number goes into the field for account numbers.",
            hard=False,
        )


def _bic(value: object) -> Faults:
    if not isinstance(value, str) or iso.BIC.fullmatch(value) is None:
        yield Fault(
            "not-a-bic", "This is no BIC (ISO 9362): 8 or 11 letters and digits.", hard=False
        )


# --- compound values -------------------------------------------------------------------------


def _amount(value: object) -> Faults:
    """Check an amount with its currency, or a bare one whose currency is a field beside it."""
    if isinstance(value, str) and AMOUNT.fullmatch(value):
        return
    if not isinstance(value, Mapping):
        sentence = "This is not an amount: write digits and a point, as text, such as 1250.00."
        yield Fault("not-an-amount", sentence)
        return
    currency, number = value.get("currency"), value.get("amount")
    yield from _part("currency", currency, _currency)
    if not isinstance(number, str) or AMOUNT.fullmatch(number) is None:
        sentence = "This is not an amount: write digits and a point, as text, such as 1250.00."
        yield Fault("not-an-amount", sentence, ".amount")
    fault = places_fault(number, currency)
    if fault is not None:
        yield dataclasses.replace(fault, at=".amount")


def places_fault(number: object, currency: object) -> Fault | None:
    """Say that an amount has more decimal places than its currency, if both are in their form."""
    match = AMOUNT.fullmatch(number) if isinstance(number, str) else None
    if match is None or not isinstance(currency, str):
        return None
    if len(match[3] or "") <= iso.CURRENCIES.get(currency, _PLACES_MAX):
        return None
    return Fault(
        "too-many-places",
        "The amount has more decimal places than its currency (ISO 4217): correct one of them.",
    )


def _part(key: str, value: object, check: Callable[[object], Faults]) -> Faults:
    for fault in check(value):
        yield dataclasses.replace(fault, at=f".{key}{fault.at}")


PARTS: Final[Mapping[str, Callable[[object], Faults]]] = {
    "country": _country, "nationality": _countries, "nationalities": _countries,
    "birth_date": _date, "born": _date, "language": _language, "languages": _languages,
    "email": _email, "sha256": _digest, "iban": _iban, "bic": _bic,
}  # fmt: skip
"""Members of compound values that have one form wherever they stand."""


def _parts(value: Mapping[str, object]) -> Faults:
    for key, check in PARTS.items():
        if not is_empty(value.get(key)):
            yield from _part(key, value[key], check)


def _authority(value: object) -> Faults:
    if not isinstance(value, Mapping):
        yield Fault("not-an-object", "Name and particulars of the authority belong here.")
        return
    if is_empty(value.get("name")):
        yield Fault("missing", "The authority's name is missing: write it.", ".name")
    yield from _parts(value)


def _person(value: object) -> Faults:
    if not isinstance(value, Mapping):
        yield Fault("not-an-object", "Name and particulars of the person belong here.")
        return
    if is_empty(value.get("name")) and is_empty(value.get("pseudonym")):
        sentence = "The person has no name: write it, or the pseudonym of a protected person."
        yield Fault("missing", sentence, ".name")
    if not is_empty(value.get("name")) and not is_empty(value.get("pseudonym")):
        yield Fault(
            "identity-beside-pseudonym",
            "The name stands beside the pseudonym, for all who read the case: take it out here and "
            "send it as the protected person's identity, which has fewer readers.",
            ".name",
            of_whole=True,
        )
    yield from _parts(value)


def _people(value: object) -> Faults:
    yield from _each(value, _person)


def _document(value: object) -> Faults:
    if not isinstance(value, Mapping):
        yield Fault("not-an-object", "Title and particulars of the document belong here.")
        return
    if is_empty(value.get("title")) and is_empty(value.get("name")):
        yield Fault("missing", "The document has no title: write it.", ".title")
    yield from _parts(value)


def _documents(value: object) -> Faults:
    yield from _each(value, _document)


def _object(value: object) -> Faults:
    if not isinstance(value, Mapping):
        yield Fault("not-an-object", "An entry has no fields: fill it in, or take it out.")
        return
    yield from _parts(value)


def _list(value: object) -> Faults:
    yield from _each(value, _object)


def _each(value: object, check: Callable[[object], Faults]) -> Faults:
    if not is_list(value):
        yield Fault("not-a-list", "This is not a list: give a list, even for one.")
        return
    for number, one in enumerate(value):
        for fault in check(one):
            yield dataclasses.replace(fault, at=f"[{number}]{fault.at}")


def _items(value: object) -> Faults:
    yield from _list(value)
    seen: set[str] = set()
    for number, one in enumerate(members(value)):
        own = one.get("no") if isinstance(one, Mapping) else None
        named = number_of(own) if isinstance(own, (int, str)) else None
        if named in seen:
            sentence = "Two items have one number: answers name items by number, so change it."
            yield Fault("number-twice", sentence, f"[{number}].no", of_whole=True)
        elif named is not None:
            seen.add(named)


_TYPES: Final[Mapping[str, Callable[[object], Faults]]] = {
    "text": _text, "long_text": _long_text, "texts": _texts, "yes_no": _yes_no,
    "number": _number, "date": _date, "time": _time, "country": _country,
    "language": _language, "currency": _currency, "amount": _amount, "authority": _authority,
    "person": _person, "people": _people, "documents": _documents, "items": _items,
    "list": _list, "digest": _digest, "item_no": _item_no, "item_name": _item_name,
    "item_names": _item_names, "seconds": _seconds,
}  # fmt: skip

_OF_AUTHORITIES: Final = """
    id name name_latin address city country official function functions email phone time_zone
    office_hours languages note
    """
_OF_PEOPLE: Final = """
    name name_latin name_original transliteration scheme pseudonym protected protection aliases sex
    birth_date birth_place nationality identity_numbers address location role status function
    functions email phone languages registration country note
    """
_OF_DOCUMENTS: Final = "no title name pages language date sha256 type translation note"

MEMBERS: Final[Mapping[str, frozenset[str]]] = {
    "amount": frozenset({"amount", "currency"}),
    "authority": frozenset(_OF_AUTHORITIES.split()),
    "person": frozenset(_OF_PEOPLE.split()),
    "documents": frozenset(_OF_DOCUMENTS.split()),
    "items": frozenset({"no", "note"}),
}
"""What compound values may hold beside the fields that the law's files give them."""
