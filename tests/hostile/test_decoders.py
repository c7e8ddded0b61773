"""Arbitrary bytes into every decoder: a value that encodes to the same bytes, or `Rejected`.

Never another exception, whatever comes: nothing else would be answered with a code, and one
poisoned item could stop a queue. The table is complete: a test compares it with the
functions named `decode_…` and `read_…` of the packages that decode.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import ring as ring_module
from keys.ring import new_ring, new_steward_ring
from node.evidence.manifest import Item, decode_manifest, manifest_of
from node.transport import batch
from protocol import (
    bundle,
    bundle_parts,
    closure,
    continuation,
    dsse,
    encoding,
    envelope,
    fork,
    identity,
    listing,
    messages,
    network,
    note,
    proof,
    witness_wire,
)
from protocol import checkpoint as checkpoint_module
from protocol import document as document_module
from protocol import receipt as receipt_module
from protocol import receipt_file as receipt_file_module
from protocol import record as record_module
from protocol import revocation as revocation_module
from protocol.encoding import Fields, canonical
from protocol.errors import Rejected
from protocol.identity import PublicKey
from protocol.messages import MESSAGE_TYPE
from protocol.note import VerifierKey, decode_note
from protocol.receipt_file import encode_receipt_file
from tests.support.strategies import json_values, mutations
from tests.support.trust import seeded
from tests.vectors.form import read
from tests.vectors.makers.messages import ACCEPTED
from tests.vectors.makers.world import NETWORK, NOW, QM, QM_LOG, REQUEST

Decode: TypeAlias = Callable[[bytes], Any]
MIB = 1024 * 1024


def _text(decoder: Callable[[str], Any]) -> Decode:
    """Give a decoder of texts the bytes as a text: any bytes are one in Latin-1."""
    return lambda raw: decoder(raw.decode("latin-1"))


def _encoded(value: Any) -> bytes:  # noqa: ANN401  (whatever a decoder gives)
    made: bytes = value.encode()
    return made


@cache
def samples() -> Mapping[str, bytes]:
    """Give valid bytes for each decoder, to be mutated."""
    committed = read("receipt/ok").body
    receipt = receipt_module.decode_receipt(committed)
    found = proof.decode_proof(receipt.proof)
    key = VerifierKey("pacific/qm.justice/1", 0x01, QM_LOG.first.public.raw)
    items = [Item("a/b.csv", "text/csv", 3, "0" * 64), Item("c", "text/plain", 0, "1" * 64)]
    kept = new_ring(NETWORK, QM, random=seeded("hostile"), now=NOW)
    return {
        "encoding.decode": canonical({"a": [1, None, True, "\u00e9\n"], "b": {}}),
        "encoding.from_base64": b"AAECAwQ=",
        "dsse.decode_statement": read("statement/ok").body,
        "messages.decode_inner": read("statement/ok").body,
        "messages.decode_message_text": REQUEST.text(),
        "envelope.read_envelope": read("envelope/ok").body,
        "note.decode_note": found.checkpoint_raw,
        "note.decode_verifier_key": key.encode().encode(),
        "checkpoint.decode_body": decode_note(found.checkpoint_raw).body.encode(),
        "proof.decode_proof": receipt.proof,
        "record.decode_decision": ACCEPTED.encode(),
        "receipt.decode_receipt": committed,
        "receipt_file.decode_receipt_file": _receipt_file(),
        "receipt_file.read_claim": committed,
        "document.decode_document_text": read("network-text/ok").body,
        "network.decode_document": read("network/ok-first").body,
        "listing.decode_listing": read("listing/ok").body,
        "listing.decode_listing_text": read("listing-text/ok").body,
        "revocation.decode_revocation": read("revocation/ok").body,
        "revocation.decode_revocation_text": _statement_text(
            "revocation/ok", revocation_module.REVOCATION_TYPE
        ),
        "continuation.decode_continuation": read("continuation/ok").body,
        "fork.decode_fork": read("fork/ok-two-sizes").body,
        "closure.decode_closure": read("closure/ok").body,
        "closure.decode_closure_text": _statement_text("closure/ok", closure.CLOSURE_TYPE),
        **_of_a_bundle(),
        "witness_wire.decode_add_checkpoint": read("add-checkpoint/ok").body,
        "witness_wire.decode_cosignatures": read("cosignatures/ok").body,
        "witness_wire.decode_size": b"42\n",
        "ring.decode_ring": canonical(kept.to_json()),
        "ring.decode_ring/steward": canonical(
            new_steward_ring("North", random=seeded("north"), now=NOW).to_json()
        ),
        "manifest.decode_manifest": manifest_of(items).encode(),
        "batch.decode_batch": read("batch/ok").body,
        "batch.decode_answers": batch.Answers(
            (batch.Pending("0" * 64), batch.Refused("1" * 64, "busy", b"x")), b"seen", b"log"
        ).encode(),
        "batch.decode_notices": batch.Notices((b"closure",), (b"fork", b"other")).encode(),
        "batch.decode_known": batch.encode_known(["0" * 64]),
        "batch.decode_documents": batch.encode_documents([b"one", b"two"]),
        "batch.decode_listings": batch.encode_listings([b"one"], [b"two"]),
        "batch.decode_refusal": b'{"refusal":"busy","v":1}',
    }


def _of_a_bundle() -> Mapping[str, bytes]:
    raw = read("bundle/ok-case").body
    parts = bundle.decode_bundle(raw).parts
    receipt = parts["receipts"][0]
    return {
        "bundle.decode_container": raw,
        "bundle.decode_bundle": raw,
        "bundle_parts.read_message": parts["messages"][0],
        "bundle_parts.read_any_record": receipt_module.decode_receipt(receipt).record,
        "bundle_parts.read_proof": parts["records"][0],
        "bundle_parts.read_receipt": receipt,
        "bundle_parts.read_head": parts["heads"][0],
        "bundle_parts.read_timestamp": bundle_parts.encode_timestamp(
            bundle_parts.read_head(parts["heads"][0]).continuation.checkpoint_raw, b"token"
        ),
    }


def _receipt_file() -> bytes:
    return encode_receipt_file(
        read("receipt/ok").body, documents=[read("network/ok-first").body], listings=[]
    )


def _statement_text(name: str, kind: str) -> bytes:
    return dsse.decode_statement(read(name).body, kind=kind, bytes_max=MIB).text


DECODERS: Mapping[str, tuple[Decode, Callable[[Any], bytes] | None]] = {
    "encoding.decode": (lambda raw: encoding.decode(raw, bytes_max=MIB), canonical),
    "encoding.from_base64": (
        _text(encoding.from_base64), lambda value: encoding.to_base64(value).encode()),
    "dsse.decode_statement": (
        lambda raw: dsse.decode_statement(raw, kind=MESSAGE_TYPE, bytes_max=MIB), _encoded),
    "messages.decode_inner": (messages.decode_inner, _encoded),
    "messages.decode_message_text": (messages.decode_message_text, lambda one: one.text()),
    "envelope.read_envelope": (envelope.read_envelope, lambda one: one.raw),
    "note.decode_note": (note.decode_note, _encoded),
    "note.decode_verifier_key": (
        _text(note.decode_verifier_key), lambda one: one.encode().encode("latin-1")),
    "checkpoint.decode_body": (
        _text(checkpoint_module.decode_body), lambda one: one.body().encode("latin-1")),
    "proof.decode_proof": (
        proof.decode_proof,
        lambda one: proof.encode_proof(
            index=one.index, path=one.path, checkpoint=one.checkpoint_raw)),
    "record.decode_decision": (record_module.decode_decision, _encoded),
    "receipt.decode_receipt": (receipt_module.decode_receipt, _encoded),
    "receipt_file.decode_receipt_file": (receipt_file_module.decode_receipt_file, _encoded),
    "receipt_file.read_claim": (receipt_file_module.read_claim, lambda one: one.receipt.encode()),
    "document.decode_document_text": (
        document_module.decode_document_text, lambda one: one.text()),
    "network.decode_document": (network.decode_document, _encoded),
    "listing.decode_listing": (listing.decode_listing, _encoded),
    "listing.decode_listing_text": (listing.decode_listing_text, lambda one: one.text()),
    "revocation.decode_revocation": (revocation_module.decode_revocation, _encoded),
    "revocation.decode_revocation_text": (
        revocation_module.decode_revocation_text, lambda one: one.text()),
    "continuation.decode_continuation": (continuation.decode_continuation, _encoded),
    "fork.decode_fork": (fork.decode_fork, _encoded),
    "closure.decode_closure": (closure.decode_closure, _encoded),
    "closure.decode_closure_text": (closure.decode_closure_text, lambda one: one.text()),
    "bundle.decode_container": (bundle.decode_container, bundle.encode_container),
    "bundle.decode_bundle": (bundle.decode_bundle, _encoded),
    "bundle_parts.read_message": (bundle_parts.read_message, lambda one: one.statement.encode()),
    "bundle_parts.read_any_record": (
        bundle_parts.read_any_record, lambda one: canonical(one.fields)),
    "bundle_parts.read_proof": (bundle_parts.read_proof, lambda one: one.receipt.encode()),
    "bundle_parts.read_receipt": (
        bundle_parts.read_receipt, lambda one: one.proof.receipt.encode()),
    "bundle_parts.read_head": (bundle_parts.read_head, lambda one: one.continuation.encode()),
    "bundle_parts.read_timestamp": (
        bundle_parts.read_timestamp,
        lambda one: bundle_parts.encode_timestamp(one.checkpoint_raw, one.token)),
    "witness_wire.decode_add_checkpoint": (witness_wire.decode_add_checkpoint, _encoded),
    "witness_wire.decode_cosignatures": (
        witness_wire.decode_cosignatures, witness_wire.encode_cosignatures),
    "witness_wire.decode_size": (witness_wire.decode_size, witness_wire.encode_size),
    "ring.decode_ring": (ring_module.decode_ring, lambda one: canonical(one.to_json())),
    "ring.decode_ring/steward": (ring_module.decode_ring, lambda one: canonical(one.to_json())),
    "manifest.decode_manifest": (decode_manifest, _encoded),
    "batch.decode_batch": (batch.decode_batch, _encoded),
    "batch.decode_answers": (batch.decode_answers, _encoded),
    "batch.decode_notices": (batch.decode_notices, _encoded),
    "batch.decode_known": (batch.decode_known, batch.encode_known),
    "batch.decode_documents": (batch.decode_documents, batch.encode_documents),
    "batch.decode_listings": (batch.decode_listings, lambda one: batch.encode_listings(*one)),
    "batch.decode_refusal": (batch.decode_refusal, lambda code: canonical(
        {"v": 1, "refusal": code})),
}  # fmt: skip

NAMES = sorted(DECODERS)


def give(name: str, raw: bytes) -> None:
    """Put bytes into one decoder and hold what comes out against them."""
    decoder, encode = DECODERS[name]
    try:
        value = decoder(raw)
    except Rejected:
        return
    assert encode is None or encode(value) == raw


@pytest.mark.parametrize("name", NAMES)
def test_a_valid_one_is_taken(name: str) -> None:
    """Otherwise the mutations below would mutate something that is refused anyway."""
    decoder, encode = DECODERS[name]
    raw = samples()[name]
    assert encode is not None
    assert encode(decoder(raw)) == raw


@pytest.mark.parametrize("name", NAMES)
@given(raw=st.binary(max_size=200))
@settings(max_examples=50)
def test_arbitrary_bytes_give_a_value_or_a_refusal(name: str, raw: bytes) -> None:
    """Nothing but noise."""
    give(name, raw)


@pytest.mark.parametrize("name", NAMES)
@given(value=json_values())
@settings(max_examples=50)
def test_arbitrary_json_gives_a_value_or_a_refusal(name: str, value: encoding.Json) -> None:
    """The first door is open: every type may stand where a field is expected."""
    give(name, canonical(value))


@pytest.mark.parametrize("name", NAMES)
@given(chance=st.data())
@settings(max_examples=80)
def test_a_mutated_valid_one_gives_a_value_or_a_refusal(name: str, chance: st.DataObject) -> None:
    """Nearly right: cut, doubled, or with a few other bytes."""
    give(name, chance.draw(mutations(samples()[name])))


@pytest.mark.parametrize("name", [name for name in NAMES if samples()[name][:1] == b"{"])
@given(chance=st.data())
@settings(max_examples=40)
def test_a_field_with_any_value_gives_a_value_or_a_refusal(
    name: str, chance: st.DataObject
) -> None:
    """Right in form and canonical, with one field replaced by any JSON at all."""
    tree: Any = encoding.decode(samples()[name], bytes_max=MIB)
    place = tree
    while True:
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        at = chance.draw(st.sampled_from(keys))
        deeper = isinstance(place[at], (dict, list)) and place[at]
        if not deeper or chance.draw(st.booleans()):
            break
        place = place[at]
    place[at] = chance.draw(json_values())
    give(name, canonical(tree))


@pytest.mark.parametrize("name", NAMES)
def test_a_valid_one_cut_anywhere_gives_a_value_or_a_refusal(name: str) -> None:
    """Truncated at every byte, or at every hundredth where it is long."""
    raw = samples()[name]
    for end in range(0, len(raw), max(1, len(raw) // 400)):
        give(name, raw[:end])


@given(json_values())
@settings(max_examples=50)
def test_fields_of_a_key_give_a_key_or_a_refusal(value: encoding.Json) -> None:
    """The reader of keys inside other objects."""
    for wrapped in (value, {"purpose": "hop", "algorithm": "ed25519", "key": value}):
        try:
            PublicKey.from_fields(Fields(wrapped, "key"))
        except Rejected:
            continue


@given(st.text(max_size=80))
def test_texts_give_a_name_or_a_refusal(text: str) -> None:
    """Ids, case ids and URLs."""
    for check in (identity.check_authority_id, identity.case_opener, listing.check_url):
        try:
            check(text)
        except Rejected:
            continue


def test_no_decoder_is_left_out() -> None:
    """A new one must stand in the table, or this fails."""
    modules = [
        "protocol.bundle", "protocol.bundle_parts",
        "protocol.checkpoint", "protocol.closure", "protocol.continuation", "protocol.document",
        "protocol.dsse", "protocol.encoding", "protocol.fork", "protocol.witness_wire",
        "protocol.envelope", "protocol.listing", "protocol.messages", "protocol.network",
        "protocol.note", "protocol.proof", "protocol.receipt", "protocol.receipt_file",
        "protocol.record", "protocol.revocation", "keys.ring", "node.transport.batch",
        "node.evidence.manifest",
    ]  # fmt: skip
    found = set()
    for name in modules:
        for function, value in inspect.getmembers(import_module(name), inspect.isfunction):
            decodes = function.startswith(("decode", "read_", "from_base64"))
            if decodes and value.__module__ == name:
                found.add(f"{name.rpartition('.')[2]}.{function}")
    assert found == {name.partition("/")[0] for name in DECODERS}
