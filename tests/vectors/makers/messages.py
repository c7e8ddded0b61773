"""Vectors of the signed text of messages, and of the records about them (SPEC 4, 6.1, 7.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from protocol.digest import sha256_hex
from protocol.dsse import pae
from protocol.messages import MESSAGE_TYPE, Message
from protocol.record import Decision, commitment, entry
from tests.support.forge import Value, changed, without
from tests.vectors.form import Vector
from tests.vectors.makers.world import (
    ANSWER,
    ATTACHMENT,
    CASE,
    DAY,
    FJ,
    NETWORK,
    NOW,
    QM,
    REQUEST,
    seed,
    vector,
)

_SOME = sha256_hex(b"some message")
_OTHER = sha256_hex(b"some other message")

_BAD_FIELDS: Mapping[str, tuple[str, Mapping[str, Value]]] = {
    "version-2": ("The form is version 1.", {"v": 2}),
    "version-true": ("A boolean is no integer.", {"v": True}),
    "unknown-field": ("The frame is closed.", {"urgent": True}),
    "network-upper-case": ("A network id is lower-case.", {"network": "Pacific"}),
    "epoch-zero": ("Documents count from 1.", {"epoch": 0}),
    "from-ends-in-dot": ("An id ends in a letter or digit.", {"from_": "fj."}),
    "from-too-long": ("An id has at most 64 characters.", {"from_": "a" * 65}),
    "to-itself": ("Nobody writes to itself.", {"to": FJ}),
    "case-of-others": ("The case was opened by neither.", {"case": "to.justice/" + "0" * 32}),
    "case-short": ("A case id ends in 32 hex digits.", {"case": CASE[:-1]}),
    "case-upper-case": ("In lower case.", {"case": f"{FJ}/" + "A" * 32}),
    "seq-zero": ("Numbers count from 1.", {"seq": 0}),
    "first-with-prev": ("The first message has no predecessor.", {"prev": _SOME}),
    "second-without-prev": ("Every other has one.", {"seq": 2}),
    "prev-upper-case": ("A digest is lower-case hex.", {"seq": 2, "prev": _SOME.upper()}),
    "order-of-requesting": ("The requesting side gives no order.", {"order": 1}),
    "skips-twice": ("A skipped message stands once.", {"skips": [_SOME, _SOME]}),
    "salt-short": ("The salt has 32 bytes.", {"salt": "AAAA"}),
    "created-text": ("A time is an integer.", {"created": "2025-10-09"}),
    "expires-at-once": ("A message lives some time.", {"expires": NOW}),
    "expires-too-late": ("And at most 90 days.", {"expires": NOW + 90 * DAY + 1}),
    "kind-upper-case": ("A kind is lower-case words.", {"kind": "Transmit"}),
    "body-a-list": ("The body is an object.", {"body": []}),
    "body-with-a-float": ("No fractions, in the body either.", {"body": {"amount": 1.5}}),
    "attachment-unknown-field": ("An attachment is closed.",
                                 {"attachments": [{**ATTACHMENT.to_json(), "url": ""}]}),
    "attachment-bad-type": ("A media type has two parts.",
                            {"attachments": [{**ATTACHMENT.to_json(), "type": "pdf"}]}),
}  # fmt: skip


def _texts() -> Iterator[Vector]:
    good: Mapping[str, tuple[str, Message]] = {
        "ok-request": ("A first message: nothing before it, nothing seen.", REQUEST),
        "ok-answer": ("The requested side gives the order.", ANSWER),
        "ok-skips": ("The second, after one that was given up.",
                     replace(REQUEST, seq=3, prev=_OTHER, seen=_SOME, skips=(_OTHER,))),
        "ok-attachment": ("A file beside the message.",
                          replace(REQUEST, attachments=(ATTACHMENT,))),
        "ok-unknown-kind": ("What a kind means is not the frame's affair.",
                            replace(REQUEST, kind="thank_again", body={"x": [1, {"y": None}]})),
        "ok-longest-life": ("Exactly 90 days.", replace(REQUEST, expires=NOW + 90 * DAY)),
        "ok-longest-id": ("An id of 64 characters.",
                          replace(REQUEST, recipient="q" + "-" * 62 + "m")),
    }  # fmt: skip
    for name, (comment, message) in good.items():
        identity = sha256_hex(pae(MESSAGE_TYPE, message.text()))
        yield vector(f"message-text/{name}", "ok", comment, message.text(), identity=identity)
    for name, (comment, changes) in _BAD_FIELDS.items():
        body = changed(REQUEST.text(), **changes)
        yield vector(f"message-text/{name}", "malformed", comment, body)
    yield vector("message-text/requested-without-order", "malformed",
                 "The requested side gives each message its order.",
                 changed(ANSWER.text(), order=None))  # fmt: skip
    yield vector("message-text/no-salt", "malformed", "No field may be absent.",
                 without(REQUEST.text(), "salt"))  # fmt: skip
    many = [f"{number:064x}" for number in range(257)]
    yield vector("message-text/too-many-skips", "too-large", "At most 256.",
                 changed(REQUEST.text(), skips=many))  # fmt: skip
    attachments = [ATTACHMENT.to_json()] * 65
    yield vector("message-text/too-many-attachments", "too-large", "At most 64.",
                 changed(REQUEST.text(), attachments=attachments))  # fmt: skip


ACCEPTED = Decision(
    "message.accepted", NETWORK, NOW + 60, sha256_hex(pae(MESSAGE_TYPE, REQUEST.text())),
    sha256_hex(b"the envelope"), FJ, QM, order=1,
)  # fmt: skip
REFUSED = replace(ACCEPTED, kind="message.refused", order=None, code="expired")


def _records() -> Iterator[Vector]:
    for name, decision in (("ok-accepted", ACCEPTED), ("ok-refused", REFUSED),
                           ("ok-no-order", replace(ACCEPTED, order=None))):  # fmt: skip
        yield vector(f"record/{name}", "ok", "A decision about one message.", decision.encode(),
                     kind=decision.kind)  # fmt: skip
    bad: Mapping[str, tuple[str, Decision, Mapping[str, Value]]] = {
        "other-kind": ("Only decisions leave the node.", ACCEPTED, {"kind": "message.sent"}),
        "refused-not-final": ("A refusal that may be lifted is never proved.", REFUSED,
                              {"code": "busy"}),
        "refused-unknown-code": ("The codes are a closed list.", REFUSED, {"code": "sorry"}),
        "refused-with-order": ("A refusal gives no order.", REFUSED, {"order": 1}),
        "accepted-with-code": ("An acceptance has no code.", ACCEPTED, {"code": "expired"}),
        "order-zero": ("Orders count from 1.", ACCEPTED, {"order": 0}),
        "identity-short": ("A digest has 64 digits.", ACCEPTED, {"identity": "00"}),
    }  # fmt: skip
    for name, (comment, decision, changes) in bad.items():
        yield vector(f"record/{name}", "malformed", comment, changed(decision.encode(), **changes))
    long = changed(ACCEPTED.encode(), note="a" * 4_096)
    yield vector("record/too-long", "too-large", "A record has at most 4,096 bytes.", long)


def _entries() -> Iterator[Vector]:
    for name, record in (("ok-accepted", ACCEPTED.encode()), ("ok-empty", b"")):
        salt = seed(f"salt {name}")
        yield vector(f"entry/{name}", "ok", "01, then the commitment to salt and record.", record,
                     salt=salt.hex(), value=entry(commitment(record, salt)).hex())  # fmt: skip


def vectors() -> Iterator[Vector]:
    """Give all vectors of this module."""
    yield from _texts()
    yield from _records()
    yield from _entries()
