"""Attacks on receipts and records."""

from __future__ import annotations

from dataclasses import replace

from protocol.bundle import Entry
from protocol.encoding import canonical, from_base64, to_base64
from protocol.proof import decode_proof
from tests.support.attacks.made import (
    LAST,
    UNDECIDED,
    Base,
    drop_heads,
    insert,
    on_entries,
    on_parts,
    opened,
    relink,
    said,
)
from tests.support.bundles import FIJI, QUMRAN, TONGA, Parts
from tests.support.forge import flipped


@on_parts("receipt-left-out", "What follows was accepted after it.", UNDECIDED)
def _(_base: Base, parts: Parts) -> None:
    del parts["receipts"][0]
    relink(parts)


@on_parts("receipt-back-dated", "Another time in the record.")
def _(_base: Base, parts: Parts) -> None:
    receipt, record = opened(parts["receipts"][0])
    made = replace(receipt, record=canonical({**record, "at": record["at"] - 3_600}))
    parts["receipts"][0] = made.encode()


@on_parts("receipt-with-another-salt", "The salt is not that of the entry.")
def _(_base: Base, parts: Parts) -> None:
    receipt, _ = opened(parts["receipts"][0])
    parts["receipts"][0] = replace(receipt, salt=flipped(receipt.salt, 5)).encode()


@on_parts("receipt-with-another-path", "One hash of the path is changed.")
def _(_base: Base, parts: Parts) -> None:
    receipt, _ = opened(parts["receipts"][0])
    lines = receipt.proof.split(b"\n")
    lines[2] = to_base64(flipped(from_base64(lines[2].decode()), 3)).encode()
    parts["receipts"][0] = replace(receipt, proof=b"\n".join(lines)).encode()


@on_parts("receipt-of-another-index", "The index is one less.")
def _(_base: Base, parts: Parts) -> None:
    receipt, _ = opened(parts["receipts"][0])
    index = decode_proof(receipt.proof).index
    proof = receipt.proof.replace(b"index %d" % index, b"index %d" % (index - 1), 1)
    parts["receipts"][0] = replace(receipt, proof=proof).encode()


@on_parts("receipt-of-another-network", "A stranger of the same name, with other keys, gave it.")
def _(base: Base, parts: Parts) -> None:
    parts["receipts"][0] = base.stranger.parts["receipts"][0]


@on_parts("receipt-by-the-sender-itself", "The sender's log says that its own message came.")
def _(base: Base, parts: Parts) -> None:
    _, record = opened(parts["receipts"][0])
    book = base.stranger.books[FIJI]
    book = replace(book, trust=base.trust, signed={})
    book.append(canonical(record))
    parts["receipts"][0] = book.prove(len(book.records) - 1)
    drop_heads(parts)


@on_parts("receipt-of-no-message-here", "An acceptance of a message that is not in the file.")
def _(base: Base, parts: Parts) -> None:
    _, record = opened(parts["receipts"][0])
    parts["receipts"].append(said(base, QUMRAN, {**record, "identity": "ab" * 32, "order": 9}))
    drop_heads(parts)


@on_entries("receipt-twice", "Two receipts of one message.")
def _(base: Base, entries: list[Entry]) -> None:
    _, record = opened(base.story.bundle().folder("receipts")[0])
    again = said(base, record["to"], {**record, "at": record["at"] + 1})
    insert(entries, "receipts", 1, again)


@on_parts("number-given-twice", "Two messages with one number in the case.")
def _(base: Base, parts: Parts) -> None:
    _, record = opened(parts["receipts"][LAST])
    parts["receipts"][LAST] = said(base, QUMRAN, {**record, "order": 1})
    drop_heads(parts)


@on_parts("number-left-out", "The last message has a number beyond its place.", UNDECIDED)
def _(base: Base, parts: Parts) -> None:
    _, record = opened(parts["receipts"][LAST])
    parts["receipts"][LAST] = said(base, QUMRAN, {**record, "order": 7})
    drop_heads(parts)


@on_parts("number-where-none-belongs", "A receipt that numbers the requested side's message.")
def _(base: Base, parts: Parts) -> None:
    _, record = opened(parts["receipts"][1])
    parts["receipts"][1] = said(base, FIJI, {**record, "order": 9})
    drop_heads(parts)


@on_parts("receipt-naming-another-sender", "The recipient's log names another sender.")
def _(base: Base, parts: Parts) -> None:
    _, record = opened(parts["receipts"][0])
    parts["receipts"][0] = said(base, QUMRAN, {**record, "from": TONGA})
    drop_heads(parts)


@on_parts("record-changed", "A record that its log does not hold.")
def _(_base: Base, parts: Parts) -> None:
    receipt, record = opened(parts["records"][0])
    made = replace(receipt, record=canonical({**record, "at": record["at"] + 1}))
    parts["records"][0] = made.encode()
