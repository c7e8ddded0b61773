"""The doctor on real nodes: each thing that can be wrong is named, with what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from keys.keyfile import KeyRing, new_ring, read_key_file
from node.audit.guard import SLOT_BYTES, read_guard
from node.doctor import Check, Status, examine
from node.doctor.check import DAY_S, expiring, worst
from node.doctor.files import check_disk
from node.doctor.storage import check_sqlite
from node.transport.tls import make_certificate
from tests.support.clock import ManualClock, SeededRandom
from tests.support.exchanged import FIJI, QUMRAN, AtRest, Exchanged, exchange
from tests.support.keyfiles import PASSPHRASE

MIB = 1024 * 1024


@pytest.fixture(scope="session")
def exchanged(tmp_path_factory: pytest.TempPathFactory) -> Exchanged:
    """Let two authorities exchange once; tests work on copies."""
    return asyncio.run(exchange(tmp_path_factory.mktemp("exchanged")))


@pytest.fixture
def fiji(exchanged: Exchanged, tmp_path: Path) -> AtRest:
    """Give a copy of Fiji's node."""
    return exchanged.fiji.copy(tmp_path / "copy")


@pytest.fixture
def clock(exchanged: Exchanged) -> ManualClock:
    """Give the time at which the exchange ended."""
    return ManualClock(exchanged.now)


def ring_of(node: AtRest) -> KeyRing:
    """Open the key file of a node."""
    return read_key_file(node.settings.keys.file, PASSPHRASE)


def looked(node: AtRest, clock: ManualClock, *, keys: bool = True) -> dict[str, Check]:
    """Give the doctor's checks by name."""
    found = examine(node.settings, clock=clock, ring=ring_of(node) if keys else None)
    names = [check.name for check in found]
    assert len(set(names)) == len(names), "each thing is said once"
    return {check.name: check for check in found}


def wrong(checks: dict[str, Check]) -> dict[str, Status]:
    """Give what is not ok; each of it has its advice."""
    assert all(check.advice for check in checks.values() if check.status is not Status.OK)
    return {name: check.status for name, check in checks.items() if check.status is not Status.OK}


# What the exchange itself leaves: a message was refused by the peer, which is an alarm.
LEFT = {"alarms": Status.WARNING}


def test_a_healthy_node_is_well(fiji: AtRest, clock: ManualClock) -> None:
    """Everything is looked at, and nothing is wrong but what happened."""
    checks = looked(fiji, clock)
    assert wrong(checks) == LEFT
    assert set(checks) == {
        "disk", "key-file", "database", "sqlite", "clock", "guard", "network", "membership",
        "listing", "listed-keys", "seal-key", "certificate", "queue", "alarms", f"peer {QUMRAN}",
        "law", "people", "standings", "mail", "staff-certificate",
    }  # fmt: skip
    assert "Waiting since" in checks[f"peer {QUMRAN}"].sentence


def test_without_keys_it_says_what_it_did_not_open(fiji: AtRest, clock: ManualClock) -> None:
    """No passphrase is needed to be told the most of it."""
    checks = looked(fiji, clock, keys=False)
    assert wrong(checks) == LEFT
    assert "was not opened" in checks["key-file"].sentence
    assert "seal-key" in checks


def test_nothing_is_changed(fiji: AtRest, clock: ManualClock) -> None:
    """Every file is as it was before the doctor came."""
    before = {path: path.read_bytes() for path in fiji.folder.rglob("*") if path.is_file()}
    looked(fiji, clock)
    after = {path: path.read_bytes() for path in fiji.folder.rglob("*") if path.is_file()}
    side = {path for path in after if path.name.startswith("comity.db-")}
    assert {path: raw for path, raw in after.items() if path not in side} == before


async def test_postgresql_is_looked_at_too(
    tmp_path: Path, database_url: str, exchanged: Exchanged
) -> None:
    """The same checks on either database; a server has its standbys looked at."""
    made = await exchange(tmp_path / "nodes", {FIJI: database_url})
    checks = looked(made.fiji, ManualClock(made.now))
    assert wrong(checks) == LEFT
    assert ("standbys" in checks) is database_url.startswith("postgresql")


# --- files -----------------------------------------------------------------------------------


def _chmod(node: AtRest) -> None:
    node.settings.keys.file.chmod(0o640)


def _no_key_file(node: AtRest) -> None:
    node.settings.keys.file.unlink()


def _linked_key_file(node: AtRest) -> None:
    path = node.settings.keys.file
    path.symlink_to(path.rename(path.with_suffix(".moved")))


def _other_certificate(node: AtRest) -> None:
    peers = node.settings.peers
    certificate, key = make_certificate(["x"], now=1_700_000_000)
    peers.certificate.write_bytes(certificate)
    peers.private_key.write_bytes(key)


def _rubbish_certificate(node: AtRest) -> None:
    node.settings.peers.certificate.write_bytes(b"rubbish")


def _no_certificate(node: AtRest) -> None:
    node.settings.peers.private_key.unlink()


def _no_database(node: AtRest) -> None:
    node.database_file.unlink()


def _empty_database(node: AtRest) -> None:
    node.database_file.write_bytes(b"")


def _newer_tables(node: AtRest) -> None:
    node.tamper("UPDATE alembic_version SET version_num = '9999'")


def _no_guard(node: AtRest) -> None:
    node.settings.guard.file.unlink()


def _rubbish_guard(node: AtRest) -> None:
    node.settings.guard.file.write_bytes(b"rubbish")


def _foreign_guard(node: AtRest) -> None:
    held = read_guard(node.settings.guard.file) or b""
    node.settings.guard.file.write_bytes(held.replace(b"/fj.justice/1", b"/fj.justice/2"))


def _torn_guard(node: AtRest) -> None:
    content = bytearray(node.settings.guard.file.read_bytes())
    newest = content.index(read_guard(node.settings.guard.file) or b"")
    content[SLOT_BYTES if newest < SLOT_BYTES else 0] ^= 1
    node.settings.guard.file.write_bytes(content)


def _restored(node: AtRest) -> None:
    node.tamper("UPDATE log_head SET size = size - 1")


def _ahead(node: AtRest) -> None:
    node.tamper("UPDATE log_head SET size = size + 1")


def _forked(node: AtRest) -> None:
    node.tamper("UPDATE log_head SET root = zeroblob(32)")


def _no_log(node: AtRest) -> None:
    node.tamper("DELETE FROM log_head")


def _late_floor(node: AtRest) -> None:
    node.tamper("INSERT OR REPLACE INTO settings_kept VALUES ('clock_floor', '9000000000')")


def _no_document(node: AtRest) -> None:
    node.tamper("DELETE FROM network_documents")


def _altered_listing(node: AtRest) -> None:
    node.tamper("UPDATE listings SET raw = x'00' WHERE authority = 'qm.justice'")


def _no_own_listing(node: AtRest) -> None:
    node.tamper("DELETE FROM listings WHERE authority = 'fj.justice'")


def _no_peers_listing(node: AtRest) -> None:
    node.tamper("DELETE FROM listings WHERE authority = 'qm.justice'")


def _stranded(node: AtRest) -> None:
    node.tamper("DELETE FROM outbox")


def _other_urls(node: AtRest) -> None:
    path = node.folder / "comity.toml"
    path.write_text(path.read_text().replace("urls = [", 'urls = ["https://elsewhere.example", '))


def _other_wants(node: AtRest) -> None:
    path = node.folder / "comity.toml"
    path.write_text(path.read_text().replace('languages = ["en"]', 'languages = ["en", "fr"]'))


def _failing_queue(node: AtRest) -> None:
    node.tamper(
        "UPDATE outbox SET last_code = 'tls-pin'",
        "INSERT OR REPLACE INTO queues (peer, next_try_at, failures, claimed_until)"
        " VALUES ('qm.justice', 0, 3, 0)",
    )


WRONG: list[tuple[Callable[[AtRest], None], str, Status]] = [
    (_chmod, "key-file", Status.FAILED),
    (_no_key_file, "key-file", Status.FAILED),
    (_linked_key_file, "key-file", Status.FAILED),
    (_other_certificate, "certificate", Status.FAILED),
    (_rubbish_certificate, "certificate", Status.FAILED),
    (_no_certificate, "certificate", Status.FAILED),
    (_no_database, "database", Status.FAILED),
    (_empty_database, "database", Status.FAILED),
    (_newer_tables, "database", Status.FAILED),
    (_no_guard, "guard", Status.FAILED),
    (_rubbish_guard, "guard", Status.FAILED),
    (_foreign_guard, "guard", Status.FAILED),
    (_torn_guard, "guard", Status.FAILED),
    (_restored, "guard", Status.FAILED),
    (_ahead, "guard", Status.WARNING),
    (_forked, "guard", Status.FAILED),
    (_no_log, "guard", Status.FAILED),
    (_late_floor, "clock", Status.FAILED),
    (_no_document, "network", Status.FAILED),
    (_altered_listing, "trust", Status.FAILED),
    (_no_own_listing, "listing", Status.FAILED),
    (_no_peers_listing, f"peer {QUMRAN}", Status.FAILED),
    (_stranded, "queue", Status.FAILED),
    (_other_urls, "listing-urls", Status.FAILED),
    (_other_wants, "listing-wants", Status.WARNING),
    (_failing_queue, f"peer {QUMRAN}", Status.WARNING),
]


@pytest.mark.parametrize(("harm", "name", "status"), WRONG, ids=[one[0].__name__ for one in WRONG])
def test_what_is_wrong_is_named(
    fiji: AtRest, clock: ManualClock, harm: Callable[[AtRest], None], name: str, status: Status
) -> None:
    """One thing is harmed, and the check of its name says so and what to do."""
    harm(fiji)
    checks = looked(fiji, clock, keys=False)
    assert wrong(checks)[name] is status


def test_a_foreign_key_file_is_named(fiji: AtRest, clock: ManualClock) -> None:
    """The key file of another authority opens, and is not this node's."""
    stranger = new_ring("pacific", "to.justice", random=SeededRandom("to"), now=0)
    found = {one.name: one for one in examine(fiji.settings, clock=clock, ring=stranger)}
    assert found["key-file"].status is Status.FAILED


def test_keys_that_the_stewards_do_not_list_are_named(fiji: AtRest, clock: ManualClock) -> None:
    """A fresh key file under the right name is another office's to everybody."""
    fresh = new_ring("pacific", FIJI, random=SeededRandom("fj"), now=clock.now())
    found = {one.name: one for one in examine(fiji.settings, clock=clock, ring=fresh)}
    assert found["listed-keys"].status is Status.FAILED


def test_a_key_that_no_listing_shows_is_named(fiji: AtRest, clock: ManualClock) -> None:
    """After a rotation the peers need the new listing."""
    rotated = ring_of(fiji).rotate_seal(random=SeededRandom("next"), now=clock.now())
    found = {one.name: one for one in examine(fiji.settings, clock=clock, ring=rotated)}
    assert found["listed-keys"].status is Status.FAILED
    assert "does not show the newest keys" in found["listed-keys"].sentence


def test_a_key_that_should_be_gone_is_named(fiji: AtRest, clock: ManualClock) -> None:
    """What is kept beyond its time takes the forward secrecy away."""
    rotated = ring_of(fiji).rotate_seal(random=SeededRandom("next"), now=clock.now())
    clock.jump(36 * DAY_S)
    found = {one.name: one for one in examine(fiji.settings, clock=clock, ring=rotated)}
    assert found["seal-key"].status is Status.FAILED


# --- time ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (91, {"seal-key": Status.WARNING}),
        (340, {"network": Status.WARNING, "listing": Status.WARNING}),
        (360, {"network": Status.FAILED, "listing": Status.FAILED}),
        (366, {"network": Status.FAILED, "listing": Status.FAILED}),
        (5 * 365 - 20, {"certificate": Status.WARNING}),
        (5 * 365 + 2, {"certificate": Status.FAILED}),
    ],
)
@pytest.mark.parametrize("keys", [True, False])
def test_what_runs_out_is_named_in_time(
    fiji: AtRest, clock: ManualClock, days: int, expected: dict[str, Status], keys: bool
) -> None:
    """Thirty days before it is a warning, seven days before it is a failure."""
    clock.jump(days * DAY_S)
    found = wrong(looked(fiji, clock, keys=keys))
    assert {name: found.get(name) for name in expected} == expected


def test_a_certificate_of_the_future_is_named(fiji: AtRest, clock: ManualClock) -> None:
    """A clock that was set back shows here before any peer says so."""
    clock.jump(-10 * DAY_S)
    checks = wrong(looked(fiji, clock))
    assert checks["certificate"] is Status.FAILED
    assert checks["clock"] is Status.FAILED


@pytest.mark.parametrize(
    ("free", "status"),
    [(100 * MIB, Status.FAILED), (1_000 * MIB, Status.WARNING), (9_000 * MIB, Status.OK)],
)
def test_free_space_is_judged(tmp_path: Path, free: int, status: Status) -> None:
    """A full disk stops a node, so it is said before."""
    assert check_disk(tmp_path, free).status is status
    assert check_disk(tmp_path).sentence


@pytest.mark.parametrize(
    ("version", "words"),
    [("SQLite 3.51.3", "no fault"), ("SQLite 3.40.1", "one that does"), ("SQLite 4.0.0", "no f")],
)
def test_an_old_sqlite_is_explained(version: str, words: str) -> None:
    """It is safe under the rule of one writer, and the sentence says which rule that is."""
    check = check_sqlite(version)
    assert check.status is Status.OK
    assert words in check.sentence


def test_the_worst_of_several_is_shown() -> None:
    """A failure is not hidden behind a warning."""
    dates = [expiring("x", "It", day_ * DAY_S, 0, "Act.") for day_ in (100, 20, 3)]
    assert worst(dates).status is Status.FAILED
    assert worst(dates[:2]).status is Status.WARNING
    assert [one.status for one in dates] == [Status.OK, Status.WARNING, Status.FAILED]
