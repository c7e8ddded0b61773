"""Whatever somebody with keys of his own does to a bundle, it does not become another truth."""

from __future__ import annotations

import pytest

from node.audit.verify import Verdict, verify_file
from protocol.bundle_check import verify_bundle
from tests.support.attacks import Attack, attacks, base
from tests.support.bundles import FIJI, QUMRAN
from tests.support.forge import flipped

STEP = 487  # of the bytes that are turned one by one; prime, so that all kinds of places are met
QUORUMS = pytest.mark.parametrize("quorum", [1, 3])


@QUORUMS
def test_the_bundle_that_is_attacked_is_true(quorum: int) -> None:
    """Otherwise the attacks would prove nothing."""
    judged = verify_file(base(quorum).raw)
    assert judged.conclusion is Verdict.TRUE, judged
    witnesses = {FIJI: (QUMRAN,), QUMRAN: (FIJI,)}
    for line in verify_bundle(base(quorum).raw).lines:
        assert line.decision is not None
        assert line.standing is not None
        assert line.standing.reached
        assert line.standing.quorum == quorum
        assert set(witnesses[line.decision.recipient]) <= set(line.standing.witnesses)


@QUORUMS
@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack.name)
def test_an_altered_bundle_is_never_true(attack: Attack, quorum: int) -> None:
    """It is false, or it is undecided where something was only taken away; and says why."""
    judged = verify_file(attack.make(base(quorum)))
    assert (judged.conclusion.value, judged.kind) == (attack.outcome, "bundle"), judged
    assert judged.alarms or judged.statements or judged.not_proved


def test_a_turned_bit_anywhere_is_false() -> None:
    """In every region of the file: contents, headers between them, and the list at its end."""
    raw = base(1).raw
    places = {*range(0, len(raw), STEP), *range(len(raw) - 200, len(raw))}
    for place in places:
        assert verify_file(flipped(raw, place, place % 8)).conclusion is Verdict.FALSE, place


def test_a_bundle_of_a_made_up_network_is_not_the_readers_own() -> None:
    """Anybody may make a network of the same names; its document has another fingerprint."""
    made_up = base(1).stranger.bundle().encode()
    trusted = base(1).trust.document.digest
    assert verify_file(made_up).conclusion is Verdict.TRUE  # on the condition that it says
    judged = verify_file(made_up, trusted_fingerprint=trusted)
    assert judged.conclusion is Verdict.UNDECIDED
    assert "another network document" in judged.not_proved[0]
    assert verify_file(base(1).raw, trusted_fingerprint=trusted).conclusion is Verdict.TRUE


def test_the_end_of_a_case_may_be_left_out_and_nothing_more_is_said() -> None:
    """A shorter bundle is a true one of an earlier time: it never claims to be all."""
    story = base(1).story
    parts = {folder: list(found) for folder, found in story.parts.items()}
    del parts["messages"][-1], parts["receipts"][-1]
    parts["heads"] = []
    judged = verify_file(story.bundle(parts).encode())
    assert judged.conclusion is Verdict.TRUE
    assert any("nothing else" in sentence for sentence in judged.not_proved)
    assert any("witnessed" in sentence for sentence in judged.not_proved)


def test_who_made_a_bundle_is_nobodys_word_and_said_so() -> None:
    """`authority` and `created` of the file are signed by nobody."""
    judged = verify_file(base(1).story.bundle(created=5, authority="ws.justice").encode())
    assert judged.conclusion is Verdict.TRUE
    assert any("Not who made this file" in sentence for sentence in judged.not_proved)
