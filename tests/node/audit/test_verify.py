"""One file, judged by itself: true on a condition that is told, false, or undecided."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keys.fingerprint import document_fingerprint
from node.audit.verify import Judgement, Verdict, verify_file
from protocol.encoding import to_base64
from protocol.errors import Misuse
from tests.support.receipt_files import Made, file_of, receipt_of
from tests.support.trust import Trust, make_trust

ISSUER = "qm.justice"


@pytest.fixture(scope="module")
def trust() -> Trust:
    """Make a small network."""
    return make_trust()


@pytest.fixture(scope="module")
def made(trust: Trust) -> Made:
    """Make a receipt in it."""
    return receipt_of(trust, ISSUER)


@pytest.fixture(scope="module")
def files(trust: Trust, made: Made) -> dict[str, bytes]:
    """Make one file of each kind."""
    return {
        "receipt file": file_of(trust, made),
        "receipt": made.raw,
        "log proof": made.receipt.proof,
        "network document": trust.document.raw,
        "listing": trust.listing(ISSUER).raw,
    }


def told(judged: Judgement) -> str:
    """Give everything that was said in one text."""
    return " ".join((*judged.statements, *judged.not_proved))


@pytest.mark.parametrize(
    ("kind", "conclusion"),
    [
        ("receipt file", Verdict.TRUE),
        ("network document", Verdict.TRUE),
        ("receipt", Verdict.UNDECIDED),
        ("log proof", Verdict.UNDECIDED),
        ("listing", Verdict.UNDECIDED),
    ],
)
def test_a_whole_file_is_known_and_judged(
    files: dict[str, bytes], kind: str, conclusion: Verdict
) -> None:
    """Each kind is recognised by its content and verified as far as it goes by itself."""
    judged = verify_file(files[kind])
    assert (judged.kind, judged.conclusion) == (kind, conclusion)
    assert judged.statements
    assert judged.not_proved
    assert all(sentence.endswith((".", ":")) for sentence in judged.statements)


def test_a_receipt_file_says_what_is_proved_and_under_which_document(
    trust: Trust, made: Made, files: dict[str, bytes]
) -> None:
    """The condition of it all, the document's fingerprint, is told in digits."""
    judged = verify_file(files["receipt file"])
    digits = document_fingerprint(trust.document.digest).digits
    assert digits in told(judged)
    assert "qm.justice accepted as number 1 of its case the message 1d1d" in judged.statements[0]
    assert "entry 350 in the log pacific/qm.justice/1" in judged.statements[1]
    assert judged.fields["fingerprint"] == digits
    assert judged.fields["message"] == made.decision.identity
    assert json.loads(json.dumps(judged.fields)) == judged.fields


def test_acceptance_is_not_called_reading(files: dict[str, bytes]) -> None:
    """A technical receipt is no human acknowledgement, and the sentence says so."""
    judged = verify_file(files["receipt file"])
    assert any("anybody has read it" in sentence for sentence in judged.not_proved)


def test_a_proven_refusal_is_told_as_one(trust: Trust) -> None:
    """A refusal is as true as a receipt, and says its code."""
    refused = receipt_of(trust, ISSUER, kind="message.refused", order=None, code="expired")
    judged = verify_file(file_of(trust, refused))
    assert judged.conclusion is Verdict.TRUE
    assert "finally refused (expired)" in judged.statements[0]
    assert judged.fields["code"] == "expired"


@pytest.mark.parametrize("kind", ["receipt file", "network document"])
def test_under_the_trusted_document_no_condition_is_left(
    trust: Trust, files: dict[str, bytes], kind: str
) -> None:
    """Digits with or without spaces, or hex, name the document that the reader trusts."""
    digits = document_fingerprint(trust.document.digest).digits
    open_ = verify_file(files[kind])
    for given in (digits, digits.replace(" ", ""), trust.document.digest, f" {digits}\n"):
        judged = verify_file(files[kind], trusted_fingerprint=given)
        assert judged.conclusion is Verdict.TRUE
        assert len(judged.not_proved) == len(open_.not_proved) - 1


@pytest.mark.parametrize("kind", ["receipt file", "network document"])
def test_under_another_document_nothing_is_decided(files: dict[str, bytes], kind: str) -> None:
    """Whole in itself, but somebody else's network."""
    judged = verify_file(files[kind], trusted_fingerprint="ab" * 32)
    assert judged.conclusion is Verdict.UNDECIDED
    assert "another network document than the one you trust" in told(judged)


@pytest.mark.parametrize("given", ["", "12345", "AB" * 32, "x" * 60])
def test_a_fingerprint_that_is_none_is_refused(files: dict[str, bytes], given: str) -> None:
    """A mistyped fingerprint must not look like one that does not match."""
    with pytest.raises(Misuse):
        verify_file(files["receipt"], trusted_fingerprint=given)


@pytest.mark.parametrize(
    "kind", ["receipt file", "receipt", "log proof", "network document", "listing"]
)
def test_a_changed_byte_is_never_true(files: dict[str, bytes], kind: str) -> None:
    """Wherever a byte is changed, the file proves nothing any more; mostly it is false."""
    raw, false = files[kind], 0
    places = range(3, len(raw), max(1, len(raw) // 60))
    for at in places:
        changed = raw[:at] + bytes([raw[at] ^ 4]) + raw[at + 1 :]
        conclusion = verify_file(changed).conclusion
        assert conclusion is not Verdict.TRUE, at
        false += conclusion is Verdict.FALSE
    assert false > len(places) * FALSE_SHARE.get(kind, 0.9)


FALSE_SHARE = {"receipt": 0.3, "log proof": 0.1}
"""Most of a bare one is signatures, which nobody can judge without the keys."""

DAMAGED = {"receipt": "record"}
"""What a damaged one is called: of which kind its record is, nobody can read."""


@pytest.mark.parametrize("kind", ["receipt file", "receipt", "network document", "listing"])
def test_a_file_that_was_printed_prettily_is_false(files: dict[str, bytes], kind: str) -> None:
    """One thing has one form: a reformatted file is recognised, and refused."""
    pretty = json.dumps(json.loads(files[kind]), indent=1).encode()
    judged = verify_file(pretty)
    assert (judged.kind, judged.conclusion) == (DAMAGED.get(kind, kind), Verdict.FALSE)
    assert judged.fields["code"] == "malformed"


@pytest.mark.parametrize("kind", ["receipt file", "receipt", "network document", "listing"])
def test_a_file_that_was_cut_off_is_false(files: dict[str, bytes], kind: str) -> None:
    """Half a file is one of ours that was damaged."""
    raw = files[kind]
    judged = verify_file(raw[: len(raw) - 9])
    assert (judged.kind, judged.conclusion) == (DAMAGED.get(kind, kind), Verdict.FALSE)


def test_a_receipt_of_another_signer_is_false(trust: Trust) -> None:
    """Signed by a log that is not the issuer's."""
    judged = verify_file(file_of(trust, receipt_of(trust, ISSUER, signer="to.justice")))
    assert judged.conclusion is Verdict.FALSE


def test_a_bare_receipt_that_contradicts_itself_is_false(made: Made) -> None:
    """Even without keys a wrong path is seen."""
    tree = json.loads(made.raw)
    tree["salt"] = to_base64(bytes(32))
    altered = json.dumps(tree, separators=(",", ":"), sort_keys=True).encode()
    assert verify_file(altered).conclusion is Verdict.FALSE


@pytest.mark.parametrize("index", [b"index 700\n", b"index 699\n"])
def test_a_bare_proof_that_cannot_be_is_false(made: Made, index: bytes) -> None:
    """An index outside the tree, or a path that is too long for its index."""
    altered = made.receipt.proof.replace(b"index 350\n", index)
    assert verify_file(altered).conclusion is Verdict.FALSE


def test_a_listing_signed_by_keys_it_does_not_show_is_false(trust: Trust) -> None:
    """It does not even hold by itself."""
    tree = json.loads(trust.listing(ISSUER).raw)
    tree["signatures"] = json.loads(trust.listing("fj.justice").raw)["signatures"]
    altered = json.dumps(tree, separators=(",", ":"), sort_keys=True).encode()
    judged = verify_file(altered)
    assert (judged.kind, judged.conclusion) == ("listing", Verdict.FALSE)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{}", b"[]", b"not ours", b"%PDF-1.7", b"\xff\xfe\x00", b'{"kind":"invoice"}',
        b"A text about a comity-receipt, and about application/vnd.comity.network.v1+json.",
    ],
)  # fmt: skip
def test_what_is_not_ours_is_not_called_false(raw: bytes) -> None:
    """Nothing is said about files of others."""
    judged = verify_file(raw)
    assert (judged.kind, judged.conclusion) == (None, Verdict.UNDECIDED)


def test_a_time_that_no_calendar_has_is_still_told(trust: Trust) -> None:
    """Whoever signed the year 200 million is quoted, not a crash."""
    judged = verify_file(file_of(trust, receipt_of(trust, ISSUER, at=2**53 - 1)))
    assert "second 9007199254740991" in judged.statements[0]


def test_nothing_outside_the_file_is_read(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It works in an empty folder without any configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMITY_CONFIG", raising=False)
    assert verify_file(files["receipt file"]).conclusion is Verdict.TRUE
    assert list(tmp_path.iterdir()) == []
