"""The inbox against forgers who hold real keys: only the rule in question can refuse them.

Whatever is refused leaves no row and no record; the peer hears a short code, the operator's
log has the detail, and nothing else changes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol.envelope import open_envelope, read_envelope
from protocol.messages import MESSAGE_TYPE
from tests.support.forge import Parts, flipped, header_of, signed_by
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair, fresh_message, sealed
from tests.support.trust import seeded


def stripped(parts: Parts, _: Pair) -> Parts:
    """Leave the ML-DSA signature out."""
    return replace(parts, signatures=parts.statement().signatures[:1])


def only_ml_dsa(parts: Parts, _: Pair) -> Parts:
    """Leave the Ed25519 signature out."""
    return replace(parts, signatures=parts.statement().signatures[1:])


def unsigned(parts: Parts, _: Pair) -> Parts:
    """Leave both signatures out."""
    return replace(parts, signatures=())


def swapped(parts: Parts, _: Pair) -> Parts:
    """Put the two signatures in the other order."""
    return replace(parts, signatures=parts.statement().signatures[::-1])


def doubled(parts: Parts, _: Pair) -> Parts:
    """Let the Ed25519 signature stand for both."""
    return replace(parts, signatures=parts.statement().signatures[:1] * 2)


def three(parts: Parts, pair: Pair) -> Parts:
    """Add a third, valid signature of somebody else."""
    more = signed_by(MESSAGE_TYPE, parts.text, tuple(pair.trust.sign_pair(TONGA)))
    return replace(parts, signatures=parts.statement().signatures + more[:1])


def foreign(parts: Parts, pair: Pair) -> Parts:
    """Sign with the pair of a third authority, under its own key ids."""
    return replace(parts, signers=tuple(pair.trust.sign_pair(TONGA)))


def foreign_in_disguise(parts: Parts, pair: Pair) -> Parts:
    """Sign with the pair of a third authority, under the key ids of the sender."""
    theirs = signed_by(MESSAGE_TYPE, parts.text, tuple(pair.trust.sign_pair(TONGA)))
    own = parts.statement().signatures
    made = tuple(replace(one, raw=other.raw) for one, other in zip(own, theirs, strict=True))
    return replace(parts, signatures=made)


def half_foreign(parts: Parts, pair: Pair) -> Parts:
    """Keep the Ed25519 signature, and take the other one of a third authority."""
    theirs = signed_by(MESSAGE_TYPE, parts.text, tuple(pair.trust.sign_pair(TONGA)))
    return replace(parts, signatures=(parts.statement().signatures[0], theirs[1]))


def own_of_the_recipient(parts: Parts, pair: Pair) -> Parts:
    """Sign with the recipient's own pair."""
    return replace(parts, signers=tuple(pair.trust.sign_pair(QUMRAN)))


def log_key(parts: Parts, pair: Pair) -> Parts:
    """Sign with the sender's log pair: right owner, other purpose."""
    return replace(parts, signers=tuple(pair.trust.rings[FIJI].signers("log")))


def witness_key(parts: Parts, pair: Pair) -> Parts:
    """Sign with the sender's witness pair: right owner, other purpose."""
    return replace(parts, signers=tuple(pair.trust.rings[FIJI].signers("witness")))


def another_text(parts: Parts, _: Pair) -> Parts:
    """Put the signatures of one text over another."""
    held = parts.statement().signatures
    return replace(parts.with_text(kind="note"), signatures=held)


def other_type(parts: Parts, _: Pair) -> Parts:
    """Sign the same text as a listing."""
    return replace(parts, kind="application/vnd.comity.listing.v1+json")


def one_bit_of_ed25519(parts: Parts, _: Pair) -> Parts:
    """Turn one bit of the first signature."""
    first, second = parts.statement().signatures
    return replace(parts, signatures=(replace(first, raw=flipped(first.raw, 5)), second))


def one_bit_of_ml_dsa(parts: Parts, _: Pair) -> Parts:
    """Turn one bit of the second signature."""
    first, second = parts.statement().signatures
    return replace(parts, signatures=(first, replace(second, raw=flipped(second.raw, 9))))


def unknown_suite(parts: Parts, _: Pair) -> Parts:
    """Name a suite that nobody knows."""
    return parts.with_header(suite="hpke-0051-0002-0002")


def unknown_key(parts: Parts, _: Pair) -> Parts:
    """Name a key that the recipient never had."""
    return parts.with_header(kid="ab" * 32)


def other_expiry(parts: Parts, _: Pair) -> Parts:
    """Let the header live longer than the signed text."""
    return parts.with_header(expires=json.loads(parts.header)["expires"] + 1)


def other_creation(parts: Parts, _: Pair) -> Parts:
    """Let the header be made later than the signed text."""
    return parts.with_header(created=json.loads(parts.header)["created"] + 1)


def text_for_another(parts: Parts, _: Pair) -> Parts:
    """Sign a text to a third authority inside an envelope to this one."""
    return parts.with_text(to=TONGA)


def text_of_another_network(parts: Parts, _: Pair) -> Parts:
    """Sign a text of another network."""
    return parts.with_text(network="atlantic")


def text_of_another_epoch(parts: Parts, _: Pair) -> Parts:
    """Sign a text of another epoch than the header's."""
    return parts.with_text(epoch=2)


def future_epoch(parts: Parts, _: Pair) -> Parts:
    """Name an epoch that does not exist yet, inside and outside."""
    return parts.with_text(epoch=2).with_header(epoch=2)


def unknown_field(parts: Parts, _: Pair) -> Parts:
    """Sign a text with a field that the frame does not have."""
    return parts.with_text(priority=1)


def case_of_others(parts: Parts, _: Pair) -> Parts:
    """Sign a text in a case that neither of the two opened."""
    return parts.with_text(case=f"{TONGA}/{'ab' * 16}")


def order_of_the_asking(parts: Parts, _: Pair) -> Parts:
    """Let the requesting side give an order number itself."""
    return parts.with_text(order=7)


def from_the_future(parts: Parts, _: Pair) -> Parts:
    """Sign an hour ahead."""
    later = json.loads(parts.text)["created"] + 3_600
    return parts.with_text(created=later).with_header(created=later)


def loose_padding(parts: Parts, _: Pair) -> Parts:
    """Put a one among the zeros."""
    return replace(parts, sealed_text=lambda raw: raw[:-1] + b"\1")


def other_label(parts: Parts, _: Pair) -> Parts:
    """Bind another purpose into the encryption."""
    return replace(parts, label=b"comity/v1/blob\0")


def a_gap(parts: Parts, _: Pair) -> Parts:
    """Begin with the second number."""
    return parts.with_text(seq=2, prev="ab" * 32)


REFUSED: list[tuple[Callable[[Parts, Pair], Parts], str]] = [
    (stripped, "malformed not-authentic"),
    (only_ml_dsa, "malformed not-authentic"),
    (unsigned, "malformed not-authentic"),
    (swapped, "malformed not-authentic"),
    (doubled, "malformed not-authentic"),
    (three, "malformed not-authentic"),
    (foreign, "not-authentic"),
    (foreign_in_disguise, "not-authentic"),
    (half_foreign, "not-authentic"),
    (own_of_the_recipient, "not-authentic"),
    (log_key, "not-authentic"),
    (witness_key, "not-authentic"),
    (another_text, "not-authentic"),
    (other_type, "malformed not-authentic"),
    (one_bit_of_ed25519, "not-authentic"),
    (one_bit_of_ml_dsa, "not-authentic"),
    (unknown_suite, "suite-unknown"),
    (unknown_key, "key-unknown"),
    (other_expiry, "mismatch"),
    (other_creation, "mismatch"),
    (text_for_another, "mismatch"),
    (text_of_another_network, "mismatch"),
    (text_of_another_epoch, "mismatch"),
    (future_epoch, "epoch-ahead"),
    (unknown_field, "malformed"),
    (case_of_others, "malformed"),
    (order_of_the_asking, "malformed"),
    (from_the_future, "not-yet"),
    (loose_padding, "malformed"),
    (other_label, "not-authentic"),
    (a_gap, "out-of-order"),
]


@pytest.mark.parametrize(("change", "code"), REFUSED, ids=[one.__name__ for one, _ in REFUSED])
async def test_a_forged_envelope_is_refused_and_changes_nothing(
    light_pair: Pair, lines: io.StringIO, change: Callable[[Parts, Pair], Parts], code: str
) -> None:
    """One thing is wrong, the rest is as it must be: a code, a log line, and no row."""
    message = fresh_message(light_pair)
    raw = change(light_pair.forge(message), light_pair).encode()
    before = light_pair[QUMRAN].counts()
    (verdict,) = await light_pair.offer(raw)
    assert verdict.refusal in code.split()
    assert (verdict.receipt, verdict.proof) == (None, None)
    assert light_pair[QUMRAN].counts() == before
    (answer,) = light_pair[QUMRAN].exchange._answers(FIJI, [verdict])
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    (line,) = [one for one in logged if one["event"] == "refused"]
    assert (line["code"], line["peer"], line["envelope"]) == (
        verdict.refusal, FIJI, verdict.envelope,
    )  # fmt: skip
    assert line["detail"]
    assert line["detail"] not in repr(answer)
    (honest,) = sealed(light_pair, [message])
    (accepted,) = await light_pair.offer(honest)
    assert accepted.receipt is not None
    light_pair.assert_sound()


async def test_all_cryptographic_failures_look_alike_to_the_peer(light_pair: Pair) -> None:
    """A wrong key, a wrong tag and either wrong signature give one and the same answer."""
    changes = (foreign, half_foreign, one_bit_of_ed25519, one_bit_of_ml_dsa, other_label)
    heard = set()
    for change in changes:
        raw = change(light_pair.forge(fresh_message(light_pair)), light_pair).encode()
        verdicts = await light_pair.offer(raw)
        (answer,) = light_pair[QUMRAN].exchange._answers(FIJI, verdicts)
        heard.add(repr(replace(answer, envelope="")))
    assert len(heard) == 1


async def test_a_message_sealed_again_to_a_third_party_is_refused_there(pair: Pair) -> None:
    """Qumran opens Fiji's message and seals it to Tonga: whoever brings it, Tonga refuses."""
    message = fresh_message(pair)
    (raw,) = sealed(pair, [message])
    key = pair[QUMRAN].node.office.seal_key(read_envelope(raw).header.key_id)
    stolen = open_envelope(read_envelope(raw), key)
    to_tonga = pair.trust.directory.seal_key(TONGA, pair.clock.now())
    signed = replace(pair.forge(message), signatures=stolen.statement.signatures, key=to_tonga)
    before = pair[TONGA].counts()
    for sender, code in ((FIJI, "mismatch"), (QUMRAN, "not-authentic")):
        outer = replace(message, sender=sender, recipient=TONGA)
        forged = replace(signed, header=header_of(outer, to_tonga.key_id)).encode()
        (verdict,) = await pair.offer(forged, brought_by=sender, to=TONGA)
        assert verdict.refusal == code
    (plain,) = await pair.offer(
        replace(signed, header=header_of(message, to_tonga.key_id)).encode(), to=TONGA
    )
    assert plain.refusal == "not-for-us"
    assert pair[TONGA].counts() == before
    pair.assert_sound()


async def test_a_message_sealed_again_under_a_changed_header_is_refused(light_pair: Pair) -> None:
    """Whoever opened it can seal it again, and can change nothing of what stands outside."""
    message = fresh_message(light_pair)
    parts = light_pair.forge(message)
    parts = replace(parts, signatures=parts.statement().signatures)
    longer = parts.with_header(expires=message.expires + 10)
    (verdict,) = await light_pair.offer(longer.encode())
    assert verdict.refusal == "mismatch"


async def test_a_header_changed_in_place_opens_nothing(light_pair: Pair) -> None:
    """The header is bound into the encryption: each changed byte of it is a refusal."""
    (raw,) = sealed(light_pair, [fresh_message(light_pair)])
    size = int.from_bytes(raw[8:12], "big")
    changed = [flipped(raw, place) for place in range(0, 12 + size, 7)]
    before = light_pair[QUMRAN].counts()
    for start in range(0, len(changed), 64):
        verdicts = await light_pair.offer(*changed[start : start + 64])
        assert all(one.refusal is not None for one in verdicts)
    assert light_pair[QUMRAN].counts() == before


async def test_an_envelope_truncated_anywhere_is_refused(light_pair: Pair) -> None:
    """No beginning of an envelope is an envelope, and none stops the node."""
    (raw,) = sealed(light_pair, [fresh_message(light_pair)])
    cut = [raw[:size] for size in range(1, len(raw), 61)]
    before = light_pair[QUMRAN].counts()
    verdicts = await light_pair.offer(*cut)
    assert {one.refusal for one in verdicts} <= {"malformed", "not-authentic", "too-large"}
    assert light_pair[QUMRAN].counts() == before


async def test_somebody_who_is_in_no_document_is_refused(light_pair: Pair) -> None:
    """A stranger with keys of its own, even if its hop key had been let in."""
    message = fresh_message(light_pair, sender="xx.justice", case=f"xx.justice/{'5a' * 16}")
    stranger = light_pair.trust.rings[TONGA]
    key = light_pair.trust.directory.seal_key(QUMRAN, light_pair.clock.now())
    parts = Parts(
        message.text(), tuple(stranger.signers("sign")), header_of(message, key.key_id), key
    )
    hop = light_pair.link(TONGA, QUMRAN)
    hop.sender = "xx.justice"
    (verdict,) = await light_pair.offer(parts.encode(), brought_by=TONGA)
    assert verdict.refusal == "not-permitted"


async def test_arbitrary_bytes_never_stop_the_inbox(light_pair: Pair) -> None:
    """Noise of any length gets a refusal each, beside an honest envelope."""
    draw = seeded("noise")
    noise = [draw(size) for size in (1, 7, 11, 12, 13, 300, 2_000, 5_000)]
    noise += [b"COMITY-1" + draw(size) for size in (1, 4, 300, 2_000)]
    (honest,) = sealed(light_pair, [fresh_message(light_pair)])
    *refused, last = await light_pair.offer(*noise, honest)
    assert {one.refusal for one in refused} <= {"malformed", "too-large"}
    assert last.receipt is not None
