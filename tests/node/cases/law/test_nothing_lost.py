"""The law beside the collections it was drawn from, where these are at hand: nothing was lost."""

from __future__ import annotations

import json
from typing import Any, Final, cast

from node.cases.law import load_law
from tests.support.public_data import public

LAW: Final = load_law()
_CONFIDENCE: Final = {"H": "high", "M": "medium", "L": "low"}


def collected(name: str) -> dict[str, Any]:
    """Read one of the collections, or skip the test."""
    return cast("dict[str, Any]", json.loads(public("..", "domain", name).read_text()))


def codes_of(entries: object) -> set[str]:
    """Give the codes of a vocabulary, however it is written there."""
    if isinstance(entries, dict):
        return {code for group in entries.values() for code in group}
    listed = entries if isinstance(entries, list) else []
    return {one if isinstance(one, str) else one[0] for one in listed}


def test_every_code_of_every_vocabulary_is_here() -> None:
    """Each vocabulary that was collected has all its codes."""
    not_vocabularies = {"_meta", "demo_codes", "handling_note"}
    for name, entries in collected("codes.json").items():
        if name not in not_vocabularies:
            assert codes_of(entries) - set(LAW.codes[name]) == set(), name


def test_every_kind_asks_for_the_assistance_that_was_collected() -> None:
    """The codes of article 46(3) stand with the same kinds."""
    for code, _title, assistance, note in collected("codes.json")["request_kind"]:
        assert list(LAW.kinds[code].assistance) == assistance, code
        assert LAW.kinds[code].formal is note.startswith("formal"), code


def test_what_must_be_an_offence_is_the_same() -> None:
    """Mandatory, with limits, or optional."""
    for code, _title, duty in collected("codes.json")["offence"]:
        mine = LAW.offences[code].duty
        assert mine.startswith(duty.partition(",")[0].partition(" ")[0]), code


def test_every_term_stands_in_every_language_with_its_confidence() -> None:
    """93 terms, eight languages, and no label that became surer by being copied."""
    terms = collected("glossary.json")["terms"]
    assert len(terms) == len(LAW.terms)
    for one in terms:
        mine = LAW.terms[one["id"]]
        assert set(mine.labels) == set(one["labels"])
        for tag, label in one["labels"].items():
            assert mine.labels[tag].text == label["text"]
            assert mine.labels[tag].confidence == _CONFIDENCE[label["confidence"]]
            assert list(mine.labels[tag].alternatives) == label.get("alternatives", [])
