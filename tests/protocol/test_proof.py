"""Proofs: a leaf in a log, offline; one form, and every way to be cheated."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.pairs import signer_from_seed
from protocol.checkpoint import (
    Checkpoint,
    LogKeys,
    cosign,
    log_origin,
    sign_checkpoint,
    with_cosignatures,
    witness_name,
)
from protocol.errors import Malformed, NotAuthentic, Rejected, TooLarge
from protocol.limits import (
    INTEGER_MAX,
    PROOF_BYTES_MAX,
    RECEIPT_BYTES_MAX,
    RECORD_BYTES_MAX,
    WITNESSES_MAX,
)
from protocol.merkle import EMPTY_ROOT, inclusion_path, leaf_hash, node_hash, root_of
from protocol.proof import decode_proof, encode_proof, verify_proof
from tests.support.tree import TileStore, some_leaves

NOW = 1_760_000_000
ORIGIN = log_origin("regional", "qm.justice", 1)
ED25519 = signer_from_seed("log", "ed25519", b"a" * 32)
ML_DSA = signer_from_seed("log", "ml-dsa-44", b"b" * 32)
KEYS = LogKeys(ED25519.public, ML_DSA.public)

TILES = TileStore()
TILES.append(some_leaves(300))


def signed(size: int, root: bytes, origin: str = ORIGIN) -> bytes:
    """Sign a checkpoint of the log."""
    return sign_checkpoint(Checkpoint(origin, size, root), ed25519=ED25519, ml_dsa=ML_DSA, now=NOW)


def proof_of(index: int, tiles: TileStore = TILES) -> bytes:
    """Make the proof of one leaf under the newest checkpoint."""
    checkpoint = signed(tiles.size, root_of(tiles.leaves))
    path = inclusion_path(index, tiles.size, tiles.read)
    return encode_proof(index=index, path=path, checkpoint=checkpoint)


PROOF = proof_of(77)
LEAF = TILES.leaves[77]


@pytest.mark.parametrize("index", [0, 77, 255, 256, 299])
def test_a_leaf_of_the_log_is_proved(index: int) -> None:
    """The proof of any leaf verifies offline with the log's keys alone."""
    found = verify_proof(proof_of(index), leaf=TILES.leaves[index], origin=ORIGIN, keys=KEYS)
    assert found.index == index
    assert (found.signed.checkpoint.size, found.signed.time) == (300, NOW)


def test_the_only_leaf_of_a_log_has_a_proof_without_a_path() -> None:
    """The shortest proof is index 0 and the checkpoint."""
    tiles = TileStore()
    tiles.append(some_leaves(1))
    raw = proof_of(0, tiles)
    assert raw.startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nregional/")
    found = verify_proof(raw, leaf=tiles.leaves[0], origin=ORIGIN, keys=KEYS)
    assert found.index == 0


def test_a_proof_is_its_parts() -> None:
    """Decoding gives back what was encoded, the checkpoint byte for byte."""
    proof = decode_proof(PROOF)
    assert proof.path == tuple(inclusion_path(77, 300, TILES.read))
    assert encode_proof(index=77, path=proof.path, checkpoint=proof.checkpoint_raw) == PROOF


def test_no_leaf_is_in_an_empty_log() -> None:
    """A signed empty log proves nothing about any leaf."""
    raw = encode_proof(index=0, path=[], checkpoint=signed(0, EMPTY_ROOT))
    with pytest.raises(NotAuthentic):
        verify_proof(raw, leaf=LEAF, origin=ORIGIN, keys=KEYS)


def repathed(change: Callable[[list[bytes]], list[bytes]], index: int = 77) -> bytes:
    """Take the valid proof and change its path or its index."""
    proof = decode_proof(PROOF)
    path = change(list(proof.path))
    return encode_proof(index=index, path=path, checkpoint=proof.checkpoint_raw)


CHECKPOINT = decode_proof(PROOF).checkpoint_raw
FORGERIES: dict[str, bytes] = {
    "another index": repathed(lambda path: path, 76),
    "an index outside the tree": repathed(lambda path: path, 300),
    "a hash less": repathed(lambda path: path[:-1]),
    "a hash more": repathed(lambda path: [*path, path[0]]),
    "two hashes swapped": repathed(lambda path: [path[1], path[0], *path[2:]]),
    "no path": repathed(lambda path: []),
    "another root, signed": encode_proof(
        index=77, path=decode_proof(PROOF).path, checkpoint=signed(300, leaf_hash(b"x"))
    ),
    "another size, signed": encode_proof(
        index=77, path=decode_proof(PROOF).path, checkpoint=signed(30_000, leaf_hash(b"x"))
    ),
    "another log of the same keys": encode_proof(
        index=77,
        path=decode_proof(PROOF).path,
        checkpoint=signed(300, root_of(TILES.leaves), ORIGIN[:-1] + "2"),
    ),
    "a size nobody signed": PROOF.replace(b"\n300\n", b"\n299\n"),
}


@pytest.mark.parametrize("raw", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_proof_is_not_authentic(raw: bytes) -> None:
    """However path, index or checkpoint are bent, the leaf is not proved."""
    with pytest.raises(NotAuthentic):
        verify_proof(raw, leaf=LEAF, origin=ORIGIN, keys=KEYS)


def test_a_proof_is_for_one_leaf() -> None:
    """Another leaf of the same log, or what is no hash, is not proved by it."""
    for leaf in (TILES.leaves[76], LEAF[:31], LEAF + b"\0", b""):
        with pytest.raises(NotAuthentic):
            verify_proof(PROOF, leaf=leaf, origin=ORIGIN, keys=KEYS)


def test_an_inner_node_is_no_leaf() -> None:
    """A shorter path from a node of the tree does not pass for a leaf's."""
    path = decode_proof(PROOF).path
    node = node_hash(TILES.leaves[76], LEAF)
    raw = encode_proof(index=38, path=path[1:], checkpoint=CHECKPOINT)
    with pytest.raises(NotAuthentic):
        verify_proof(raw, leaf=node, origin=ORIGIN, keys=KEYS)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\n\n", id="two newlines"),
        pytest.param(CHECKPOINT, id="a checkpoint alone"),
        pytest.param(PROOF.replace(b"@v1", b"@v2"), id="another version"),
        pytest.param(b"\n" + PROOF, id="an empty line first"),
        pytest.param(PROOF.replace(b"index 77\n", b""), id="no index"),
        pytest.param(PROOF.replace(b"index 77", b"index 077"), id="a leading zero"),
        pytest.param(PROOF.replace(b"index 77", b"index +77"), id="a plus"),
        pytest.param(PROOF.replace(b"index 77", b"index -77"), id="a minus"),
        pytest.param(PROOF.replace(b"index 77", b"index 7_7"), id="an underscore"),
        pytest.param(PROOF.replace(b"index 77", b"index  77"), id="two spaces"),
        pytest.param(PROOF.replace(b"index 77", b"index 77 "), id="a space at the end"),
        pytest.param(
            PROOF.replace(b"index 77", "index \uff17\uff17".encode()), id="another script"
        ),
        pytest.param(
            PROOF.replace(b"index 77", b"index %d" % (INTEGER_MAX + 1)), id="a large index"
        ),
        pytest.param(PROOF.replace(b"index 77", b"extra AA==\nindex 77"), id="an extra line"),
        pytest.param(PROOF.replace(b"index 77", b"index 77\nextra AA=="), id="extra below"),
        pytest.param(PROOF.replace(b"=\n", b"\n", 1), id="no padding"),
        pytest.param(PROOF.replace(b"=\n", b"=\r\n"), id="carriage returns"),
        pytest.param(PROOF.replace(b"77\n", b"77\nAAAA\n"), id="a short hash"),
        pytest.param(
            PROOF.replace(b"77\n", b"77\n" + b"A" * 42 + b"B=\n"), id="stray bits in a hash"
        ),
        pytest.param(PROOF[: PROOF.index(b"\n\n") + 2], id="no checkpoint"),
    ],
)
def test_a_proof_out_of_form_is_malformed(raw: bytes) -> None:
    """There is one form, and each of these is not it."""
    with pytest.raises(Malformed):
        decode_proof(raw)


def test_a_proof_is_capped() -> None:
    """Bytes and hashes are counted before they are worked on."""
    with pytest.raises(TooLarge):
        decode_proof(PROOF.ljust(PROOF_BYTES_MAX + 1, b"\n"))
    assert len(decode_proof(repathed(lambda path: path[:1] * 53)).path) == 53
    with pytest.raises(TooLarge):
        decode_proof(repathed(lambda path: path[:1] * 54))


def test_the_longest_proof_fits_its_cap_and_a_receipt() -> None:
    """The longest names, nine witnesses and the highest tree leave room for the record."""
    head = Checkpoint(log_origin("n" * 64, "a" * 64, 999_999_999), INTEGER_MAX, EMPTY_ROOT)
    checkpoint = sign_checkpoint(head, ed25519=ED25519, ml_dsa=ML_DSA, now=NOW)
    for number in range(WITNESSES_MAX):
        lines = cosign(
            head,
            name=witness_name("n" * 64, f"{'w' * 63}{number}"),
            ed25519=signer_from_seed("witness", "ed25519", b"%d" % number * 32),
            ml_dsa=signer_from_seed("witness", "ml-dsa-44", b"%d" % number * 32),
            now=NOW,
        )
        checkpoint = with_cosignatures(checkpoint, lines)
    raw = encode_proof(index=INTEGER_MAX - 1, path=[EMPTY_ROOT] * 53, checkpoint=checkpoint)
    assert decode_proof(raw).checkpoint_raw == checkpoint
    assert (PROOF_BYTES_MAX + RECORD_BYTES_MAX + 128) * 4 // 3 < RECEIPT_BYTES_MAX


def test_a_proof_cut_or_flipped_anywhere_is_refused() -> None:
    """No prefix and no changed byte of a proof proves anything."""
    for place in range(0, len(PROOF), 7):
        flipped = bytearray(PROOF)
        flipped[place] ^= 1
        for raw in (PROOF[:place], bytes(flipped)):
            with pytest.raises(Rejected):
                verify_proof(raw, leaf=LEAF, origin=ORIGIN, keys=KEYS)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_give_a_proof_or_a_refusal(raw: bytes) -> None:
    """The decoder is total, in the head and in the checkpoint."""
    head = PROOF[: PROOF.index(b"\n\n")]
    for candidate in (raw, b"c2sp.org/tlog-proof@v1\nindex " + raw, head + raw + CHECKPOINT):
        try:
            proof = decode_proof(candidate)
        except Rejected:
            continue
        again = encode_proof(index=proof.index, path=proof.path, checkpoint=proof.checkpoint_raw)
        assert again == candidate
        with pytest.raises(Rejected):
            verify_proof(candidate, leaf=leaf_hash(b"x"), origin=ORIGIN, keys=KEYS)
