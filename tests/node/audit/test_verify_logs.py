"""Files about logs, one by one: undecided alone, and proved under a policy of the reader's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.audit.verify import Verdict, verify_file
from protocol.bundle import Bundle
from protocol.bundle_parts import make_bundle
from protocol.checkpoint import Checkpoint, LogKeys, sign_checkpoint, witness_name
from protocol.fork import make_fork
from protocol.policy import Policy, decode_policy, encode_policy
from protocol.receipt import decode_receipt
from tests.support.attacks import attacks, base
from tests.support.bundles import FIJI, QUMRAN, Book, Story, told
from tests.support.clock import START
from tests.support.forge import flipped
from tests.support.trust import Trust, make_trust

CHECKED = START + 600


@pytest.fixture(scope="module")
def trust() -> Trust:
    """Two authorities that witness each other."""
    return make_trust((FIJI, QUMRAN), stewards=1, threshold=1)


@pytest.fixture
def story(trust: Trust) -> Story:
    """A case with three messages, receipted and witnessed."""
    return told(trust)


def keys_of(trust: Trust, authority: str, purpose: str) -> LogKeys:
    """Give the public pair of a log or witness."""
    pair = trust.rings[authority].signers(purpose)  # type: ignore[arg-type]  # a purpose
    return LogKeys(*pair.public)


def policy_of(trust: Trust, authority: str, *, witnesses: tuple[str, ...], quorum: int) -> Policy:
    """Give the policy of an authority's log."""
    origin = Book(trust, authority).origin
    named = [
        (witness_name(trust.network, one), keys_of(trust, one, "witness")) for one in witnesses
    ]
    raw = encode_policy(origin, keys_of(trust, authority, "log"), witnesses=named, quorum=quorum)
    return decode_policy(raw)


@pytest.fixture
def files(trust: Trust, story: Story) -> dict[str, bytes]:
    """Make one file of each kind about Qumran's log."""
    book = story.books[QUMRAN]
    cosigned = book.cosigned([FIJI], at=CHECKED)
    record = book.prove(0, checkpoint=cosigned)
    ed25519, ml_dsa = trust.rings[QUMRAN].signers("log")
    other = sign_checkpoint(
        Checkpoint(book.origin, len(book.records), bytes(32)), ed25519=ed25519, ml_dsa=ml_dsa,
        now=START + 9,
    )  # fmt: skip
    key_id = trust.sign_pair(QUMRAN).key_ids[0]
    return {
        "record": record,
        "receipt": story.parts["receipts"][0],
        "log proof": decode_receipt(record).proof,
        "fork proof": make_fork(book.checkpoint(), other),
        "continuation of a log": book.continuation(cosigned, len(book.records), [1, 2]),
        "closure of a log": trust.closure(QUMRAN, 2, book.head(2).root),
        "revocation": trust.revocation(QUMRAN, "sign", key_id),
    }


KINDS = (
    "record", "receipt", "log proof", "fork proof", "continuation of a log", "closure of a log",
    "revocation",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_alone_each_is_known_and_undecided(files: dict[str, bytes], kind: str) -> None:
    """None of them holds the keys that would decide it."""
    judged = verify_file(files[kind])
    assert (judged.kind, judged.conclusion) == (kind, Verdict.UNDECIDED)
    assert any(one.startswith("Nothing is proved") for one in judged.not_proved)


@pytest.mark.parametrize(
    ("kind", "quorum", "conclusion"),
    [
        ("record", 1, Verdict.TRUE), ("record", 0, Verdict.TRUE),
        ("receipt", 1, Verdict.UNDECIDED), ("receipt", 0, Verdict.TRUE),
        ("log proof", 1, Verdict.UNDECIDED), ("fork proof", 1, Verdict.TRUE),
        ("continuation of a log", 1, Verdict.TRUE), ("closure of a log", 1, Verdict.UNDECIDED),
    ],
)  # fmt: skip
def test_under_a_policy_that_names_the_log_it_is_proved(
    trust: Trust, files: dict[str, bytes], kind: str, quorum: int, conclusion: Verdict
) -> None:
    """As far as the policy asks: a receipt's own checkpoint has no witness's word."""
    policy = policy_of(trust, QUMRAN, witnesses=(FIJI,), quorum=quorum)
    judged = verify_file(files[kind], policy=policy)
    assert judged.conclusion is conclusion, judged
    assert bool(judged.alarms) is (kind == "fork proof")


@pytest.mark.parametrize("kind", ["record", "receipt", "fork proof", "continuation of a log"])
def test_under_a_policy_for_another_log_nothing_is_decided(
    trust: Trust, files: dict[str, bytes], kind: str
) -> None:
    """Its keys are not those of this log."""
    policy = policy_of(trust, FIJI, witnesses=(QUMRAN,), quorum=1)
    assert verify_file(files[kind], policy=policy).conclusion is Verdict.UNDECIDED


@pytest.mark.parametrize("kind", ["record", "receipt", "fork proof", "continuation of a log"])
def test_under_a_policy_a_changed_byte_is_never_true(
    trust: Trust, files: dict[str, bytes], kind: str
) -> None:
    """Wherever it is: also in signatures, which nobody could judge without keys."""
    policy = policy_of(trust, QUMRAN, witnesses=(FIJI,), quorum=0)
    raw = files[kind]
    lines = 2 if kind == "fork proof" else 1
    for place in range(0, len(raw), max(1, len(raw) // (60 * lines))):
        judged = verify_file(flipped(raw, place, 2), policy=policy)
        assert judged.conclusion is not Verdict.TRUE, place


def test_a_record_of_another_network_than_its_log_is_false(trust: Trust) -> None:
    """Whoever signed it."""
    book = Book(trust, QUMRAN)
    book.append(b'{"at":1,"kind":"log.opened","network":"atlantic","v":1}')
    assert verify_file(book.prove(0)).conclusion is Verdict.FALSE


def test_a_proof_of_an_impossible_place_is_false(files: dict[str, bytes]) -> None:
    """A path that cannot be of this index and size."""
    raw = files["log proof"]
    assert verify_file(raw.replace(b"index 0", b"index 99")).conclusion is Verdict.FALSE


# --- bundles under a policy ------------------------------------------------


def judged_under(story: Story, policy: Policy) -> tuple[Verdict, str]:
    """Judge the story's bundle under a policy; gives what is in doubt, too."""
    judged = verify_file(story.bundle().encode(), policy=policy)
    return judged.conclusion, " ".join(str(one) for one in judged.not_proved)


def test_a_bundle_is_held_against_a_policy(story: Story, trust: Trust) -> None:
    """It is true under the policy of its own log, with the witnesses that cosigned its head."""
    policy = policy_of(trust, QUMRAN, witnesses=(FIJI,), quorum=1)
    assert judged_under(story, policy)[0] is Verdict.TRUE
    judged = verify_file(story.bundle().encode(), policy=policy)
    assert not any("compare its fingerprint" in one for one in judged.not_proved)


@pytest.mark.parametrize("why", ["elsewhere", "other keys", "one key", "no head", "one of two"])
def test_a_bundle_that_a_policy_does_not_believe_is_undecided(
    why: str, story: Story, trust: Trust
) -> None:
    """Each with its reason: another log, other keys of it, too few witnesses, or no head."""
    stranger = make_trust((FIJI, QUMRAN), stewards=1, threshold=1, seeds="other ")
    policy = policy_of(trust, QUMRAN, witnesses=(FIJI,), quorum=1)
    reason = "is not witnessed as your policy asks"
    if why == "elsewhere":
        elsewhere = make_trust((FIJI, QUMRAN), stewards=1, threshold=1, network="atlantic")
        policy = policy_of(elsewhere, QUMRAN, witnesses=(FIJI,), quorum=1)
        reason = "Nothing in it rests on a log of your policy"
    elif why == "other keys":
        policy = policy_of(stranger, QUMRAN, witnesses=(FIJI,), quorum=1)
        reason = "has other keys there"
    elif why == "one key":
        policy = Policy(policy.logs[:1], policy.witnesses, policy.groups, policy.quorum)
        reason = "does not name both keys"
    elif why == "no head":
        story.parts["heads"] = []
    else:
        policy = policy_of(trust, QUMRAN, witnesses=(FIJI, QUMRAN), quorum=2)
    conclusion, said = judged_under(story, policy)
    assert conclusion is Verdict.UNDECIDED
    assert reason in said


# --- what is told ----------------------------------------------------------


def _telling(change: Callable[[Story], Bundle], trust: Trust) -> tuple[str, ...]:
    judged = verify_file(change(told(trust)).encode())
    return (*judged.alarms, *judged.statements, *judged.not_proved)


def test_every_message_is_told_with_its_witnesses(trust: Trust) -> None:
    """By number, with who accepted it and how many have seen the log."""
    lines = _telling(lambda story: story.bundle(), trust)
    assert any(one.startswith("1. transmit of fj.justice") for one in lines)
    assert sum("witnessed by 1 of 1" in one for one in lines) == 4


def test_what_is_open_in_a_bundle_is_told(trust: Trust) -> None:
    """A message on its way, a final refusal, an unproved manifest, a log without witnesses."""

    def change(story: Story) -> Bundle:
        late = story.send(FIJI, "note", {"text": "late"})
        story.accept(late, kind="message.refused", order=None, code="expired")
        story.send(FIJI, "note", {"evidence": {"sha256": "ab" * 32}})
        story.parts["heads"] = []
        return story.bundle()

    text = "\n".join(_telling(change, trust))
    for said in (
        "refused (expired) by qm.justice", "no receipt in the file",
        "there is no receipt of them here",
        "a manifest is not the one", "where fewer have witnessed it", "witnessed by 0 of 1",
    ):  # fmt: skip
        assert said in text


def test_a_fork_is_told_first(trust: Trust, files: dict[str, bytes]) -> None:
    """Before what is proved, and what is not."""

    def change(story: Story) -> Bundle:
        parts = {**story.parts, "forks": [files["fork proof"]]}
        parts["messages"] = []
        return make_bundle(story.about(proofs_only=True), parts)

    lines = _telling(change, trust)
    assert lines[0].startswith("FORK: the log pacific/qm.justice/1")
    assert any("proofs only" in one for one in lines)
    assert any(one.startswith("Not to which case these receipts belong") for one in lines)


def test_a_log_that_contradicts_itself_is_told_as_that(trust: Trust) -> None:
    """False, and the victim is told to keep the file: nobody says that it was made up."""
    (forked,) = (one for one in attacks() if one.name == "head-of-another-history")
    judged = verify_file(forked.make(base(1)))
    assert (judged.conclusion, judged.statements) == (Verdict.FALSE, ())
    assert judged.alarms[0].startswith("FORK: the log pacific/qm.justice/1 contradicts itself")
    assert "Keep the file" in judged.not_proved[0]
    cut = told(trust)
    root = cut.books[QUMRAN].head(2).root
    cut.parts["closures"] = [trust.closure(QUMRAN, 2, root, created=START + 900)]
    assert verify_file(cut.bundle().encode()).alarms


def test_a_number_that_was_given_twice_is_told_as_a_contradiction() -> None:
    """The requested side's log says both, and whoever holds that has made nothing up."""
    (twice,) = (one for one in attacks() if one.name == "number-given-twice")
    judged = verify_file(twice.make(base(1)))
    assert (judged.conclusion, judged.statements) == (Verdict.FALSE, ())
    assert judged.alarms == ("CONTRADICTION: two messages of the case have one number.",)
