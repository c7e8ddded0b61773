"""`audit timestamp`: a third party's word on when, from `openssl ts`, kept, shown and verified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.audit.stamped import StampRequest, load_roots, read_token, verify_token
from node.exits import Exit
from protocol.errors import Rejected
from tests.support.commands import comity
from tests.support.exchanged import FIJI, AtRest
from tests.support.timestamps import TimestampAuthority, timestamp_authority


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimestampAuthority]:
    with timestamp_authority(tmp_path_factory.mktemp("tsa") / "one") as authority:
        yield authority


@pytest.fixture
def authority(_made: TimestampAuthority) -> TimestampAuthority:
    """Give a timestamp authority that answers as it should."""
    _made.change, _made.status = bytes, 200
    return _made


def test_a_timestamp_is_kept_recorded_and_sound(
    exchanged: Path, authority: TimestampAuthority
) -> None:
    """The token, over the exact checkpoint; the log names its digest."""
    folder = exchanged / FIJI
    way = ("--config", folder, "audit", "timestamp", "--url", authority.url, "--json")
    done = comity(*way, "--tsa-ca", authority.root)
    assert done.status is Exit.DONE, done.out
    assert "Timestamps" in done.json["signer"]
    rows = AtRest(folder).select("SELECT digest, size, checkpoint, token FROM timestamps")
    ((digest, size, checkpoint, token),) = rows
    assert (digest, size) == (done.json["sha256"], done.json["size"])
    assert isinstance(token, bytes)
    assert isinstance(checkpoint, bytes)
    stamp = verify_token(token, checkpoint, load_roots(authority.root.read_bytes()))
    assert stamp.time == done.json["time"]
    found = comity("--config", folder, "audit", "search", "--kind", "log.timestamped", "--json")
    assert found.json["entries"][0]["record"]["token"] == digest
    audited = comity("--config", folder, "audit", "verify", "--json")
    assert (audited.status, audited.json["counts"]["timestamps"]) == (Exit.DONE, 1)


def test_a_bundle_carries_the_timestamp_and_its_reader_says_whom_to_trust(
    exchanged: Path, case: str, authority: TimestampAuthority, tmp_path: Path
) -> None:
    """Unjudged without a root, verified under the right one, undecided under another."""
    folder, out = exchanged / FIJI, tmp_path / "case.comity"
    stamped = comity("--config", folder, "audit", "timestamp", "--url", authority.url)
    assert "was not judged" in stamped.out
    assert comity("--config", folder, "audit", "bundle", case, "-o", out).status is Exit.DONE
    plain = comity("verify", out, "--json")
    assert (plain.status, plain.json["timestamps"]) == (Exit.DONE, 1)
    assert "not judged" in str(plain.json["not_proved"])
    judged = comity("verify", out, "--tsa-ca", authority.root, "--json")
    assert judged.status is Exit.DONE
    assert "existed at" in str(judged.json["statements"])
    assert "not judged" not in str(judged.json["not_proved"])
    with timestamp_authority(tmp_path / "other") as other:
        foreign = comity("verify", out, "--tsa-ca", other.root, "--json")
    assert (foreign.status, foreign.json["conclusion"]) == (Exit.UNDECIDED, "undecided")
    (tmp_path / "none.pem").write_text("nothing")
    assert comity("verify", out, "--tsa-ca", tmp_path / "none.pem").status is Exit.USAGE


def test_the_settings_may_name_the_authority(
    exchanged: Path, authority: TimestampAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the command wants a URL, and none with a secret in it."""
    way = ("--config", exchanged / FIJI, "audit", "timestamp")
    assert comity(*way).status is Exit.USAGE
    for url in ("ftp://127.0.0.1/", "http://me:secret@127.0.0.1/", "file:///etc/passwd"):
        assert comity(*way, "--url", url).status is Exit.USAGE
    monkeypatch.setenv("COMITY_TIMESTAMPS__URL", authority.url)
    assert comity(*way).status is Exit.DONE


@pytest.mark.parametrize("at", [5, 30, -1, -40])
def test_an_answer_that_was_changed_is_not_kept(
    exchanged: Path, authority: TimestampAuthority, at: int
) -> None:
    """Under the root that is trusted for it, no bit of it may differ."""

    def flip(raw: bytes) -> bytes:
        changed = bytearray(raw)
        changed[at] ^= 1
        return bytes(changed)

    authority.change = flip
    way = ("--config", exchanged / FIJI, "audit", "timestamp", "--url", authority.url)
    assert comity(*way, "--tsa-ca", authority.root).status is Exit.FAILED
    assert AtRest(exchanged / FIJI).select("SELECT * FROM timestamps") == []


def test_an_authority_that_refuses_lies_or_is_away_gives_no_timestamp(
    exchanged: Path, authority: TimestampAuthority
) -> None:
    """An answer to another request, an error page, an endless one, silence."""
    way = ("--config", exchanged / FIJI, "audit", "timestamp", "--json", "--url")
    other = authority.answer(StampRequest.over(b"something else").raw)
    for change in (lambda _: other, lambda _: b"", lambda _: b"<html>", lambda _: bytes(100_000)):
        authority.change = change
        assert comity(*way, authority.url).status is Exit.FAILED
    authority.change, authority.status = bytes, 503
    assert comity(*way, authority.url).json["code"] == "timestamps-away"
    assert comity(*way, "http://127.0.0.1:9/").json["code"] == "timestamps-away"
    assert AtRest(exchanged / FIJI).select("SELECT * FROM timestamps") == []


def test_no_flipped_bit_of_a_token_is_believed(authority: TimestampAuthority) -> None:
    """Nor does any make the reader fail in another way."""
    checkpoint = b"a checkpoint"
    asked = StampRequest.over(checkpoint)
    token = asked.read_answer(authority.answer(asked.raw))
    roots = load_roots(authority.root.read_bytes())
    good = verify_token(token, checkpoint, roots)
    assert read_token(token, checkpoint) == good.time
    with pytest.raises(Rejected):
        verify_token(token, b"another", roots)
    believed = []
    for at in range(len(token)):
        changed = bytearray(token)
        changed[at] ^= 1
        try:
            found = verify_token(bytes(changed), checkpoint, roots)
        except Rejected:
            continue
        believed.append((at, found == good))
    # What is left are parts that nobody signs, as the certificates beside the signer's own.
    assert all(same for _, same in believed), believed
    for cut in (0, 1, 7, 100, len(token) - 1):
        with pytest.raises(Rejected):
            verify_token(token[:cut], checkpoint, roots)
