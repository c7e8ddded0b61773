"""`comity verify` for bundles: what it says, how it ends, and the page that does the same."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from node.cli.program import run
from node.exits import Exit
from protocol.checkpoint import LogKeys, witness_name
from protocol.policy import encode_policy
from tests.support.bundles import FIJI, QUMRAN, told
from tests.support.commands import comity
from tests.support.forge import flipped
from tests.support.trust import Trust, make_trust


@pytest.fixture(scope="module")
def trust() -> Trust:
    """Two authorities that witness each other."""
    return make_trust((FIJI, QUMRAN), stewards=1, threshold=1)


@pytest.fixture
def bundle(trust: Trust, tmp_path: Path) -> Path:
    """Give the file of a bundle."""
    path = tmp_path / "case.comity"
    path.write_bytes(told(trust).bundle().encode())
    return path


@pytest.fixture
def policy(trust: Trust, tmp_path: Path) -> Path:
    """Give the file of a policy for Qumran's log, with Fiji as its witness."""
    log, witness = (
        LogKeys(*trust.rings[who].signers(what).public)  # type: ignore[arg-type]  # a purpose
        for who, what in ((QUMRAN, "log"), (FIJI, "witness"))
    )
    path = tmp_path / "policy"
    named = [(witness_name(trust.network, FIJI), witness)]
    origin = f"{trust.network}/{QUMRAN}/1"
    path.write_bytes(encode_policy(origin, log, witnesses=named, quorum=1))
    return path


def test_a_bundle_needs_nothing_but_itself(bundle: Path) -> None:
    """No node, no settings, no network: what is proved is said, and what is not."""
    done = comity("verify", bundle)
    assert done.status is Exit.DONE
    assert done.out.splitlines()[0].endswith(": VERIFIED")
    assert "witnessed by 1 of 1" in done.out
    assert "compare its fingerprint" in done.out
    told_to_machines = comity("verify", bundle, "--json").json
    assert told_to_machines["schema"] == "comity.verification/1"
    assert (told_to_machines["kind"], told_to_machines["conclusion"]) == ("bundle", "true")
    assert [one["order"] for one in told_to_machines["messages"]] == [1, 3, 2]
    assert told_to_machines["documents"][0]["version"] == 1


def test_a_changed_bundle_ends_with_three_and_a_foreign_one_with_four(
    bundle: Path, trust: Trust
) -> None:
    """False is an accusation; another network's bundle is none."""
    trusted = trust.document.digest
    assert comity("verify", bundle, "--fingerprint", trusted).status is Exit.DONE
    assert comity("verify", bundle, "--fingerprint", "1" * 60).status is Exit.UNDECIDED
    bundle.write_bytes(flipped(bundle.read_bytes(), 5_000))
    done = comity("verify", bundle, "--fingerprint", trusted)
    assert done.status is Exit.FALSE
    assert "FALSE" in done.out


def test_a_policy_is_trust_as_well(bundle: Path, policy: Path, tmp_path: Path) -> None:
    """One that names the log and its witness proves the bundle; one that is none is refused."""
    assert comity("verify", bundle, "--policy", policy).status is Exit.DONE
    (tmp_path / "none").write_text("quorum everybody\n")
    done = comity("verify", bundle, "--policy", tmp_path / "none")
    assert done.status is Exit.USAGE
    assert "--policy" in done.err


def test_the_page_is_written_to_standard_output(bundle: Path) -> None:
    """The verifier that needs no installation comes with the command."""
    raw = io.BytesIO()
    with contextlib.redirect_stdout(io.TextIOWrapper(raw, write_through=True)) as out:
        assert run(["verify", "--page"]) is Exit.DONE
        assert out.tell() >= 0
        assert raw.getvalue().startswith(b"<!doctype html>")
    assert comity("verify", "--page", bundle).status is Exit.USAGE
    assert comity("verify").status is Exit.USAGE
