"""Attacks on the text of a network document: a sentence, a change, how it is refused."""

from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.document import decode_document_text, quorum
from protocol.errors import Malformed, NotAuthentic, Rejected, TooLarge
from protocol.network import decode_document
from tests.support.trees import Change, Tree, copy, dumped, put
from tests.support.trust import Trust, make_trust

HEX = "ab" * 32


@cache
def trust() -> Trust:
    """Make one network for all tests of this file: it is a value."""
    return make_trust(stewards=3, threshold=2)


def tree() -> Tree:
    """Give the text of a valid document as JSON that may be changed."""
    found: Tree = json.loads(trust().document.document.text())
    return found


def test_a_document_decodes_to_what_was_encoded() -> None:
    """Encoding and decoding are inverse, for the text and for the statement."""
    document = trust().document.document
    assert decode_document_text(document.text()) == document
    raw = trust().documents[0]
    assert decode_document(raw).encode() == raw
    assert decode_document_text(dumped(tree())) == document


def term(start: int, until: int | None, mark: str) -> Tree:
    """Give a term of two made-up keys."""
    return {"key_ids": [mark * 64, mark * 63 + "0"], "from": start, "until": until}


MALFORMED: list[tuple[str, Change, type[Rejected]]] = [
    ("an unknown version of the form", put("v", 2), Malformed),
    ("an unknown field", put("extra", 1), Malformed),
    ("an unknown field of an authority", put("authorities.0.extra", 1), Malformed),
    ("a missing field", lambda d: d.pop("threshold"), Malformed),
    ("version 0", put("version", 0), Malformed),
    ("a first version with a predecessor", put("prev", HEX), Malformed),
    ("a later version without one", put("version", 2), Malformed),
    ("a list of one predecessor", lambda d: d.update(version=2, prev=[HEX]), Malformed),
    ("predecessors unsorted", lambda d: d.update(version=2, prev=["cd" * 32, HEX]), Malformed),
    ("a predecessor twice", lambda d: d.update(version=2, prev=[HEX, HEX]), Malformed),
    ("an end before its beginning", copy("created", "expires"), Malformed),
    ("half of the stewards as threshold", put("threshold", 1), Malformed),
    ("a threshold above the stewards", put("threshold", 4), Malformed),
    ("no stewards", lambda d: d.update(threshold=0, stewards=[]), Malformed),
    ("a key under two stewards", copy("stewards.0.keys.0", "stewards.1.keys.0"), Malformed),
    ("a steward's name twice", copy("stewards.0.name", "stewards.1.name"), Malformed),
    ("a steward's name in other letters", put("stewards.1.name", "STEWARD 1"), Malformed),
    ("a steward with one key", lambda d: d["stewards"][0]["keys"].pop(), Malformed),
    ("a steward's keys in another order", lambda d: d["stewards"][0]["keys"].reverse(), Malformed),
    ("a steward's key of another purpose", put("stewards.0.keys.0.purpose", "sign"), Malformed),
    ("a steward's key of another length", put("stewards.0.keys.0.key", "AAAA"), Malformed),
    ("a name that reorders text", put("stewards.0.name", "a\u202eb"), Malformed),
    ("a name of two lines", put("authorities.0.names.en", "a\nb"), Malformed),
    ("an empty name", put("authorities.0.names.en", ""), Malformed),
    ("no name at all", put("authorities.0.names", {}), Malformed),
    ("a language that is none", put("authorities.0.names", {"EN!": "x"}), Malformed),
    ("authorities out of order", lambda d: d["authorities"].reverse(), Malformed),
    ("an authority twice", copy("authorities.0", "authorities.1"), Malformed),
    ("an id with a capital", put("authorities.0.id", "FJ.justice"), Malformed),
    ("an unknown status", put("authorities.0.status", "trusted"), Malformed),
    ("a suite of no form", put("authorities.0.min_suite", "none"), Malformed),
    ("a state of no form", put("authorities.0.state", "fiji"), Malformed),
    ("a log's own witness", put("authorities.0.witnesses", ["fj.justice"]), Malformed),
    ("a witness that is not listed", put("authorities.0.witnesses", ["xx.none"]), Malformed),
    ("a witness twice", put("authorities.0.witnesses", ["qm.justice"] * 2), Malformed),
    ("more witnesses than allowed", put("authorities.0.witnesses", ["qm.justice"] * 10), TooLarge),
    ("more failures than witnesses bear", put("witnessing.f", 2), Malformed),
    ("no sign keys", put("authorities.0.sign", []), Malformed),
    ("one sign key", lambda d: d["authorities"][0]["sign"][0]["key_ids"].pop(), Malformed),
    ("three sign keys", lambda d: d["authorities"][0]["sign"][0]["key_ids"].append(HEX), TooLarge),
    ("a key in two roles",
     copy("authorities.0.sign.0.key_ids", "authorities.0.witness.0.key_ids"), Malformed),
    ("a key of two authorities",
     copy("authorities.0.logs.0.key_ids", "authorities.1.logs.0.key_ids"), Malformed),
    ("a pair of one key", put("authorities.0.sign.0.key_ids", [HEX, HEX]), Malformed),
    ("a term that ends as it begins", put("authorities.0.sign.0.until", 0), Malformed),
    ("two open terms", put("authorities.0.sign", [term(0, None, "a"), term(5, None, "b")]),
     Malformed),
    ("overlapping terms", put("authorities.0.sign", [term(0, 9, "a"), term(8, None, "b")]),
     Malformed),
    ("no log", put("authorities.0.logs", []), Malformed),
    ("log number 0", put("authorities.0.logs.0.n", 0), Malformed),
    ("logs out of order", lambda d: d["authorities"][0]["logs"].append(
        {"n": 1, "key_ids": ["aa" * 32, "bb" * 32]}), Malformed),
    ("a float", put("threshold", 2.0), Malformed),
    ("a list for an object", put("witnessing", []), Malformed),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "change", "error"), MALFORMED, ids=[x[0] for x in MALFORMED])
def test_a_document_of_another_form_is_refused(
    sentence: str, change: Change, error: type[Rejected]
) -> None:
    """Every rule that one document can be judged by alone holds."""
    document = tree()
    change(document)
    with pytest.raises(error):
        decode_document_text(dumped(document))


def test_terms_one_after_the_other_are_accepted_and_found_by_time() -> None:
    """Key terms that touch are in order, and each speaks in its own time."""
    document = tree()
    document["authorities"][0]["sign"] = [term(0, 9, "a"), term(9, None, "b")]
    entry = decode_document_text(dumped(document)).authorities[0]
    assert entry.sign_at(8)[0] == "a" * 64
    assert entry.sign_at(9)[0] == "b" * 64


def test_a_time_without_a_term_has_no_keys() -> None:
    """Before the first and after the last term nobody speaks for the authority."""
    document = tree()
    document["authorities"][0]["sign"] = [term(5, 9, "a")]
    entry = decode_document_text(dumped(document)).authorities[0]
    for time in (4, 9):
        with pytest.raises(NotAuthentic):
            entry.sign_at(time)


def test_a_truncated_document_is_refused_at_every_length() -> None:
    """No prefix of a statement is a statement (every 97th length, and the last ones)."""
    raw = trust().documents[0]
    for length in (*range(0, len(raw), 97), *range(len(raw) - 40, len(raw))):
        with pytest.raises(Rejected):
            decode_document(raw[:length])


@given(st.binary(max_size=300))
def test_any_bytes_give_a_document_or_a_refusal(raw: bytes) -> None:
    """The decoders are total: no other exception comes out."""
    for decoder in (decode_document, decode_document_text):
        with pytest.raises(Rejected):
            decoder(raw)


@pytest.mark.parametrize(
    ("n", "f", "k"),
    [(0, 0, 0), (0, 2, 0), (1, 0, 1), (2, 0, 2), (3, 0, 2), (3, 1, 3), (9, 2, 6), (9, 4, 7)],
)
def test_the_quorum_is_what_the_specification_says(n: int, f: int, k: int) -> None:
    """For n witnesses, f of which may fail, k = floor((n + f) / 2) + 1, and 0 for none."""
    assert quorum(n, f) == k
