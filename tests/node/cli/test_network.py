"""What stewards type, and how a node comes to trust what they signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from keys.ring import StewardRing, new_steward_ring
from node.exits import Exit
from node.stewards import steward_statement
from tests.support.clock import START
from tests.support.commands import Done, comity
from tests.support.exchanged import FIJI, QUMRAN
from tests.support.keyfiles import write
from tests.support.trust import seeded


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """Give a folder with the key files of three stewards, cheap to open, and their statements."""
    folder = tmp_path / "office"
    folder.mkdir()
    for number in range(3):
        ring = _steward(number)
        write(folder / f"s{number}.key", ring)
        (folder / f"s{number}.key.pub").write_bytes(steward_statement(ring))
    return folder


def _steward(number: int) -> StewardRing:
    return new_steward_ring(f"Steward {number}", random=seeded(f"office {number}"), now=START)


@pytest.fixture
def draft(office: Path) -> Path:
    """Give a draft of a network that two of three stewards must sign."""
    path = office / "net.json"
    stewards = [word for n in range(3) for word in ("--steward", office / f"s{n}.key.pub")]
    made = comity(
        "network", "create", "--network", "pacific", "--threshold", "2", *stewards, "--out", path
    )
    assert made.status is Exit.DONE
    return path


@pytest.fixture
def listings(nodes: Path) -> list[Path]:
    """Give the listings of two nodes."""
    return [nodes / name / f"{name}.listing" for name in (FIJI, QUMRAN)]


def _sign(draft: Path, number: int, passphrase_file: Path, *more: str | Path) -> Done:
    key = draft.parent / f"s{number}.key"
    return comity(
        "network", "sign", draft, "--key", key, "--passphrase-file", passphrase_file, *more
    )


@pytest.fixture
def document(draft: Path, listings: list[Path], passphrase_file: Path) -> Path:
    """Give a document with both nodes, signed by two stewards."""
    assert comity("network", "add", draft, *listings).status is Exit.DONE
    for number in (0, 2):
        _sign(draft, number, passphrase_file)
    assert comity("network", "show", draft, "--json").json["missing"] == 0
    return draft


def test_a_draft_becomes_a_document_signature_by_signature(
    draft: Path, listings: list[Path], passphrase_file: Path
) -> None:
    """Each command says how many are missing, and who has signed."""
    added = comity("network", "add", draft, *listings, "--json").json
    assert [one["id"] for one in added["authorities"]] == [FIJI, QUMRAN]
    assert [one["witnesses"] for one in added["authorities"]] == [[QUMRAN], [FIJI]]
    missing = [added["missing"]]
    for number in (1, 2):
        _sign(draft, number, passphrase_file)
        shown = comity("network", "show", draft, "--json").json
        missing.append(shown["missing"])
    assert missing == [2, 1, 0]
    assert shown["sha256"] == added["sha256"]
    assert [one["name"] for one in shown["stewards"] if one["signed"]] == ["Steward 1", "Steward 2"]
    assert "signed by enough" in comity("network", "show", draft).out


def test_names_states_and_functions_can_be_said(draft: Path, listings: list[Path]) -> None:
    """For one authority of several, in any language; the rest is taken from its id."""
    added = comity(
        "network", "add", draft, *listings, "--name", f"{FIJI}=fr:Justice des Fidji",
        "--name", f"{FIJI}=Justice of Fiji", "--state", f"{QUMRAN}=ZZ", "--json",
    ).json["authorities"]  # fmt: skip
    assert added[0]["names"] == {"en": "Justice of Fiji", "fr": "Justice des Fidji"}
    assert [one["state"] for one in added] == ["FJ", "ZZ"]
    assert added[1]["names"] == {"en": QUMRAN}
    unclear = comity("network", "add", draft, *listings, "--name", "Whose?")
    assert unclear.status is Exit.USAGE


def test_an_authority_is_suspended_and_removed_and_stays_listed(
    draft: Path, listings: list[Path]
) -> None:
    """Its receipts must stay verifiable, and it witnesses nobody any more."""
    comity("network", "add", draft, *listings)
    shown = comity("network", "add", draft, "--suspend", QUMRAN, "--json").json["authorities"]
    assert [(one["status"], one["witnesses"]) for one in shown] == [
        ("active", []), ("suspended", [FIJI]),
    ]  # fmt: skip
    assert "not in the document" in comity("network", "add", draft, "--remove", "x.y").err


def test_a_listing_that_its_own_keys_did_not_sign_is_refused(
    draft: Path, listings: list[Path]
) -> None:
    """Whoever brings it, the stewards vouch for nothing that does not prove itself."""
    raw = listings[0].read_bytes()
    place = raw.index(b'"sig":"') + 20
    letter = b"A" if raw[place : place + 1] != b"A" else b"B"
    listings[0].write_bytes(raw[:place] + letter + raw[place + 1 :])
    before = draft.read_bytes()
    done = comity("network", "add", draft, listings[0], "--json")
    assert (done.status, done.json["code"]) == (Exit.FAILED, "not-authentic")
    assert draft.read_bytes() == before


def test_what_is_signed_is_not_changed_any_more(document: Path, listings: list[Path]) -> None:
    """A change would void the signatures: the next version is for that."""
    done = comity("network", "add", document, *listings)
    assert done.status is Exit.USAGE
    assert "--after" in done.err


def test_the_next_version_follows_the_one_before(
    document: Path, listings: list[Path], passphrase_file: Path
) -> None:
    """It keeps what is not changed, and needs signatures of its own."""
    following = document.with_name("net2.json")
    made = comity("network", "create", "--after", document, "--out", following, "--json").json
    assert (made["version"], made["missing"]) == (2, 2)
    assert [one["id"] for one in made["authorities"]] == [FIJI, QUMRAN]
    _sign(following, 0, passphrase_file)
    _sign(following, 1, passphrase_file)
    folder = listings[0].parent
    assert comity("--config", folder, "network", "show", "--json").json["version"] == 1


def test_a_steward_signs_one_text_of_a_version_and_no_second(
    document: Path, draft: Path, passphrase_file: Path
) -> None:
    """Two valid documents of one version would split the network."""
    again = _sign(document, 0, passphrase_file, "--json")
    assert again.status is Exit.DONE
    rival = document.with_name("rival.json")
    stewards = [word for n in range(3) for word in ("--steward", draft.parent / f"s{n}.key.pub")]
    comity(
        "network", "create", "--network", "pacific", "--threshold", "2", *stewards,
        "--days", "10", "--out", rival,
    )  # fmt: skip
    done = _sign(rival, 0, passphrase_file)
    assert done.status is Exit.FAILED
    assert "has signed another" in done.err


def test_somebody_who_is_no_steward_cannot_sign(
    document: Path, passphrase_file: Path, tmp_path: Path
) -> None:
    """The document says who they are."""
    write(document.parent / "s9.key", _steward(9))
    done = _sign(document, 9, passphrase_file)
    assert "no steward" in done.err


def test_a_document_of_another_fingerprint_is_not_installed(
    document: Path, fresh_node: Path
) -> None:
    """Exit status 3: compared, and found to be another."""
    done = comity("--config", fresh_node, "network", "install", document, "--fingerprint", "1" * 60)
    assert done.status is Exit.FALSE
    assert comity("--config", fresh_node, "network", "show", "--json").json["version"] == 0


def test_the_first_document_needs_somebody_who_compared_it(
    document: Path, listings: list[Path], fresh_node: Path
) -> None:
    """Without a terminal that is --fingerprint, as digits or hex, or --yes."""
    way = ("--config", fresh_node, "network", "install", document)
    done = comity(*way)
    assert done.status is Exit.USAGE
    assert "--fingerprint" in done.err
    shown = comity("network", "show", document, "--json").json
    spoken = shown["fingerprint"].replace(" ", "-")
    installed = comity(*way, *listings, "--fingerprint", spoken, "--json").json
    assert (installed["version"], installed["new"]) == (1, [True, True, True])
    again = comity(*way, "--fingerprint", shown["sha256"], "--json").json
    assert again["new"] == [False]
    assert comity(*way).status is Exit.DONE  # nothing to compare: it is here already


@pytest.fixture
def fresh_node(tmp_path: Path, passphrase_file: Path) -> Path:
    """Give the folder of a node that trusts nothing yet, made by `comity init`."""
    folder = tmp_path / "new"
    made = comity(
        "init", "--network", "pacific", "--authority", "to.justice", "--dir", folder,
        "--passphrase-file", passphrase_file,
    )  # fmt: skip
    assert made.status is Exit.DONE
    return folder


def test_a_draft_is_not_installed(draft: Path, fresh_node: Path) -> None:
    """Not before enough stewards have signed it."""
    done = comity("--config", fresh_node, "network", "install", draft, "--yes", "--json")
    assert (done.status, done.json["code"]) == (Exit.FAILED, "not-signed")


def test_a_file_of_another_kind_is_named(tmp_path: Path, fresh_node: Path) -> None:
    """Not a traceback, and not silence."""
    path = tmp_path / "letter"
    path.write_text("Dear colleague")
    for words in (("network", "show", path), ("network", "install", path)):
        done = comity("--config", fresh_node, *words)
        assert done.status is Exit.FAILED
        assert "letter is no network document" in done.err


def test_a_listing_is_shown_with_the_fingerprint_of_its_keys(fresh_node: Path) -> None:
    """The same that `init` said, to be compared over the telephone."""
    listing = fresh_node / "to.justice.listing"
    shown = comity("network", "show", listing, "--json").json
    assert (shown["authority"], shown["serial"]) == ("to.justice", 1)
    keys = comity("--config", fresh_node, "keys", "show", "--json").json
    assert keys["fingerprint"] == shown["fingerprint"]
    assert shown["fingerprint"][:35] in comity("network", "show", listing).out
