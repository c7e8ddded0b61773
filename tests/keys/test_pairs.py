"""Signers and pairs: what they sign holds, and a wrong pair cannot be built."""

from __future__ import annotations

import pytest

from keys.pairs import SignerPair, pair_from_seeds, signer_from_seed
from protocol.dsse import sign, verify_exactly
from protocol.errors import Misuse, NotAuthentic
from protocol.identity import ALGORITHMS, SIGNATURE_BYTES, Algorithm, Purpose
from protocol.primitives import verify_signature

ONE, TWO, THREE = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
PAIRS: tuple[Purpose, ...] = ("sign", "log", "witness", "steward")
SIGNING = [(purpose, algorithm) for purpose in (*PAIRS, "hop") for algorithm in ALGORITHMS[purpose]]


@pytest.mark.parametrize(("purpose", "algorithm"), SIGNING)
def test_what_a_signer_signs_verifies_under_its_public_key(
    purpose: Purpose, algorithm: Algorithm
) -> None:
    """Every purpose and algorithm that signs makes signatures the protocol accepts."""
    signer = signer_from_seed(purpose, algorithm, ONE)
    signature = signer.sign(b"the text")
    assert len(signature) == SIGNATURE_BYTES[algorithm]
    verify_signature(signer.public, signature, b"the text")
    with pytest.raises(NotAuthentic):
        verify_signature(signer.public, signature, b"the texT")


def test_an_ed25519_signer_gives_the_bytes_of_rfc_8032() -> None:
    """The third test of RFC 8032 section 7.1."""
    seed = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
    signer = signer_from_seed("hop", "ed25519", seed)
    assert signer.public.raw.hex() == (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
    )
    assert signer.sign(b"\xaf\x82").hex() == (
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    )


@pytest.mark.parametrize(("purpose", "algorithm"), SIGNING)
def test_the_same_seed_is_the_same_key_and_another_seed_another(
    purpose: Purpose, algorithm: Algorithm
) -> None:
    """A key file that keeps seeds keeps keys."""
    ids = [signer_from_seed(purpose, algorithm, seed).public.key_id for seed in (ONE, ONE, TWO)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(("purpose", "algorithm"), SIGNING)
def test_nothing_secret_is_in_what_a_signer_or_pair_shows(
    purpose: Purpose, algorithm: Algorithm
) -> None:
    """A signer that slips into a log or a traceback shows its key id only."""
    signer = signer_from_seed(purpose, algorithm, ONE)
    shown = f"{signer!r} {signer}"
    assert signer.public.key_id[:16] in shown
    assert ONE.hex() not in shown
    assert repr(ONE)[2:-1] not in shown
    assert "_secret" not in shown


@pytest.mark.parametrize("purpose", PAIRS)
def test_a_pair_signs_with_both_keys_in_the_order_of_the_specification(purpose: Purpose) -> None:
    """What a pair signs is exactly what the verifier of two signatures asks for."""
    pair = pair_from_seeds(purpose, (ONE, TWO))
    assert [signer.public.algorithm for signer in pair] == list(ALGORITHMS[purpose])
    assert pair.key_ids == tuple(key.key_id for key in pair.public)
    statement = sign("application/vnd.comity.message.v1+json", b"text", pair)
    assert verify_exactly(statement, pair.public) == b"text"


@pytest.mark.parametrize("purpose", ["seal", "hop"])
def test_a_purpose_with_one_algorithm_has_no_pair(purpose: Purpose) -> None:
    """Asking for a pair where one key stands alone is a bug of the caller."""
    with pytest.raises(Misuse, match="alone"):
        pair_from_seeds(purpose, (ONE, TWO))


def test_a_pair_of_other_keys_than_its_purposes_cannot_be_built() -> None:
    """Neither swapped, nor doubled, nor of another purpose, nor of one seed."""
    sign_pair = pair_from_seeds("sign", (ONE, TWO))
    steward = pair_from_seeds("steward", (ONE, TWO))
    log = pair_from_seeds("log", (ONE, TWO))
    for first, second in (
        (sign_pair.second, sign_pair.first),
        (sign_pair.first, sign_pair.first),
        (sign_pair.first, steward.second),
        (steward.first, steward.second),
        (sign_pair.first, log.second),
    ):
        with pytest.raises(Misuse):
            SignerPair("sign", first, second)
    for seeds in ((ONE, ONE), (ONE,), (ONE, TWO, THREE)):
        with pytest.raises(Misuse, match="two different seeds"):
            pair_from_seeds("sign", seeds)


@pytest.mark.parametrize("seed", [b"", ONE[:-1], ONE + b"\x01"])
def test_a_seed_of_another_length_is_refused(seed: bytes) -> None:
    """No library gets to decide what a short seed means."""
    for purpose, algorithm in SIGNING:
        with pytest.raises(Misuse, match="32 bytes"):
            signer_from_seed(purpose, algorithm, seed)


@pytest.mark.parametrize(
    ("purpose", "algorithm"),
    [("hop", "ml-dsa-65"), ("log", "ml-dsa-65"), ("sign", "ml-dsa-44"), ("seal", "x-wing"),
     ("seal", "ed25519")],
)  # fmt: skip
def test_an_algorithm_that_does_not_sign_for_the_purpose_is_refused(
    purpose: Purpose, algorithm: Algorithm
) -> None:
    """The table of purposes decides, not what the library could do."""
    with pytest.raises(Misuse):
        signer_from_seed(purpose, algorithm, ONE)
