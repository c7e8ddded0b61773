"""The receipt file: verified by what is in it, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.encoding import canonical, decode, from_base64, to_base64
from protocol.errors import (
    KeyUnknown,
    Malformed,
    Misuse,
    NotAuthentic,
    NotForUs,
    Rejected,
    TooLarge,
)
from protocol.limits import DOCUMENTS_MAX, RECEIPT_FILE_BYTES_MAX
from protocol.receipt_file import (
    ReceiptFile,
    decode_receipt_file,
    encode_receipt_file,
    read_claim,
    verify_receipt_file,
)
from tests.support.clock import START
from tests.support.receipt_files import Made, file_of, receipt_of
from tests.support.trees import Change, drop, dumped, put
from tests.support.trust import NETWORK, Trust, make_trust

ISSUER = "qm.justice"


@pytest.fixture(scope="module")
def trust() -> Trust:
    """Make a small network."""
    return make_trust()


@pytest.fixture(scope="module")
def made(trust: Trust) -> Made:
    """Make a receipt of the network."""
    return receipt_of(trust, ISSUER)


@pytest.fixture(scope="module")
def raw(trust: Trust, made: Made) -> bytes:
    """Make its file."""
    return file_of(trust, made)


def test_a_file_proves_its_receipt(trust: Trust, made: Made, raw: bytes) -> None:
    """Whoever has the file and the document's digest knows what was accepted, and by whom."""
    verified = verify_receipt_file(raw)
    assert verified.decision == made.decision
    assert verified.issuer == ISSUER
    assert verified.document_digest == trust.document.digest
    assert verified.listing.digest == trust.listing(ISSUER).digest
    assert verified.receipt == made.raw
    assert (verified.index, verified.signed.checkpoint.size) == (350, 700)


def test_decoding_gives_what_was_encoded(raw: bytes) -> None:
    """One file has one encoding."""
    assert decode_receipt_file(raw).encode() == raw


def test_a_proven_refusal_travels_like_a_receipt(trust: Trust) -> None:
    """There is no second kind of proof."""
    made = receipt_of(trust, ISSUER, kind="message.refused", order=None, code="expired")
    assert verify_receipt_file(file_of(trust, made)).decision.code == "expired"


def test_only_the_newest_listing_with_the_keys_is_carried(trust: Trust, made: Made) -> None:
    """A long chain of listings does not make a long file."""
    newer = trust.with_listing(ISSUER, now=START + 10, languages=("fr",))
    file = decode_receipt_file(file_of(newer, made))
    assert file.listings == (newer.listing(ISSUER).raw,)
    assert verify_receipt_file(file.encode()).listing.listing.languages == ("fr",)


def test_older_listings_beside_it_do_no_harm(trust: Trust, made: Made) -> None:
    """A reader takes the newest that shows the keys."""
    newer = trust.with_listing(ISSUER, now=START + 10, languages=("fr",))
    every = ReceiptFile(made.raw, newer.documents, newer.directory.listings_raw(ISSUER))
    assert verify_receipt_file(every.encode()).listing.digest == newer.listing(ISSUER).digest


def test_the_receipt_of_an_authority_that_left_still_counts(trust: Trust, made: Made) -> None:
    """It stays listed as removed exactly so that this can be verified."""
    entries = trust.document.document.authorities
    removed = tuple(replace(e, status="removed") if e.id == ISSUER else e for e in entries)
    later = trust.with_document(now=START + 10, authorities=removed)
    verified = verify_receipt_file(file_of(later, made))
    assert verified.document_digest == later.document.digest != trust.document.digest


def test_several_documents_must_agree_about_the_log(trust: Trust, made: Made) -> None:
    """Two versions travel together where they say the same of this log."""
    later = trust.with_document(now=START + 10)
    both = ReceiptFile(made.raw, later.documents, (trust.listing(ISSUER).raw,))
    verified = verify_receipt_file(both.encode())
    assert [one.version for one in verified.documents] == [1, 2]


def test_documents_that_disagree_decide_nothing(trust: Trust, made: Made) -> None:
    """Which of two key pairs is the log's cannot be seen from the file."""
    other = make_trust(("fj.justice", "to.justice"))
    both = ReceiptFile(made.raw, (*trust.documents, *other.documents), (trust.listing(ISSUER).raw,))
    with pytest.raises(KeyUnknown):
        verify_receipt_file(both.encode())


# --- what cannot be decided ------------------------------------------------------------------


@pytest.mark.parametrize("lacking", ["documents", "listings"])
def test_what_the_file_lacks_cannot_be_decided(made: Made, trust: Trust, lacking: str) -> None:
    """Absence is no proof of falsehood."""
    file = ReceiptFile(made.raw, trust.documents, (trust.listing(ISSUER).raw,))
    less = replace(file, documents=()) if lacking == "documents" else replace(file, listings=())
    with pytest.raises(KeyUnknown):
        verify_receipt_file(less.encode())


def test_a_listing_of_another_authority_decides_nothing(made: Made, trust: Trust) -> None:
    """It does not show the keys of this log."""
    file = ReceiptFile(made.raw, trust.documents, (trust.listing("fj.justice").raw,))
    with pytest.raises(KeyUnknown):
        verify_receipt_file(file.encode())


def test_a_log_that_the_document_does_not_list_decides_nothing(trust: Trust) -> None:
    """A second log of the authority may be listed by a newer document."""
    with pytest.raises(KeyUnknown):
        verify_receipt_file(file_of(trust, receipt_of(trust, ISSUER, number=2)))


# --- what is false ---------------------------------------------------------------------------


def flipped(path: str, inner: Callable[[bytes], bytes]) -> Change:
    """Give a change of the bytes behind a base64 field."""

    def change(tree: dict[str, object]) -> None:
        name, _, place = path.partition(".")
        if place:
            items = tree[name]
            assert isinstance(items, list)
            items[int(place)] = to_base64(inner(from_base64(items[int(place)])))
        else:
            tree[name] = to_base64(inner(from_base64(str(tree[name]))))

    return change


def resigned(raw: bytes) -> bytes:
    """Give a statement with one byte of its first signature changed."""
    value = decode(raw, bytes_max=10**7)
    assert isinstance(value, dict)
    signatures = value["signatures"]
    assert isinstance(signatures, list)
    signature = bytearray(from_base64(str(signatures[0]["sig"])))
    signature[5] ^= 1
    signatures[0]["sig"] = to_base64(bytes(signature))
    return canonical(value)


FALSE: dict[str, tuple[Change, type[Rejected]]] = {
    "another version of the form": (put("v", 2), Malformed),
    "another kind of file": (put("kind", "comity-bundle"), Malformed),
    "an unknown field": (put("more", 1), Malformed),
    "no receipt": (drop("receipt"), Malformed),
    "a receipt that is none": (put("receipt", "AAAA"), Malformed),
    "documents that are no list": (put("documents", "AAAA"), Malformed),
    "a document that is none": (put("documents", ["AAAA"]), Malformed),
    "a listing that is none": (put("listings", ["AAAA"]), Malformed),
    "too many documents": (put("documents", ["AAAA"] * (DOCUMENTS_MAX + 1)), TooLarge),
    "a document with a signature changed": (flipped("documents.0", resigned), NotAuthentic),
    "a listing with a signature changed": (flipped("listings.0", resigned), NotAuthentic),
}


@pytest.mark.parametrize("attack", FALSE)
def test_a_file_that_was_altered_is_refused(raw: bytes, attack: str) -> None:
    """Every part is checked, and every way to fail has its name."""
    change, error = FALSE[attack]
    tree = decode(raw, bytes_max=10**8)
    assert isinstance(tree, dict)
    change(tree)
    with pytest.raises(error):
        verify_receipt_file(dumped(tree))


def test_a_receipt_signed_by_another_log_is_refused(trust: Trust) -> None:
    """The keys are those that the document names, whoever signed."""
    with pytest.raises(NotAuthentic):
        verify_receipt_file(file_of(trust, receipt_of(trust, ISSUER, signer="to.justice")))


def test_a_receipt_of_another_network_is_refused(trust: Trust) -> None:
    """A document judges its own network alone."""
    other = make_trust(network="atlantic")
    file = ReceiptFile(receipt_of(other, ISSUER).raw, trust.documents, (trust.listing(ISSUER).raw,))
    with pytest.raises(NotForUs):
        verify_receipt_file(file.encode())


def test_a_decision_in_another_authoritys_log_is_refused(trust: Trust, made: Made) -> None:
    """An authority decides about messages to itself."""
    claim = receipt_of(trust, "to.justice").receipt
    mixed = replace(claim, record=made.receipt.record).encode()
    with pytest.raises(NotAuthentic):
        read_claim(mixed)
    with pytest.raises(NotAuthentic):
        encode_receipt_file(mixed, documents=(), listings=())


@pytest.mark.parametrize("part", ["record", "salt"])
def test_a_receipt_that_contradicts_itself_is_seen_without_keys(made: Made, part: str) -> None:
    """The path must lead from this very record to the root."""
    value = getattr(made.receipt, part)
    other = bytes(32) if part == "salt" else value.replace(b"1d1d", b"1d1e")
    with pytest.raises(NotAuthentic):
        read_claim(replace(made.receipt, **{part: other}).encode())


def test_an_index_outside_the_tree_is_seen_without_keys(made: Made) -> None:
    """A proof of an entry that the tree does not have is none."""
    outside = made.receipt.proof.replace(b"index 350\n", b"index 700\n")
    with pytest.raises(NotAuthentic):
        read_claim(replace(made.receipt, proof=outside).encode())


def test_keys_of_another_purpose_are_refused(trust: Trust) -> None:
    """A document that names witness keys as those of a log proves nothing."""
    entry = trust.document.document.authority(ISSUER)
    assert entry is not None
    swapped = replace(
        entry,
        logs=(replace(entry.logs[0], key_ids=entry.witness[0].key_ids),),
        witness=(replace(entry.witness[0], key_ids=entry.logs[0].key_ids),),
    )
    document = trust.document.document.with_authority(swapped)
    raw = trust.next_document(authorities=document.authorities, version=1, prev=None)
    file = ReceiptFile(receipt_of(trust, ISSUER).raw, (raw,), (trust.listing(ISSUER).raw,)).encode()
    with pytest.raises(NotAuthentic):
        verify_receipt_file(file)


def test_a_pair_in_the_wrong_order_is_refused(trust: Trust) -> None:
    """Ed25519 stands first, then ML-DSA-44."""
    entry = trust.document.document.authority(ISSUER)
    assert entry is not None
    first, second = entry.logs[0].key_ids
    turned = replace(entry, logs=(replace(entry.logs[0], key_ids=(second, first)),))
    document = trust.document.document.with_authority(turned)
    raw = trust.next_document(authorities=document.authorities, version=1, prev=None)
    file = ReceiptFile(receipt_of(trust, ISSUER).raw, (raw,), (trust.listing(ISSUER).raw,))
    with pytest.raises(Malformed):
        verify_receipt_file(file.encode())


def test_more_documents_than_a_file_holds_are_a_bug_here(trust: Trust, made: Made) -> None:
    """The caller chooses which documents judge."""
    with pytest.raises(Misuse):
        encode_receipt_file(made.raw, documents=trust.documents * 5, listings=())


def test_a_file_over_the_limit_is_not_parsed() -> None:
    """The size is checked first."""
    with pytest.raises(TooLarge):
        decode_receipt_file(b"{" * (RECEIPT_FILE_BYTES_MAX + 1))


@given(at=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_no_changed_bit_is_believed(at: int, bit: int) -> None:
    """Whatever is changed anywhere in the file, nothing else is proved by it."""
    raw, decision = _sample()
    changed = bytearray(raw)
    changed[at % len(raw)] ^= 1 << bit
    try:
        verified = verify_receipt_file(bytes(changed))
    except Rejected:
        return
    # A signature of a steward who is not needed may be gone; what is proved stays the same.
    assert verified.decision == decision


@given(st.binary(max_size=64))
def test_arbitrary_bytes_give_a_refusal(raw: bytes) -> None:
    """Every decoder is total."""
    for decoder in (decode_receipt_file, verify_receipt_file, read_claim):
        with pytest.raises(Rejected):
            decoder(raw)


_SAMPLE: list[tuple[bytes, object]] = []


def _sample() -> tuple[bytes, object]:
    """Make one file for all examples of a property."""
    if not _SAMPLE:
        trust = make_trust(("fj.justice", ISSUER), stewards=1, threshold=1)
        made = receipt_of(trust, ISSUER)
        _SAMPLE.append((file_of(trust, made), made.decision))
    return _SAMPLE[0]


def test_the_sample_is_of_the_network() -> None:
    """The property above begins with a file that holds."""
    raw, decision = _sample()
    verified = verify_receipt_file(raw)
    assert verified.decision == decision
    assert verified.decision.network == NETWORK
