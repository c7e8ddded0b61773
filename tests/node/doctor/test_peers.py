"""Peers as the doctor sees them: from what is stored here, and by asking them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from keys.keyfile import read_key_file
from keys.ring import new_ring
from node.clock import SystemClock, SystemRandom
from node.doctor import Check, Status, ask_peers
from node.doctor.trust import (
    advice_of,
    check_document,
    check_own_listing,
    check_peer,
    shown_peers,
    suspended,
)
from node.settings import Settings, load_settings
from node.storage.health_rows import WaitingFor
from node.storage.queue_rows import QueueState
from node.transport.tls import make_certificate
from protocol.document import KeyTerm
from protocol.document import Status as DocumentStatus
from protocol.listing import sign_listing
from tests.support.clock import START, ManualClock, SeededRandom
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import RunningNode, running_network
from tests.support.trust import Trust, entry_of, listed_keys, make_trust

OWN, PEER = "fj.justice", "qm.justice"


@pytest.fixture
def trust() -> Trust:
    """Make a small network."""
    return make_trust((OWN, PEER))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of a node of it."""
    path = tmp_path / "comity.toml"
    path.write_text(f'network = "pacific"\nauthority = "{OWN}"\n[peers]\npull = true\n')
    return load_settings(path)


def look(trust: Trust, waiting: WaitingFor | None = None, **queue: int | str | None) -> Check:
    """Look at the peer."""
    state = QueueState(PEER, **queue)  # type: ignore[arg-type]  # fields by name
    return check_peer(trust.directory, PEER, START + 10, state, waiting)


# --- from what is stored ---------------------------------------------------------------------


def test_a_peer_without_trouble_is_ok(trust: Trust) -> None:
    """When it was heard last is told anyway."""
    check = look(trust, last_word_at=START)
    assert (check.status, check.name) == (Status.OK, f"peer {PEER}")
    assert "2025-10-09" in check.sentence


def test_what_waits_without_a_failure_is_no_warning(trust: Trust) -> None:
    """A message that was queued a moment ago is on its way."""
    assert look(trust, WaitingFor(3, START, None)).status is Status.OK


@pytest.mark.parametrize("code", ["tls-pin", "unreachable", "key-unknown", "unheard-of", None])
def test_what_waits_after_failures_says_why(trust: Trust, code: str | None) -> None:
    """The last word decides what is advised; an unknown one has advice too."""
    check = look(trust, WaitingFor(3, START, code), failures=2)
    assert check.status is Status.WARNING
    assert check.advice == advice_of(code)
    assert code is None or code in check.sentence


def test_a_listing_that_runs_out_is_named(trust: Trust) -> None:
    """Nothing can be sealed to an authority whose listing is over."""
    soon = trust.with_listing(PEER, now=START + 1, expires=START + 20 * 86_400)
    assert look(soon).status is Status.WARNING
    over = trust.with_listing(PEER, now=START + 1, expires=START + 5)
    assert look(over).status is Status.FAILED


def test_new_keys_that_nobody_compared_are_named(trust: Trust) -> None:
    """Sign keys that the old ones did not sign stop everything until two officers act."""
    fresh = new_ring("pacific", PEER, random=SeededRandom("fresh"), now=START)
    old = trust.document.document.authority(PEER)
    assert old is not None
    entry = replace(
        entry_of(fresh, witnesses=old.witnesses),
        sign=(KeyTerm(fresh.signers("sign").key_ids, 0, None),),
        logs=old.logs,
        witness=old.witness,
    )
    document = trust.document.document.with_authority(entry)
    check = look(trust.with_document(now=START + 5, authorities=document.authorities))
    assert check.status is Status.FAILED
    assert "safety number" in check.advice


def test_suspended_and_removed_peers_are_told_apart(trust: Trust) -> None:
    """A suspended one is named; of a removed one nothing is expected."""
    cases: tuple[tuple[DocumentStatus, dict[str, str]], ...] = (
        ("suspended", {PEER: "suspended"}),
        ("removed", {}),
    )
    for status, shown in cases:
        entries = tuple(
            replace(one, status=status) if one.id == PEER else one
            for one in trust.document.document.authorities
        )
        later = trust.with_document(now=START + 5, authorities=entries)
        assert shown_peers(later.directory, OWN) == shown
    assert suspended(PEER).status is Status.WARNING


def test_we_ourselves_may_be_suspended(trust: Trust, settings: Settings) -> None:
    """Then peers accept nothing, and the reason is in the document."""
    entries = tuple(
        replace(one, status="suspended") if one.id == OWN else one
        for one in trust.document.document.authorities
    )
    later = trust.with_document(now=START + 5, authorities=entries)
    found = {one.name: one for one in check_document(later.directory, settings, START + 6)}
    assert found["membership"].status is Status.FAILED


def test_two_documents_of_one_version_are_named(trust: Trust, settings: Settings) -> None:
    """Stewards who sign twice split the network."""
    later = trust.with_document(now=START + 5)
    rival = trust.next_document(created=START + 6, expires=START + 9 * 86_400)
    split = replace(later, directory=later.directory.install_document(rival, now=START + 7))
    found = {one.name: one for one in check_document(split.directory, settings, START + 8)}
    assert found["split"].status is Status.FAILED


def test_a_lasting_key_that_we_do_not_hold_is_named(trust: Trust, settings: Settings) -> None:
    """Somebody else's witness key under our name is no slip."""
    ring = trust.rings[OWN]
    fresh = new_ring("pacific", OWN, random=SeededRandom("fresh"), now=START)
    entry = trust.document.document.authority(OWN)
    assert entry is not None
    terms = (
        replace(entry.witness[0], until=START + 5),
        KeyTerm(fresh.signers("witness").key_ids, START + 5, None),
    )
    document = trust.document.document.with_authority(replace(entry, witness=terms))
    later = trust.with_document(now=START + 5, authorities=document.authorities)
    shown = listed_keys(ring) + tuple(
        one for one in listed_keys(fresh) if one.key.purpose == "witness"
    )
    raw = later.next_listing(OWN, created=START + 6, keys=shown)
    directory = later.directory.install_listing(raw, now=START + 6)
    found = {one.name: one for one in check_own_listing(directory, settings, ring, START + 7)}
    assert found["listed-keys"].status is Status.FAILED
    assert "witness key that we do not hold" in found["listed-keys"].sentence


# --- by asking -------------------------------------------------------------------------------


async def ask(node: RunningNode, clock: ManualClock | None = None) -> Check:
    """Let one node's doctor ask its only peer."""
    settings = node.settings
    ring = read_key_file(settings.keys.file, PASSPHRASE)
    (check,) = await ask_peers(
        settings, clock=clock or SystemClock(), random=SystemRandom(), ring=ring
    )
    assert check.name == f"link {PEER}"
    assert bool(check.advice) is (check.status is not Status.OK)
    return check


async def test_the_doctor_asks_each_peer(tmp_path: Path) -> None:
    """It names a peer that is well, one with a wrong clock, another certificate, and one away."""
    async with running_network(tmp_path, (OWN, PEER)) as nodes:
        own, peer = nodes[OWN], nodes[PEER]
        assert (await ask(own)).status is Status.OK
        ahead = await ask(own, ManualClock(SystemClock().now() + 3_600))
        assert ahead.status is Status.FAILED
        assert "-3,6" in ahead.sentence or "-3,5" in ahead.sentence
        await peer.stop()
        away = await ask(own)
        assert (away.status, "unreachable" in away.sentence) == (Status.WARNING, True)
        certificate, key = make_certificate(["127.0.0.1"], now=SystemClock().now())
        settings = peer.settings
        settings.peers.certificate.write_bytes(certificate)
        settings.peers.private_key.write_bytes(key)
        await peer.start()
        pinned = await ask(own)
        assert (pinned.status, "tls-pin" in pinned.sentence) == (Status.FAILED, True)


async def test_a_peer_that_fetches_is_not_asked(tmp_path: Path) -> None:
    """Nobody can connect to it, and that is as it should be."""
    async with running_network(tmp_path, (OWN, PEER)) as nodes:
        own, peer = nodes[OWN], nodes[PEER]
        trusted = peer.node.office.directory.listing(PEER)
        listing = replace(
            trusted.listing, serial=2, prev=trusted.digest, urls=(), pins=(), pull=True
        )
        raw = sign_listing(listing, peer.node.office.keys.sign).encode()
        await own.write(lambda tx: own.node.office.install_listing(tx, raw))
        check = await ask(own)
        assert check.status is Status.OK
        assert "cannot be asked" in check.sentence
