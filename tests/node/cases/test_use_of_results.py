"""What results may be used for: the proceedings of the request, and more only with consent."""

from __future__ import annotations

from node.evidence.manifest import Item, Manifest
from protocol.encoding import Json, decode
from tests.node.cases.test_cases import opened
from tests.support.office import Office, settle
from tests.support.pair import Pair

PATH = "statements/2021.csv"
MANIFEST: Json = decode(
    Manifest((Item(PATH, "text/csv", 3, "ab" * 32),)).encode(), bytes_max=10_000
)


async def with_result(pair: Pair) -> tuple[Office, Office, str]:
    """Let Qumran deliver one file, for the proceedings of the request."""
    fiji, qumran, case = await opened(pair)
    for login in ("carl", "kit", "dee"):
        qumran.do("ines", "case.let_in", case=case, login=login)
    qumran.do("dee", "case.accept", case=case, body={"scope": "full"})
    qumran.do("carl", "case.assign_execution", case=case, body={"executing_authority": "withheld"})
    qumran.do("kit", "case.send_final_result", case=case, manifest=MANIFEST, body={
        "outcome": "FULL", "handling": {"disclosure": "TLP:AMBER", "use": ["U2", "U4"]},
    })  # fmt: skip
    await settle(pair)
    return fiji, qumran, case


async def test_a_result_is_bound_to_the_proceedings_of_its_request(light_pair: Pair) -> None:
    """And says so by item, with what else was asked for."""
    fiji, _, case = await with_result(light_pair)
    told = fiji.do("dora", "case.use", case=case)
    (bound,) = [one for one in told["bound"] if one["item"] == PATH]
    assert bound["use"] == ["U2", "U4"]
    assert "qm-2030-0147" in bound["proceedings"]
    assert told["judged"] is None
    within = fiji.do("dora", "case.use", case=case, items=[PATH], proceedings="QM-2030-0147")
    assert within["judged"]["allowed"]


async def test_another_use_needs_consent_that_is_recorded(light_pair: Pair) -> None:
    """Asked for with the event that is named, and covered once it was granted."""
    fiji, qumran, case = await with_result(light_pair)
    asked: dict[str, Json] = {"items": [PATH], "proceedings": "Tax case 12"}
    before = fiji.do("dora", "case.use", case=case, **asked)["judged"]
    assert (before["allowed"], before["event"]) == (False, "use_consent_requested")
    fiji.do("omar", "case.let_in", case=case, login="april")
    fiji.do("april", "case.use_consent_requested", case=case, body=asked)
    await settle(light_pair)
    qumran.do("dee", "case.use_consent_decided", case=case, body={"decision": "granted"})
    await settle(light_pair)
    assert fiji.do("dora", "case.use", case=case, **asked)["judged"]["allowed"]
    passed_on = fiji.do("dora", "case.use", case=case, items=[PATH], proceedings="Another case")
    assert not passed_on["judged"]["allowed"]


async def test_what_helps_the_accused_is_disclosed_after_notice(light_pair: Pair) -> None:
    """The other side is told before (UNCAC 46(5))."""
    fiji, _, case = await with_result(light_pair)
    wish: dict[str, Json] = {"items": [PATH], "exculpatory": True}
    before = fiji.do("dora", "case.use", case=case, **wish)["judged"]
    assert (before["allowed"], before["event"]) == (False, "exculpatory_disclosure_notice")
    notice: dict[str, Json] = {"text": "The defence will see page 3."}
    fiji.do("april", "case.exculpatory_disclosure_notice", case=case, body=notice)
    assert fiji.do("dora", "case.use", case=case, **wish)["judged"]["allowed"]
