"""What closes a log for a directory, which log goes on, and with whose keys."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from keys.directory import Directory
from keys.ring import new_ring
from keys.trusted import check_closure
from protocol import limits
from protocol.closure import Closure, decode_closure, log_terms
from protocol.document import KeyTerm, LogTerm
from protocol.errors import (
    EpochAhead,
    Equivocation,
    Malformed,
    Mismatch,
    NotAuthentic,
    NotForUs,
    NotPermitted,
    NotYet,
    Rejected,
    RevokedKey,
    TooLarge,
)
from protocol.merkle import leaf_hash
from tests.support.clock import START
from tests.support.trust import NETWORK, Trust, Value, make_trust, seeded

OWN, PEER = "fj.justice", "qm.justice"
ROOT, OTHER_ROOT = leaf_hash(b"root"), leaf_hash(b"another root")
LATER = START + 100
FIRST, SECOND = f"{NETWORK}/{PEER}/1", f"{NETWORK}/{PEER}/2"


@cache
def trust() -> Trust:
    """Make one network for all tests of this file: it is a value."""
    return make_trust((OWN, PEER), stewards=3, threshold=2)


@cache
def closed() -> Trust:
    """Give the network after PEER has lost the state of its log."""
    return trust().with_closure(PEER, 42, ROOT, now=LATER)


def refused(raw: bytes, fault: type[Rejected], *, held: Trust | None = None) -> None:
    """Expect one kind of refusal, and nothing changed by it."""
    before = (held or trust()).directory
    with pytest.raises(fault):
        before.install_closure(raw, now=LATER)
    assert before.closures == (held or trust()).directory.closures


def listed(number: int) -> tuple[Trust, KeyTerm]:
    """Give the network after the stewards have listed another log of PEER, of new keys."""
    ring = new_ring(NETWORK, PEER, random=seeded("a new log"), now=START)
    key_ids = tuple(key.public.key_id for key in ring.signers("log"))
    entry = trust().directory.entry(PEER)
    term = LogTerm(number, (key_ids[0], key_ids[1]))
    document = trust().document.document.with_authority(replace(entry, logs=(*entry.logs, term)))
    after = trust().with_document(now=LATER, authorities=document.authorities)
    return after, KeyTerm(term.key_ids, START, None)


def test_the_next_log_is_open_and_has_the_keys_of_the_closed_one() -> None:
    """Lost state is no reason for new keys; both logs can be asked for by number."""
    directory = closed().directory
    origin, keys = directory.log_keys(PEER)
    assert origin == SECOND
    assert directory.open_log_number(PEER) == 2
    assert directory.log_keys(PEER, 1) == (FIRST, keys)
    assert directory.keys_of_log(SECOND) == directory.keys_of_log(FIRST) == keys
    assert trust().directory.log_keys(PEER) == (FIRST, keys)
    assert directory.open_log_number(OWN) == 1


def test_a_closed_log_is_known_by_its_statement() -> None:
    """Whoever holds a checkpoint of it can be told where it ended."""
    found = closed().directory.closure(FIRST)
    assert found is not None
    assert (found.closure.size, found.closure.root, found.closure.reason) == (
        42,
        ROOT,
        "lost-state",
    )
    assert found.closure.next_origin == SECOND
    assert closed().directory.closures_raw() == (found.raw,)
    assert closed().directory.closure(SECOND) is None
    assert trust().directory.closure(FIRST) is None


def test_a_log_can_be_closed_again_and_again() -> None:
    """Each closing is of the log that the one before opened."""
    again = closed().with_closure(PEER, 3, OTHER_ROOT, now=LATER)
    assert again.directory.open_log_number(PEER) == 3
    assert again.directory.keys_of_log(f"{NETWORK}/{PEER}/3") == closed().directory.keys_of_log(
        FIRST
    )


def test_the_same_statement_changes_nothing() -> None:
    """Every peer hands it on to every other."""
    raw = closed().directory.closures_raw()[0]
    assert closed().directory.install_closure(raw, now=LATER) is closed().directory


@pytest.mark.parametrize(
    "changes", [{"size": 41}, {"root": OTHER_ROOT}, {"created": START + 1}], ids=str
)
def test_a_second_end_of_one_log_is_equivocation(changes: dict[str, Value]) -> None:
    """The first that came counts, whatever the second says."""
    fields = {"size": 42, "root": ROOT, "number": 1, "next_number": 2, **changes}
    refused(closed().closure(PEER, **fields), Equivocation, held=closed())


def test_new_keys_are_taken_from_the_document_alone() -> None:
    """A log that is closed for new keys goes on only once the stewards list them."""
    raw = trust().closure(PEER, 42, ROOT, reason="new-keys")
    refused(raw, EpochAhead)
    after, term = listed(2)
    directory = after.directory.install_closure(raw, now=LATER)
    assert directory.open_log_number(PEER) == 2
    assert log_terms(directory.entry(PEER), [])[2] == term.key_ids
    with pytest.raises(EpochAhead):
        directory.log_keys(PEER)  # no listing shows the new keys yet


def test_what_the_stewards_list_for_the_next_log_counts() -> None:
    """Also where the closing says that only its state was lost."""
    after, term = listed(2)
    again = after.with_closure(PEER, 42, ROOT, now=LATER, number=1, next_number=2)
    closing = [one.trusted.closure for one in again.directory.closures.values()]
    assert log_terms(again.directory.entry(PEER), closing)[2] == term.key_ids


def test_a_closure_cannot_pass_over_a_log_that_is_listed() -> None:
    """Two logs would be open."""
    after, _ = listed(2)
    refused(after.closure(PEER, 42, ROOT, number=1, next_number=3), Mismatch, held=after)


def test_the_closing_of_an_unknown_log_waits() -> None:
    """The one that opened it may still be on its way."""
    refused(trust().closure(PEER, 42, ROOT, number=2, next_number=3), EpochAhead)
    closing = Closure(NETWORK, PEER, 2, 42, ROOT, "lost-state", 3, START)
    assert set(log_terms(trust().directory.entry(PEER), [closing])) == {1}
    with pytest.raises(EpochAhead):
        check_closure(closing, {1: ("0" * 64, "1" * 64)})


def test_a_closure_of_our_future_is_refused() -> None:
    """One of two clocks is wrong."""
    refused(trust().closure(PEER, 42, ROOT, created=LATER + 301), NotYet)


def test_a_closure_signed_with_a_revoked_key_is_refused() -> None:
    """A stolen pair must not end a log once everybody knows that it is stolen."""
    key_id = trust().sign_pair(PEER).first.public.key_id
    raw = trust().revocation(PEER, "sign", key_id)
    directory = trust().directory.install_revocation(raw, now=LATER)
    with pytest.raises(RevokedKey):
        directory.install_closure(trust().closure(PEER, 42, ROOT), now=LATER)


def test_a_closure_by_another_authority_is_refused() -> None:
    """Nobody closes the log of somebody else."""
    swapped = trust().with_ring(replace(trust().rings[OWN], authority=PEER))
    refused(swapped.closure(PEER, 42, ROOT), NotAuthentic)


def test_a_closure_of_another_network_or_a_stranger_is_refused() -> None:
    """Names are compared before any signature."""
    refused(replace(trust(), network="atlantic").closure(PEER, 42, ROOT), NotForUs)
    stranger = make_trust((OWN, "zz.justice"))
    refused(stranger.closure("zz.justice", 42, ROOT), NotPermitted)


def test_the_sign_pair_of_the_time_closes_and_no_other() -> None:
    """A pair that is over speaks for what was said before; nobody speaks after it."""
    entry = trust().directory.entry(PEER)
    over = KeyTerm(entry.sign[0].key_ids, 0, START + 50)
    document = trust().document.document.with_authority(replace(entry, sign=(over,)))
    after = trust().with_document(now=LATER, authorities=document.authorities)
    refused(trust().closure(PEER, 42, ROOT, created=START + 50), NotAuthentic, held=after)
    raw = trust().closure(PEER, 42, ROOT, created=START + 49)
    assert after.directory.install_closure(raw, now=LATER).open_log_number(PEER) == 2


def test_an_authority_has_room_for_so_many_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has sign keys could close logs without end."""
    monkeypatch.setattr("keys.directory.LOGS_MAX", 2)
    refused(closed().closure(PEER, 3, ROOT), TooLarge, held=closed())
    assert limits.LOGS_MAX > 2


def test_closures_come_back_from_storage_in_any_order() -> None:
    """Rows of one second do not say which came first."""
    again = closed().with_closure(PEER, 3, OTHER_ROOT, now=LATER).directory
    rows = [[(raw, LATER) for raw in raws] for raws in (
        again.documents_raw(), again.listings_raw(), (), again.closures_raw()[::-1])]  # fmt: skip
    back = Directory.from_stored(NETWORK, *rows)
    assert back.refused == ()
    assert back.open_log_number(PEER) == 3
    assert back.state == again.state


def test_a_closure_that_was_tampered_with_is_left_out_and_named() -> None:
    """A database that was edited cannot close a log, nor stop the node."""
    directory = closed().directory
    raw = directory.closures_raw()[0]
    statement = decode_closure(raw)
    bad = replace(statement, signatures=statement.signatures[::-1]).encode()
    documents, listings = directory.documents_raw(), directory.listings_raw()
    rows = [[(one, START) for one in raws] for raws in (documents, listings, (), (bad, b"{}"))]
    back = Directory.from_stored(NETWORK, *rows)
    assert len(back.refused) == 2
    assert back.open_log_number(PEER) == 1


def test_what_closed_a_log_is_part_of_the_state() -> None:
    """Two nodes that do not both know it have something to tell."""
    assert closed().directory.state != trust().directory.state


@pytest.mark.parametrize(
    ("origin", "fault"),
    [
        (f"atlantic/{PEER}/1", NotForUs),
        ("nothing", NotAuthentic),
        (f"{NETWORK}/{PEER}/9", NotAuthentic),
    ],
)
def test_a_log_that_is_none_of_the_network_has_no_keys(origin: str, fault: type[Rejected]) -> None:
    """An origin comes from outside, as everything does."""
    with pytest.raises(fault):
        trust().directory.keys_of_log(origin)


def test_a_log_with_revoked_keys_is_given_to_auditors_alone() -> None:
    """They weigh what lies below the revocation."""
    key_id = trust().rings[PEER].signers("log").first.public.key_id
    raw = trust().revocation(PEER, "log", key_id)
    directory = trust().directory.install_revocation(raw, now=LATER)
    with pytest.raises(RevokedKey):
        directory.keys_of_log(FIRST)
    assert directory.keys_of_log(FIRST, even_revoked=True) == trust().directory.keys_of_log(FIRST)


def test_a_statement_of_another_kind_closes_nothing() -> None:
    """A revocation is no closure, whoever signed it."""
    key_id = trust().rings[PEER].hop().public.key_id
    refused(trust().revocation(PEER, "hop", key_id), Malformed)
