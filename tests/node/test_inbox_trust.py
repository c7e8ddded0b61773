"""The inbox and whose keys count: epochs, rotations, revocations, permission, expiry.

*Whose signature is this?* is asked of the keys of the message's time; *may it do this now?*
of the newest document and of revocations.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from keys.ring import KeyEntry, KeyRing
from protocol.document import KeyTerm
from protocol.errors import DocumentExpired, NotPermitted
from protocol.identity import ALGORITHMS
from protocol.listing import ListedKey
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair, fresh_message, sealed
from tests.support.trust import Trust, seeded

GRACE_S = 90 * 86_400


def renewed_sign(ring: KeyRing, now: int) -> KeyRing:
    """Give a ring with another `sign` pair."""
    draw = seeded("another sign pair")
    kept = tuple(one for one in ring.entries if one.purpose != "sign")
    fresh = tuple(KeyEntry("sign", one, draw(32), now) for one in ALGORITHMS["sign"])
    return replace(ring, entries=(*kept, *fresh))


def with_new_sign_keys(trust: Trust, now: int) -> tuple[Trust, bytes, bytes]:
    """Give Fiji another sign pair in document 2, signed also by its old pair."""
    old, new = trust.rings[FIJI], renewed_sign(trust.rings[FIJI], now)
    terms = (
        KeyTerm(old.signers("sign").key_ids, 0, now),
        KeyTerm(new.signers("sign").key_ids, now, None),
    )
    authorities = tuple(
        replace(one, sign=terms) if one.id == FIJI else one
        for one in trust.document.document.authorities
    )
    document = trust.next_document(
        created=now, authorities=authorities,
        pairs=(*trust.steward_pairs, old.signers("sign")),
    )  # fmt: skip
    keys = tuple(ListedKey(one, 0, None) for one in new.public_keys()) + tuple(
        ListedKey(one, 0, now) for one in old.signers("sign").public
    )
    held = trust.listing(FIJI)
    renewed = replace(trust, directory=trust.directory.install_document(document, now=now))
    renewed = renewed.with_ring(new)
    listing = renewed.next_listing(FIJI, serial=held.listing.serial + 1, created=now, keys=keys)
    directory = renewed.directory.install_listing(listing, now=now)
    return replace(renewed, directory=directory), document, listing


async def test_an_old_message_is_judged_by_the_keys_of_its_epoch(pair: Pair) -> None:
    """Signed before the rotation, brought after it: accepted; the new epoch needs new keys."""
    first = fresh_message(pair)
    (old,) = sealed(pair, [first])
    pair.clock.advance(10)
    now = pair.clock.now()
    trust, document, listing = with_new_sign_keys(pair.trust, now)
    await pair.install(QUMRAN, document=document, listing=listing)
    forged = fresh_message(pair, epoch=2, case=f"{FIJI}/{'11' * 16}", created=now + 1)
    (by_old_keys,) = sealed(pair, [forged])
    pair.trust = trust
    (by_new_keys,) = sealed(pair, [forged])
    verdicts = await pair.offer(old, by_old_keys, by_new_keys)
    assert [one.refusal for one in verdicts] == [None, "not-authentic", None]
    pair.assert_sound()


async def test_an_epoch_superseded_too_long_ago_judges_nothing(light_pair: Pair) -> None:
    """Ninety days of grace, and not a second more."""
    document = light_pair.trust.next_document(created=light_pair.clock.now())
    await light_pair.install(QUMRAN, document=document)
    light_pair.clock.advance(GRACE_S)
    at_the_end = fresh_message(light_pair)
    (raw,) = sealed(light_pair, [at_the_end])
    assert [one.refusal for one in await light_pair.offer(raw)] == [None]
    light_pair.clock.advance(1)
    (raw,) = sealed(light_pair, [replace(at_the_end, case=f"{FIJI}/{'22' * 16}")])
    assert [one.refusal for one in await light_pair.offer(raw)] == ["epoch-old"]


@pytest.mark.parametrize("place", [0, 1], ids=["ed25519", "ml-dsa-65"])
async def test_a_revoked_sign_key_signs_nothing_any_more(pair: Pair, place: int) -> None:
    """Either half of the pair is enough; what was accepted before stays and is repeated."""
    before, after = fresh_message(pair), fresh_message(pair, case=f"{FIJI}/{'33' * 16}")
    old, new = sealed(pair, [before, after])
    (first,) = await pair.offer(old)
    key_id = pair.trust.sign_pair(FIJI).key_ids[place]
    await pair.install(QUMRAN, revocation=pair.trust.revocation(FIJI, "sign", key_id))
    counts = pair[QUMRAN].counts()
    refused, repeated = await pair.offer(new, old)
    assert refused.refusal == "key-revoked"
    assert repeated.receipt == first.receipt
    assert pair[QUMRAN].counts() == counts
    pair.assert_sound()


async def test_a_revocation_holds_after_a_restart(pair: Pair) -> None:
    """It is stored, and read before anything is accepted."""
    key_id = pair.trust.sign_pair(FIJI).key_ids[0]
    await pair.install(QUMRAN, revocation=pair.trust.revocation(FIJI, "sign", key_id))
    pair.close(QUMRAN)
    (raw,) = sealed(pair, [fresh_message(pair)])
    assert [one.refusal for one in await pair.offer(raw)] == ["key-revoked"]


async def test_a_suspended_authority_is_heard_no_more_but_keeps_its_receipts(pair: Pair) -> None:
    """Permission is decided by the newest document, whatever epoch a message names."""
    before, after = fresh_message(pair), fresh_message(pair, case=f"{FIJI}/{'44' * 16}")
    old, new = sealed(pair, [before, after])
    (first,) = await pair.offer(old)
    authorities = tuple(
        replace(one, status="suspended") if one.id == FIJI else one
        for one in pair.trust.document.document.authorities
    )
    document = pair.trust.next_document(created=pair.clock.now(), authorities=authorities)
    await pair.install(QUMRAN, document=document)
    refused, repeated = await pair.offer(new, old)
    assert refused.refusal == "not-permitted"
    assert repeated.receipt == first.receipt
    with pytest.raises(NotPermitted):
        await pair.event(before.case, sender=QUMRAN)
    pair.assert_sound()


async def test_a_suspended_authority_sends_nothing_itself(light_pair: Pair) -> None:
    """Its own node knows the document too."""
    authorities = tuple(
        replace(one, status="suspended") if one.id == FIJI else one
        for one in light_pair.trust.document.document.authorities
    )
    document = light_pair.trust.next_document(
        created=light_pair.clock.now(), authorities=authorities
    )
    await light_pair.install(FIJI, document=document)
    before = light_pair[FIJI].counts()
    with pytest.raises(NotPermitted):
        await light_pair.request()
    assert light_pair[FIJI].counts() == before


async def test_under_an_expired_document_nothing_new_goes_and_repeats_are_answered(
    pair: Pair,
) -> None:
    """Expiry stops new messages at both ends, and takes nothing back."""
    posted = await pair.request()
    (raw,) = [one.envelope for one in pair[FIJI].waiting()]
    (first,) = await pair.offer(raw)
    document = pair.trust.next_document(created=pair.clock.now(), expires=pair.clock.now() + 1_000)
    await pair.install(FIJI, document=document)
    await pair.install(QUMRAN, document=document)
    late = fresh_message(pair, epoch=2, case=f"{FIJI}/{'55' * 16}")
    (new,) = sealed(pair, [late])
    pair.clock.advance(1_000)
    refused, repeated = await pair.offer(new, raw)
    assert (refused.refusal, refused.proof) == ("document-expired", None)
    assert repeated.receipt == first.receipt
    before = pair[FIJI].counts()
    with pytest.raises(DocumentExpired):
        await pair.request()
    assert pair[FIJI].counts() == before
    assert await pair[FIJI].send_to(QUMRAN) is None
    assert pair[FIJI].message(posted.identity)["state"] == "delivered"
    await pair.install(QUMRAN, document=_renewed(pair, document))
    assert [one.refusal for one in await pair.offer(new)] == [None]
    pair.assert_sound()


def _renewed(pair: Pair, document: bytes) -> bytes:
    """Give the document after one that was not in the trust of this test."""
    now = pair.clock.now()
    trust = replace(pair.trust, directory=pair.trust.directory.install_document(document, now=now))
    return trust.next_document(created=now, expires=now + 86_400)


async def test_an_expired_message_is_finally_refused_with_proof(pair: Pair) -> None:
    """A message has its time; after it, only a proof says that it was too late."""
    message = fresh_message(pair)
    (raw,) = sealed(pair, [message])
    pair.clock.advance(message.expires - message.created + 1)
    (verdict,) = await pair.offer(raw)
    assert (verdict.refusal, verdict.receipt) == ("expired", None)
    assert verdict.proof is not None
    assert pair[QUMRAN].records()[-1] == "message.refused"
    assert pair[QUMRAN].rows("cases") == []
    pair.assert_sound()


async def test_a_key_just_rotated_away_still_opens(pair: Pair) -> None:
    """What was under way when the key changed is not lost; after its time it is refused."""
    (raw,) = sealed(pair, [fresh_message(pair)])
    office, now = pair[QUMRAN].node.office, pair.clock.now()
    rotated = office.keys.ring.rotate_seal(random=seeded("rotation"), now=now)
    office.use_ring(rotated, now)
    assert [one.refusal for one in await pair.offer(raw)] == [None]
    (other,) = sealed(pair, [fresh_message(pair, case=f"{FIJI}/{'66' * 16}")])
    office.use_ring(rotated, now + 36 * 86_400)
    assert [one.refusal for one in await pair.offer(other)] == ["key-unknown"]
    pair.assert_sound()


async def test_a_suite_below_the_peers_minimum_is_refused(light_pair: Pair) -> None:
    """The document says what is the least; there is no negotiation."""
    (raw,) = sealed(light_pair, [fresh_message(light_pair)])
    directory = light_pair[QUMRAN].node.office.directory
    assert directory.entry(FIJI).min_suite == "hpke-647a-0001-0002"
    parts = light_pair.forge(fresh_message(light_pair)).with_header(suite="hpke-0020-0001-0002")
    verdicts = await light_pair.offer(parts.encode(), raw)
    assert [one.refusal for one in verdicts] == ["suite-unknown", None]


async def test_an_authority_cannot_revoke_the_key_of_another(light_pair: Pair) -> None:
    """Tonga signs a revocation of Fiji's key: refused, and Fiji goes on."""
    key_id = light_pair.trust.sign_pair(FIJI).key_ids[0]
    forged = light_pair.trust.revocation(TONGA, "sign", key_id)
    before = light_pair[QUMRAN].counts()
    with pytest.raises(Exception, match="another authority"):
        await light_pair.install(QUMRAN, revocation=forged)
    assert light_pair[QUMRAN].counts() == before
    (raw,) = sealed(light_pair, [fresh_message(light_pair)])
    assert [one.refusal for one in await light_pair.offer(raw)] == [None]
