"""Receipt files of a log that no document lists: the closures in them lead to its keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from keys.pairs import SignerPair
from keys.ring import new_ring
from protocol.closure import (
    REASONS,
    Closure,
    decode_closure,
    decode_closure_text,
    sign_closure,
)
from protocol.document import KeyTerm, LogTerm
from protocol.encoding import decode, to_base64
from protocol.errors import (
    KeyUnknown,
    Malformed,
    Misuse,
    NotAuthentic,
    NotPermitted,
    Rejected,
    TooLarge,
)
from protocol.limits import RECEIPT_FILE_CLOSURES_MAX
from protocol.listing import sign_listing
from protocol.merkle import EMPTY_ROOT, leaf_hash
from protocol.receipt_file import (
    ReceiptFile,
    decode_receipt_file,
    encode_receipt_file,
    verify_receipt_file,
)
from tests.support.clock import START
from tests.support.receipt_files import Made, file_of, receipt_of
from tests.support.trees import Change, drop, dumped, put
from tests.support.trust import NETWORK, Trust, Value, listed_keys, make_trust, seeded

ISSUER, OTHER = "qm.justice", "fj.justice"
END = leaf_hash(b"the last state of the log")
LATER = START + 100
Changed = Callable[[ReceiptFile], ReceiptFile]


@pytest.fixture(scope="module")
def trust() -> Trust:
    """Make a small network whose issuer lost its log's state once."""
    made = make_trust((OTHER, ISSUER), stewards=1, threshold=1)
    return made.with_closure(ISSUER, 40, END, now=START)


@pytest.fixture(scope="module")
def made(trust: Trust) -> Made:
    """Make a receipt of the log that goes on."""
    return receipt_of(trust, ISSUER, number=2)


@pytest.fixture(scope="module")
def file(trust: Trust, made: Made) -> ReceiptFile:
    """Make the file of this receipt."""
    return decode_receipt_file(file_of(trust, made))


def closed(trust: Trust, by: str = ISSUER, pair: SignerPair | None = None, **of: Value) -> bytes:
    """Give the statement that an authority's first log ended, or as changed."""
    fields = {
        "network": NETWORK, "authority": by, "number": 1, "size": 40, "root": END,
        "reason": "lost-state", "next_number": 2, "created": START, **of,
    }  # fmt: skip
    return sign_closure(Closure(**fields), pair or trust.sign_pair(by)).encode()


def verified_log(file: ReceiptFile) -> str:
    """Give the log that a file proves its receipt to be of."""
    return verify_receipt_file(file.encode()).signed.checkpoint.origin


def test_a_receipt_of_a_log_that_goes_on_proves_itself(
    trust: Trust, made: Made, file: ReceiptFile
) -> None:
    """The closure is in the file, and the reader is told of it."""
    verified = verify_receipt_file(file.encode())
    assert verified.decision == made.decision
    assert verified.signed.checkpoint.origin == f"{NETWORK}/{ISSUER}/2"
    assert [one.raw for one in verified.closures] == list(trust.directory.closures_raw())
    assert file.listings == (trust.listing(ISSUER).raw,)


def test_several_closures_lead_on_oldest_first(trust: Trust) -> None:
    """An authority may lose its state more than once before a document says so."""
    twice = trust.with_closure(ISSUER, 0, EMPTY_ROOT, now=START)
    file = decode_receipt_file(file_of(twice, receipt_of(twice, ISSUER, number=3)))
    assert len(file.closures) == 2
    assert verified_log(file) == f"{NETWORK}/{ISSUER}/3"


def test_only_closures_that_are_needed_are_carried(trust: Trust, made: Made) -> None:
    """Not those of others, nor of later logs."""
    every = trust.with_closure(OTHER, 7, END, now=START).with_closure(ISSUER, 9, END, now=START)
    file = decode_receipt_file(file_of(every, made))
    assert file.closures == trust.directory.closures_raw()
    before = decode_receipt_file(file_of(every, receipt_of(trust, ISSUER)))
    assert before.closures == ()


def test_the_lowest_closed_log_leads_where_several_could(trust: Trust) -> None:
    """The file is made by the rule that its readers have."""
    both = [closed(trust, number=2, next_number=3), closed(trust, number=1, next_number=3)]
    receipt = receipt_of(trust, ISSUER, number=3).raw
    for closures in (both, both[::-1]):
        raw = encode_receipt_file(
            receipt, documents=trust.documents, listings=trust.listings, closures=closures
        )
        assert decode_receipt_file(raw).closures == (both[1],)
        assert verify_receipt_file(raw).signed.checkpoint.origin.endswith("/3")


@dataclass(frozen=True, slots=True)
class Renewed:
    """A network whose issuer has a second log, listed with keys of its own."""

    trust: Trust
    documents: tuple[bytes, ...]
    listings: tuple[bytes, ...]


@pytest.fixture(scope="module")
def renewed(trust: Trust) -> Renewed:
    """Give the network with the new log keys, and what is signed of them."""
    drawn = new_ring(NETWORK, ISSUER, random=seeded("new"), now=LATER)
    entry, held = trust.directory.entry(ISSUER), trust.listing(ISSUER)
    logs = (*entry.logs, LogTerm(2, drawn.signers("log").key_ids))
    changed = trust.document.document.with_authority(replace(entry, logs=logs))
    document = trust.next_document(version=1, prev=None, authorities=changed.authorities)
    fresh = [one for one in listed_keys(drawn) if one.key.purpose == "log"]
    kept = [one for one in held.listing.keys if one.key.purpose != "log"]
    newest = trust.next_listing(ISSUER, created=LATER, keys=(*kept, *fresh))
    return Renewed(trust.with_ring(drawn), (document,), (held.raw, newest))


def test_keys_that_the_document_lists_for_the_next_log_are_not_overruled(
    trust: Trust, renewed: Renewed, made: Made
) -> None:
    """Nobody goes on with the old keys because a closure could have given them."""
    for reason in REASONS:
        closure = closed(trust, reason=reason)
        ours = receipt_of(renewed.trust, ISSUER, number=2)
        file = ReceiptFile(ours.raw, renewed.documents, renewed.listings, (closure,))
        assert verified_log(file).endswith("/2")
        with pytest.raises(NotAuthentic):
            verified_log(replace(file, receipt=made.raw))
        short = encode_receipt_file(
            ours.raw, documents=renewed.documents, listings=renewed.listings, closures=[closure]
        )
        assert decode_receipt_file(short) == replace(
            file, closures=(), listings=renewed.listings[1:]
        )
        assert verified_log(decode_receipt_file(short)).endswith("/2")


@dataclass(frozen=True, slots=True)
class Rotated:
    """A network whose issuer changed its `sign` keys at `LATER`."""

    documents: tuple[bytes, ...]
    listings: tuple[bytes, ...]
    pair: SignerPair


@pytest.fixture(scope="module")
def rotated(trust: Trust) -> Rotated:
    """Give document and listings after the change; the newest listing shows the new pair."""
    drawn = new_ring(NETWORK, ISSUER, random=seeded("new"), now=LATER)
    pair, entry, held = drawn.signers("sign"), trust.directory.entry(ISSUER), trust.listing(ISSUER)
    terms = (replace(entry.sign[0], until=LATER), KeyTerm(pair.key_ids, LATER, None))
    changed = trust.document.document.with_authority(replace(entry, sign=terms))
    document = trust.next_document(version=1, prev=None, authorities=changed.authorities)
    fresh = [one for one in listed_keys(drawn) if one.key.purpose == "sign"]
    kept = [one for one in held.listing.keys if one.key.purpose != "sign"]
    newest = replace(held.listing, serial=2, prev=held.digest, created=LATER, keys=(*fresh, *kept))
    return Rotated((document,), (held.raw, sign_listing(newest, pair).encode()), pair)


def test_the_listing_that_shows_who_closed_the_log_is_carried(
    trust: Trust, made: Made, rotated: Rotated
) -> None:
    """Also when the keys that closed it have been replaced."""
    for by, at, shown in ((None, START, 2), (rotated.pair, LATER, 1)):
        raw = encode_receipt_file(
            made.raw,
            documents=rotated.documents,
            listings=rotated.listings,
            closures=[closed(trust, pair=by, created=at)],
        )
        file = decode_receipt_file(raw)
        assert file.listings == rotated.listings[-shown:]
        assert verified_log(file).endswith("/2")


def test_a_closure_by_keys_that_are_not_of_its_time_is_refused(
    trust: Trust, made: Made, rotated: Rotated
) -> None:
    """Who has only the new pair, or only the old one, cannot date around it."""
    for by, at in ((None, LATER), (rotated.pair, START)):
        raw = closed(trust, pair=by, created=at)
        file = ReceiptFile(made.raw, rotated.documents, rotated.listings, (raw,))
        with pytest.raises(NotAuthentic):
            verified_log(file)


def test_documents_that_disagree_about_who_may_close_decide_nothing(
    trust: Trust, file: ReceiptFile, rotated: Rotated
) -> None:
    """Which pair speaks for the time cannot be seen from the file."""
    late = replace(
        file,
        documents=(*trust.documents, *rotated.documents),
        listings=rotated.listings,
        closures=(closed(trust, created=LATER),),
    )
    with pytest.raises(KeyUnknown):
        verified_log(late)


def of_a_stranger(trust: Trust) -> Trust:
    """Give a network of the same names under other keys."""
    return make_trust((OTHER, ISSUER), stewards=1, threshold=1, seeds="stranger")


def with_closures(*closures: bytes) -> Changed:
    """Give the change that puts these closures in a file."""
    return lambda file: replace(file, closures=closures)


REFUSED: dict[str, tuple[Callable[[Trust], Changed], type[Rejected]]] = {
    "none": (lambda _: with_closures(), KeyUnknown),
    "for new keys that nobody lists": (
        lambda trust: with_closures(closed(trust, reason="new-keys")),
        KeyUnknown,
    ),
    "of a log that nobody lists": (
        lambda trust: with_closures(closed(trust, number=2, next_number=3)),
        NotAuthentic,
    ),
    "of another authority": (
        lambda trust: with_closures(closed(trust, by=OTHER)),
        NotAuthentic,
    ),
    "signed by another authority": (
        lambda trust: with_closures(closed(trust, pair=trust.sign_pair(OTHER))),
        NotAuthentic,
    ),
    "signed by a stranger": (
        lambda trust: with_closures(closed(of_a_stranger(trust))),
        NotAuthentic,
    ),
    "of another network": (
        lambda trust: with_closures(closed(trust, network="atlantic")),
        NotAuthentic,
    ),
    "twice": (lambda trust: with_closures(closed(trust), closed(trust)), NotAuthentic),
    "with a gap": (
        lambda trust: with_closures(closed(trust), closed(trust, number=3, next_number=4)),
        NotAuthentic,
    ),
    "in the wrong order": (
        lambda trust: with_closures(closed(trust, number=2, next_number=3), closed(trust)),
        NotAuthentic,
    ),
    "of the receipt's own log": (
        lambda trust: with_closures(closed(trust), closed(trust, number=2, next_number=3)),
        NotAuthentic,
    ),
    "of another size than was signed": (lambda trust: with_closures(altered(trust)), NotAuthentic),
    "half signed": (lambda trust: with_closures(half_signed(trust)), NotAuthentic),
    "no closure": (lambda trust: with_closures(trust.listing(ISSUER).raw), Malformed),
}


def altered(trust: Trust) -> bytes:
    """Give a closure with another end than its signatures are of."""
    statement = decode_closure(closed(trust))
    closure = decode_closure_text(statement.text)
    return replace(statement, text=replace(closure, size=39).text()).encode()


def half_signed(trust: Trust) -> bytes:
    """Give a closure without its second signature."""
    statement = decode_closure(closed(trust))
    return replace(statement, signatures=statement.signatures[:1]).encode()


@pytest.mark.parametrize("closures", REFUSED)
def test_closures_that_do_not_lead_to_the_log_are_refused(
    trust: Trust, file: ReceiptFile, closures: str
) -> None:
    """Missing ones leave it open; those that are wrong are refused, whatever the receipt."""
    change, error = REFUSED[closures]
    with pytest.raises(error):
        verified_log(change(trust)(file))


def test_a_closure_that_no_listing_here_explains_decides_nothing(
    trust: Trust, made: Made, rotated: Rotated
) -> None:
    """The keys that signed it are not in the file."""
    file = ReceiptFile(made.raw, rotated.documents, rotated.listings[1:], (closed(trust),))
    with pytest.raises(KeyUnknown):
        verified_log(file)


def test_a_document_without_the_authority_lets_nobody_close(
    trust: Trust, file: ReceiptFile
) -> None:
    """Whoever is not listed has no log that could be closed."""
    others = make_trust((OTHER, "to.justice"), stewards=1, threshold=1)
    with pytest.raises(NotPermitted):
        verified_log(replace(file, documents=others.documents))


def test_a_receipt_under_the_keys_of_another_log_is_refused(
    trust: Trust, file: ReceiptFile
) -> None:
    """A closure gives the next log the keys of the closed one, and no others."""
    forged = receipt_of(trust, ISSUER, number=2, signer=OTHER)
    with pytest.raises(NotAuthentic):
        verified_log(replace(file, receipt=forged.raw))


FORMS: dict[str, tuple[Change, type[Rejected]]] = {
    "no field for closures": (drop("closures"), Malformed),
    "closures that are no list": (put("closures", "AAAA"), Malformed),
    "too many closures": (put("closures", ["AAAA"] * (RECEIPT_FILE_CLOSURES_MAX + 1)), TooLarge),
    "a closure that is none": (put("closures", ["AAAA"]), Malformed),
    "a closure that is too long": (put("closures", [to_base64(b" " * 16_386)]), Malformed),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_another_form_is_refused(file: ReceiptFile, form: str) -> None:
    """Before anything in it is verified."""
    change, error = FORMS[form]
    tree = decode(file.encode(), bytes_max=10**8)
    assert isinstance(tree, dict)
    change(tree)
    with pytest.raises(error):
        verify_receipt_file(dumped(tree))


def test_more_closures_than_a_file_holds_are_a_bug_here(trust: Trust) -> None:
    """By then a document lists a newer log."""
    number = RECEIPT_FILE_CLOSURES_MAX + 2
    closures = [closed(trust, number=one, next_number=one + 1) for one in range(1, number)]
    with pytest.raises(Misuse):
        encode_receipt_file(
            receipt_of(trust, ISSUER, number=number).raw,
            documents=trust.documents,
            listings=trust.listings,
            closures=closures,
        )
