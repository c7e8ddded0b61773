"""Vectors of receipt files (SPEC 7.4): of a log that is listed, and of those that go on after it.

They hang together: document and listing are those of `receipt-file/ok` as it is kept, and the
others are given by what differs from it. To renew them, delete the folder and run the
generator.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from keys.pairs import SignerPair
from keys.ring import new_ring
from protocol.checkpoint import Checkpoint, log_origin, sign_checkpoint
from protocol.closure import CLOSURE_TYPE, Closure
from protocol.document import KeyTerm, LogTerm
from protocol.dsse import Unverified, sign
from protocol.encoding import to_base64
from protocol.listing import sign_listing
from protocol.merkle import inclusion_path, leaf_hash, root_of, tree_root
from protocol.proof import encode_proof
from protocol.receipt import Receipt
from protocol.receipt_file import ReceiptFile, decode_receipt_file, verify_receipt_file
from protocol.record import Decision, commitment, entry
from tests.support.forge import Value, changed
from tests.support.tree import TileStore, some_leaves
from tests.support.trust import Trust, listed_keys, make_trust, seeded
from tests.vectors.form import FOLDER, Vector, read
from tests.vectors.makers.world import DAY, FJ, NETWORK, NOW, QM, seed

WHOLE: Final = "receipt-file/ok"
_SIZE: Final = 5
_SALT: Final = seed("receipt file salt")
_END: Final = Closure(NETWORK, QM, 1, 3, root_of(some_leaves(3)), "lost-state", 2, NOW)


@dataclass(frozen=True, slots=True)
class World:
    """Two authorities, and the file that is kept in whole."""

    trust: Trust
    kept: ReceiptFile

    def receipt(self, number: int, *, signer: SignerPair | None = None) -> bytes:
        """Give a receipt of Qumran's log of that number."""
        return _receipt(number, signer or self.trust.rings[QM].signers("log"))

    def closure(self, *, by: SignerPair | None = None, **changes: Value) -> bytes:
        """Give the closure of Qumran's first log, changed, signed by its pair or another."""
        return self.statement(replace(_END, **changes).text(), by).encode()

    def statement(self, text: bytes, by: SignerPair | None = None) -> Unverified:
        """Give the statement of a closure's text."""
        return sign(CLOSURE_TYPE, text, by or self.trust.sign_pair(QM))

    def file(self, number: int, *closures: bytes, **changes: Value) -> ReceiptFile:
        """Give the file of a receipt of the log of that number."""
        fields = {"receipt": self.receipt(number), "closures": closures, **changes}
        return replace(self.kept, **fields)


def _receipt(number: int, signer: SignerPair) -> bytes:
    decision = Decision(
        kind="message.accepted", network=NETWORK, at=NOW + 60, identity="1d" * 32,
        envelope="e4" * 32, sender=FJ, recipient=QM, order=1,
    )  # fmt: skip
    record, store, index = decision.encode(), TileStore(), _SIZE - 1
    leaves = some_leaves(_SIZE)
    leaves[index] = leaf_hash(entry(commitment(record, _SALT)))
    store.append(leaves)
    head = Checkpoint(log_origin(NETWORK, QM, number), _SIZE, tree_root(_SIZE, store.read))
    signed = sign_checkpoint(head, ed25519=signer.first, ml_dsa=signer.second, now=NOW + 61)
    path = inclusion_path(index, _SIZE, store.read)
    return Receipt(record, _SALT, encode_proof(index=index, path=path, checkpoint=signed)).encode()


def vectors() -> Iterator[Vector]:
    """Make them all; the generator writes each before it asks for the next."""
    trust = make_trust((FJ, QM), stewards=1, threshold=1, now=NOW, network=NETWORK)
    fresh = ReceiptFile(
        _receipt(1, trust.rings[QM].signers("log")), trust.documents, (trust.listing(QM).raw,)
    )
    comment = "A receipt, a document that lists its log, and the listing that shows its keys."
    whole = Vector(WHOLE, "ok", comment, fresh.encode(), _found(fresh))
    yield whole
    kept = read(WHOLE).body if whole.path(FOLDER).exists() else whole.body
    world = World(trust, decode_receipt_file(kept))
    for name, (comment, file) in _good(world).items():
        yield _as_change(world, f"receipt-file/{name}", ("ok", comment), file)
    for name, (expect, comment, file) in _bad(world).items():
        yield _as_change(world, f"receipt-file/{name}", (expect, comment), file)
    yield from _malformed()


def _found(file: ReceiptFile) -> dict[str, str]:
    verified = verify_receipt_file(file.encode())
    head = verified.signed.checkpoint
    return {
        "document": verified.document_digest, "kind": verified.decision.kind,
        "origin": head.origin, "index": str(verified.index), "size": str(head.size),
    }  # fmt: skip


def _as_change(world: World, name: str, told: tuple[str, str], file: ReceiptFile) -> Vector:
    whole, other = json.loads(world.kept.encode()), json.loads(file.encode())
    differing = {field: value for field, value in other.items() if value != whole[field]}
    found = _found(file) if told[0] == "ok" else {}
    body = json.dumps(differing, sort_keys=True).encode()
    return Vector(name, *told, body, {"base": WHOLE, **found})


# --- good ones --------------------------------------------------------------


def _good(world: World) -> Mapping[str, tuple[str, ReceiptFile]]:
    renewed, rotated = _renewed(world), _rotated(world)
    second = world.closure(number=2, next_number=3, size=0, root=root_of([]))
    return {
        "ok-lost-state": ("The next log has the keys of the closed one.",
                          world.file(2, world.closure())),
        "ok-lost-state-twice": ("And so has the one after it.",
                                world.file(3, world.closure(), second)),
        "ok-lost-state-number-left-out": ("The next log is not always the next number.",
                                          world.file(7, world.closure(next_number=7))),
        "ok-new-keys": ("Listed with its own keys; nothing has to lead there.", renewed),
        "ok-new-keys-and-closure": (
            "A closure that is not needed does no harm.",
            replace(renewed, closures=(world.closure(reason="new-keys"),))),
        "ok-listed-after-lost-state": ("Keys that are listed count, not those of the closed log.",
                                       replace(renewed, closures=(world.closure(),))),
        "ok-closed-by-older-keys": ("By the sign keys of its time, which an older listing shows.",
                                    replace(rotated, closures=(world.closure(),))),
    }  # fmt: skip


def _renewed(world: World) -> ReceiptFile:
    """Give the file of a second log, listed with keys of its own."""
    trust, drawn = world.trust, _drawn()
    listed, held = trust.directory.entry(QM), trust.listing(QM)
    logs = (*listed.logs, LogTerm(2, drawn.signers("log").key_ids))
    changed = trust.document.document.with_authority(replace(listed, logs=logs))
    document = trust.next_document(version=1, prev=None, authorities=changed.authorities)
    fresh = [one for one in listed_keys(drawn) if one.key.purpose == "log"]
    kept = [one for one in held.listing.keys if one.key.purpose != "log"]
    listing = trust.next_listing(QM, created=NOW + DAY, keys=(*kept, *fresh))
    receipt = world.receipt(2, signer=drawn.signers("log"))
    return ReceiptFile(receipt, (document,), (listing,))


def _rotated(world: World) -> ReceiptFile:
    """Give the file of log 2, without a closure, of an authority with new `sign` keys."""
    trust, drawn = world.trust, _drawn()
    listed, held = trust.directory.entry(QM), trust.listing(QM)
    terms = (
        replace(listed.sign[0], until=NOW + DAY),
        KeyTerm(drawn.signers("sign").key_ids, NOW + DAY, None),
    )
    changed = trust.document.document.with_authority(replace(listed, sign=terms))
    document = trust.next_document(version=1, prev=None, authorities=changed.authorities)
    fresh = [one for one in listed_keys(drawn) if one.key.purpose == "sign"]
    kept = [one for one in held.listing.keys if one.key.purpose != "sign"]
    newest = replace(
        held.listing, serial=2, prev=held.digest, created=NOW + DAY, keys=(*fresh, *kept)
    )
    listing = sign_listing(newest, drawn.signers("sign")).encode()
    return ReceiptFile(world.receipt(2), (document,), (world.kept.listings[0], listing))


def _drawn() -> Value:
    return new_ring(NETWORK, QM, random=seeded("vectors new"), now=NOW + DAY)


# --- bad ones ---------------------------------------------------------------


def _bad(world: World) -> Mapping[str, tuple[str, str, ReceiptFile]]:
    return {**_bad_closures(world), **_bad_others(world)}


def _bad_closures(world: World) -> Mapping[str, tuple[str, str, ReceiptFile]]:
    signed = world.statement(_END.text())
    second = world.closure(number=2, next_number=3)
    fj, drawn = world.trust.sign_pair(FJ), _drawn().signers("sign")
    rotated = _rotated(world)
    late = world.closure(created=NOW + DAY)
    other_end = replace(signed, text=changed(signed.text, size=2)).encode()
    undecided = {
        "closure-missing": ("Nothing in the file gives the log its keys.", world.file(2)),
        "closure-for-new-keys": ("New keys are never those of the closed log.",
                                 world.file(2, world.closure(reason="new-keys"))),
        "closure-first-missing": ("It goes on from a log that nothing lists.",
                                  world.file(3, second)),
        "closure-by-keys-not-shown": ("No listing shows the keys that signed it.",
                                      replace(rotated, closures=(world.closure(),),
                                              listings=rotated.listings[1:])),
    }  # fmt: skip
    false = {
        "closure-signed-by-another": ("By another authority.",
                                      world.file(2, world.closure(by=fj))),
        "closure-of-another": ("Another authority's log ended.",
                               world.file(2, world.closure(by=fj, authority=FJ))),
        "closure-of-another-network": ("A log of another network ended.",
                                       world.file(2, world.closure(network="atlantic"))),
        "closure-changed": ("Another end than was signed.", world.file(2, other_end)),
        "closure-half-signed": ("One signature is stripped.", world.file(
            2, replace(signed, signatures=signed.signatures[:1]).encode())),
        "closure-by-older-keys": ("By sign keys whose term was over.",
                                  replace(rotated, closures=(late,))),
        "closure-by-later-keys": ("Dated back before the term of its sign keys.",
                                  replace(rotated, closures=(world.closure(by=drawn),))),
        "closure-of-the-log-itself": ("It leads beyond the log of the receipt.",
                                      world.file(2, world.closure(), second)),
        "closures-turned": ("Oldest first.", world.file(3, second, world.closure())),
        "closure-twice": ("Once.", world.file(2, world.closure(), world.closure())),
    }  # fmt: skip
    return {
        **{name: ("key-unknown", *rest) for name, rest in undecided.items()},
        **{name: ("not-authentic", *rest) for name, rest in false.items()},
    }


def _bad_others(world: World) -> Mapping[str, tuple[str, str, ReceiptFile]]:
    kept, drawn, renewed = world.kept, _drawn(), _renewed(world)
    other = make_trust((FJ, QM), stewards=1, threshold=1, now=NOW, network="atlantic")
    by_new = world.receipt(2, signer=drawn.signers("log"))
    return {
        "no-documents": ("key-unknown", "Whose keys count, nothing says.",
                         replace(kept, documents=())),
        "no-listings": ("key-unknown", "The keys themselves are not shown.",
                        replace(kept, listings=())),
        "listing-of-another": ("key-unknown", "It shows other keys.",
                               replace(kept, listings=(world.trust.listing(FJ).raw,))),
        "documents-that-differ": (
            "key-unknown", "Which of two pairs is the log's?",
            replace(renewed, documents=(*renewed.documents, *kept.documents),
                    closures=(world.closure(),), listings=(*renewed.listings, *kept.listings))),
        "document-of-another-network": ("not-for-us", "It judges its own network alone.",
                                        replace(kept, documents=other.documents)),
        "receipt-by-other-keys": ("not-authentic", "A log that goes on has the keys of the old.",
                                  world.file(2, world.closure(), receipt=by_new)),
        "receipt-of-a-renewed-log-by-old-keys": (
            "not-authentic", "Nobody goes on with keys that were replaced.",
            replace(renewed, receipt=world.receipt(2), closures=(world.closure(),),
                    listings=(*kept.listings, *renewed.listings))),
    }  # fmt: skip


def _malformed() -> Iterator[Vector]:
    cases: Mapping[str, tuple[str, str, Value]] = {
        "closures-left-out": ("malformed", "An empty list is written.", {"closures": None}),
        "closures-no-list": ("malformed", "A list.", {"closures": ""}),
        "closure-no-statement": ("malformed", "Of statements.", {"closures": [to_base64(b"{}")]}),
        "closures-too-many": ("too-large", "At most 64.", {"closures": [""] * 65}),
        "unknown-field": ("malformed", "The form is closed.", {"more": 1}),
        "version": ("malformed", "Version 1.", {"v": 2}),
        "other-kind": ("malformed", "It says what it is.", {"kind": "comity-bundle"}),
    }
    for name, (expect, comment, differing) in cases.items():
        body = json.dumps(differing).encode()
        yield Vector(f"receipt-file/{name}", expect, comment, body, {"base": WHOLE})
