"""Erasing: what goes, what stays, and what the other side hears of it, on both databases."""

from __future__ import annotations

import pytest

from node.audit.erasure import Spans, erase_case, erase_records
from node.audit.faults import NotErasable
from node.audit.records import MessageUndelivered
from node.storage import case_rows
from node.storage.writer import Tx
from protocol.errors import Malformed
from protocol.limits import MESSAGE_LIFETIME_S, MESSAGE_SKEW_S
from tests.support.pair import FIJI, QUMRAN, Pair


async def erase(pair: Pair, name: str, case_id: str) -> None:
    """Erase a case at one side."""

    def work(tx: Tx) -> None:
        case = case_rows.read_case(tx.conn, case_id, lock=True)
        assert case is not None
        erase_case(tx, "pacific", case, reason="retention-ended")

    await pair[name].write(work)


async def test_a_message_in_an_erased_case_is_refused(pair: Pair) -> None:
    """There is no key to keep it under; a repeat of an older one still gets its receipt."""
    posted = await pair.request()
    (envelope,) = [one.envelope for one in pair[FIJI].waiting(QUMRAN)]
    await pair[FIJI].send_to(QUMRAN)
    await erase(pair, QUMRAN, posted.case)
    (repeated,) = await pair.offer(envelope)
    assert repeated.receipt == pair[FIJI].message(posted.identity)["receipt"]
    note = await pair.event(posted.case, sender=FIJI)
    await pair[FIJI].send_to(QUMRAN)
    (waiting,) = pair[FIJI].waiting(QUMRAN)
    assert (waiting.identity, waiting.last_code) == (note.identity, "unknown-case")
    pair[FIJI].assert_sound()


async def test_a_message_whose_receipt_was_erased_gets_no_other(pair: Pair) -> None:
    """A second receipt for one message would be a second truth; the repeat has to wait."""
    posted = await pair.request()
    (envelope,) = [one.envelope for one in pair[FIJI].waiting(QUMRAN)]
    await pair[FIJI].send_to(QUMRAN)
    place = pair[QUMRAN].message(posted.identity)["log_position"]
    assert isinstance(place, int)
    one = Spans(((place, place),))

    def work(tx: Tx) -> Spans:
        return erase_records(tx, "pacific", one, log=1, reason="court-order")

    with pytest.raises(NotErasable, match="not expired"):
        await pair[QUMRAN].write(work)
    pair.clock.advance(MESSAGE_LIFETIME_S + MESSAGE_SKEW_S)
    assert await pair[QUMRAN].write(work) == one
    assert pair[QUMRAN].message(posted.identity)["receipt"] == b""
    before = pair[QUMRAN].counts()
    (again,) = await pair.offer(envelope)
    assert (again.receipt, again.proof, again.refusal) == (None, None, None)
    assert pair[QUMRAN].counts() == before


@pytest.mark.parametrize(
    ("text", "form", "count"),
    [("3", "3", 1), ("7-9,3", "3,7-9", 4), ("1,2,3", "1-3", 3), ("5-8, 6-10", "5-10", 6)],
)
def test_entries_have_one_form(text: str, form: str, count: int) -> None:
    """However a person writes them."""
    spans = Spans.parse(text)
    assert (str(spans), spans.count) == (form, count)
    assert Spans.parse(form) == spans


@pytest.mark.parametrize("text", ["", ",", "3-", "9-7", "-1", "0x3", "1e3", "9" * 17, "٣"])
def test_what_names_no_entries_is_refused(text: str) -> None:
    """Nothing is guessed where something is destroyed."""
    with pytest.raises(Malformed):
        Spans.parse(text)


async def test_scattered_entries_that_fit_in_no_record_are_not_erased(light_pair: Pair) -> None:
    """All or nothing: what was erased stands in one record."""

    def fill(tx: Tx) -> None:
        for number in range(1_600):
            tx.record(MessageUndelivered("pacific", tx.now, f"{number:064x}"))

    await light_pair[FIJI].write(fill)
    spans = Spans(tuple((place, place) for place in range(40, 1_600, 2)))
    with pytest.raises(NotErasable, match="fit in no record"):
        await light_pair[FIJI].write(
            lambda tx: erase_records(tx, "pacific", spans, log=1, reason="x")
        )
