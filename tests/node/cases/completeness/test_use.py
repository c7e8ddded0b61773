"""What results may be used for: their own proceedings, and more only with recorded consent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cases.completeness.use import (
    DISCLOSURES,
    USES,
    Allowed,
    Handling,
    NeedsConsent,
    NeedsNotice,
    Step,
    Wish,
    may_use,
    restrictions,
    strictest,
)
from tests.node.cases.completeness.test_request import JSON
from tests.support.requests import good_request

REQUEST = good_request("MLA_BANK_RECORDS")
OURS = REQUEST["own_ref"]
OTHER = "Tax case 7/2031"


def result(*paths: str, **more: object) -> Step:
    """Give a final result with files."""
    listed = [{"path": path, "sha256": "ab" * 32, "size": 1} for path in paths]
    manifest = {"v": 1, "items": listed}
    return ("send_final_result", {"outcome": "FULL", "evidence": {"manifest": manifest}, **more})


def asked(items: list[str], proceedings: str = OTHER) -> Step:
    """Ask for consent to other use."""
    return ("use_consent_requested", {"items": items, "proceedings": proceedings})


def decided(decision: str) -> Step:
    """Answer the first question that is open."""
    return ("use_consent_decided", {"decision": decision})


def wish(*items: str, proceedings: str = OTHER, **more: bool) -> Wish:
    """Wish to use items, in other proceedings unless it says which."""
    return Wish(items=items, proceedings=proceedings, **more)


def test_a_result_serves_the_proceedings_of_its_request() -> None:
    """UNCAC 46(19): by default the proceedings are those of the request, by any of its names."""
    for name in (OURS, REQUEST["subject_matter"].upper()):
        said = may_use(wish("a.csv", proceedings=name), REQUEST, [result("a.csv")])
        assert said == Allowed("the request")


def test_other_proceedings_need_consent_first() -> None:
    """The judgement names the items, and the event to ask with."""
    said = may_use(wish("a.csv", "b.csv"), REQUEST, [result("a.csv", "b.csv")])
    assert isinstance(said, NeedsConsent)
    assert (said.items, said.event, said.rule) == (
        ("a.csv", "b.csv"), "use_consent_requested", "UNCAC 46(19)",
    )  # fmt: skip


def test_consent_counts_for_the_items_it_was_asked_for() -> None:
    """Of two items, the one without consent still needs it."""
    history = [result("a.csv", "b.csv"), asked(["a.csv"]), decided("granted")]
    assert may_use(wish("a.csv"), REQUEST, history) == Allowed("recorded consent")
    said = may_use(wish("a.csv", "b.csv"), REQUEST, history)
    assert isinstance(said, NeedsConsent)
    assert said.items == ("b.csv",)


def test_consent_counts_for_the_proceedings_it_was_asked_for() -> None:
    """Consent for one case is none for another."""
    history = [result("a.csv"), asked(["a.csv"]), decided("granted")]
    said = may_use(wish("a.csv", proceedings="Divorce 3"), REQUEST, history)
    assert isinstance(said, NeedsConsent)


def test_a_question_is_no_consent_and_a_refusal_neither() -> None:
    """Nothing is taken for granted."""
    assert isinstance(may_use(wish("a"), REQUEST, [result("a"), asked(["a"])]), NeedsConsent)
    refused = [result("a"), asked(["a"]), decided("refused")]
    assert isinstance(may_use(wish("a"), REQUEST, refused), NeedsConsent)
    assert isinstance(may_use(wish("a"), REQUEST, [result("a"), decided("granted")]), NeedsConsent)


def test_answers_belong_to_questions_in_their_order() -> None:
    """The first answer is to the first question that is open."""
    history = [
        result("a", "b"), asked(["a"]), asked(["b"]), decided("refused"), decided("granted"),
    ]  # fmt: skip
    assert isinstance(may_use(wish("a"), REQUEST, history), NeedsConsent)
    assert may_use(wish("b"), REQUEST, history) == Allowed("recorded consent")


def test_an_item_that_no_result_brought_needs_consent() -> None:
    """What is not known is not free."""
    said = may_use(wish("other.csv", proceedings=OURS), REQUEST, [result("a.csv")])
    assert isinstance(said, NeedsConsent)


def test_a_result_may_permit_more() -> None:
    """What the giver permits in words needs no question."""
    history = [result("a.csv", permitted_proceedings=[OURS, OTHER])]
    assert may_use(wish("a.csv"), REQUEST, history) == Allowed("the request")


def test_general_use_is_free_where_it_alone_is_said() -> None:
    """U0 frees; beside anything else it says nothing."""
    free = [result("a", handling={"disclosure": "TLP:GREEN", "use": ["U0"]})]
    assert may_use(wish("a"), REQUEST, free) == Allowed("the request")
    bound = [result("a", handling={"disclosure": "TLP:GREEN", "use": ["U0", "U4"]})]
    assert isinstance(may_use(wish("a"), REQUEST, bound), NeedsConsent)


def test_intelligence_is_no_evidence() -> None:
    """U1 lets an officer read and no court; an answer to an inquiry has it unless it says more."""
    history: list[Step] = [("answer", {"text": "It is registered."})]
    read = wish("", proceedings=OURS, as_evidence=False)
    assert may_use(read, REQUEST, history) == Allowed("the request")
    assert isinstance(may_use(wish("", proceedings=OURS), REQUEST, history), NeedsConsent)


def test_passing_on_needs_consent_where_it_is_barred() -> None:
    """U2: the third-party rule."""
    history = [result("a", handling={"disclosure": "TLP:AMBER", "use": ["U2"]})]
    kept = wish("a", proceedings=OURS)
    assert may_use(kept, REQUEST, history) == Allowed("the request")
    passed = wish("a", proceedings=OURS, passes_on=True)
    assert isinstance(may_use(passed, REQUEST, history), NeedsConsent)


def test_one_item_may_be_bound_further_than_its_result() -> None:
    """The strictest wins, and the others stay as they were."""
    limits = [{"items": ["a"], "use": ["U1"]}]
    history = [result("a", "b", use_limits=limits)]
    assert isinstance(may_use(wish("a", proceedings=OURS), REQUEST, history), NeedsConsent)
    assert may_use(wish("b", proceedings=OURS), REQUEST, history) == Allowed("the request")


def test_what_helps_the_accused_may_be_disclosed_after_notice() -> None:
    """UNCAC 46(5), 46(19): no consent, but the other side is told first."""
    history = [result("a")]
    said = may_use(wish("a", exculpatory=True), REQUEST, history)
    assert isinstance(said, NeedsNotice)
    assert said.event == "exculpatory_disclosure_notice"
    told = [*history, ("exculpatory_disclosure_notice", {"text": "Page 3."})]
    assert may_use(wish("a", exculpatory=True), REQUEST, told) == Allowed(
        "notice before disclosure"
    )


HANDLINGS = st.lists(
    st.builds(Handling, st.sampled_from(DISCLOSURES), st.frozensets(st.sampled_from(USES))),
    max_size=4,
)


@given(HANDLINGS, HANDLINGS)
def test_the_strictest_wins_in_any_order(some: list[Handling], others: list[Handling]) -> None:
    """Joining more never widens the circle, nor lifts a restriction."""
    few, more = strictest(some), strictest([*some, *others])
    assert more == strictest([*others, *some])
    assert DISCLOSURES.index(more.disclosure) >= DISCLOSURES.index(few.disclosure)
    named = {code for one in some for code in one.use} - {"U0"}
    assert named <= more.use


def test_nothing_said_is_the_proceedings_named_and_an_unknown_circle_the_narrowest() -> None:
    """Silence binds, and so does what nobody understands."""
    assert strictest([]).use == {"U4"}
    odd = Handling("TLP:PURPLE", frozenset({"U0"}))
    assert strictest([odd, Handling("TLP:RED", frozenset())]).disclosure == "TLP:PURPLE"


@pytest.mark.parametrize("event", ["send_final_result", "use_consent_requested", "answer"])
@given(JSON)
def test_any_history_is_judged(event: str, body: object) -> None:
    """Whatever a peer signed, nothing raises, and nothing becomes free by it."""
    whole = body if isinstance(body, dict) else {"items": body, "use_limits": body}
    history = [("release", {"content": "x"}), (event, whole), decided("granted")]
    restrictions(whole, history)
    assert isinstance(may_use(wish("a.csv"), REQUEST, history), NeedsConsent)
