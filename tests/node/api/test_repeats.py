"""Repeating a request: one effect for each Idempotency-Key, whatever crashes in between."""

from __future__ import annotations

import asyncio
import json

import pytest

from node.api.answering import Answering, Call
from node.api.repeats import Repeats
from node.storage import Connection, case_rows, repeat_rows
from node.storage.vault import Vault
from tests.node.api.scene import Answer, Api
from tests.support.pair import QUMRAN
from tests.support.requests import good_request

KEY = "4f1c0a9e"


def inquiry(text: str = "Which court is competent?") -> dict[str, object]:
    """Give a request that one person may send."""
    body = good_request("INFORMAL_INQUIRY")
    body["subject_matter"] = text
    return {"to": QUMRAN, "kind": "INFORMAL_INQUIRY", "body": body}


async def send(api: Api, key: str, repeat_key: str = KEY, **changes: str) -> Answer:
    """Send it under an Idempotency-Key."""
    return await api.post("/v1/requests", key, inquiry(**changes), Idempotency_Key=repeat_key)


def cases(api: Api) -> int:
    """Count the cases that there are."""
    return len(api.node.database.read(case_rows.list_cases))


async def test_a_repeat_gets_the_answer_of_before(api: Api) -> None:
    """And nothing is sent a second time."""
    key = api.key()
    first, second = await send(api, key), await send(api, key)
    assert (first.status, second.status) == (200, 200), first.body
    assert first.body == second.body
    assert (first.headers.get("Idempotency-Replayed"), cases(api)) == (None, 1)
    assert second.headers["Idempotency-Replayed"] == "true"


async def test_another_request_under_the_same_key_is_refused(api: Api) -> None:
    """It is a mistake, and which of the two was meant nobody knows."""
    key = api.key()
    await send(api, key)
    other = await send(api, key, text="Something else?")
    assert (other.status, other.json()["code"], cases(api)) == (422, "key-reused", 1)


async def test_a_key_is_one_persons_own(api: Api) -> None:
    """Another person under the same Idempotency-Key has another request."""
    assert (await send(api, api.key("anna"))).status == 200
    assert (await send(api, api.key("berta"))).status == 200
    assert cases(api) == 2


async def test_of_two_at_once_one_is_done(api: Api) -> None:
    """The other hears that it is under way, or gets its answer."""
    key = api.key()
    answers = await asyncio.gather(*(send(api, key) for _ in range(4)))
    assert {one.status for one in answers} <= {200, 409}
    assert cases(api) == 1


async def test_what_was_refused_may_be_asked_again(api: Api) -> None:
    """A refusal changed nothing, so nothing is kept of it."""
    key = api.key()
    body = {**inquiry(), "to": "no.such.authority"}
    refused = await api.post("/v1/requests", key, body, Idempotency_Key=KEY)
    assert 400 <= refused.status < 500
    assert (await send(api, key)).status == 200


async def test_after_a_crash_before_the_answer_nothing_is_done_twice(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark stands with the effect: the repeat hears that it was done."""
    key = api.key()

    def crash(self: Repeats, *_: object) -> None:
        raise SystemError("the power goes here")

    with monkeypatch.context() as patched:
        patched.setattr(Repeats, "keep", crash)
        assert (await send(api, key)).status == 500
    again = await send(api, key)
    assert (again.status, again.json()["code"], cases(api)) == (409, "answer-lost", 1)


async def test_a_restart_forgets_nothing(api: Api) -> None:
    """Answers are in the database, sealed; a server that was just started gives them too."""
    first = await send(api, api.key())
    row = api.node.database.read(lambda conn: _row(conn, api.people["anna"].id or ""))
    assert row is not None
    assert first.json()["case"].encode() not in row.sealed_answer
    fresh = Answering(api.desk, Vault(api.desk.office.keys.ring.storage_key, api.desk.random))
    body = json.dumps(inquiry()).encode()
    call = Call("POST", ("v1", "requests"), "", body, api.people["anna"], KEY)
    again = fresh.answer(call)
    assert (again.body, again.again, cases(api)) == (first.body, True, 1)


def _row(conn: Connection, person: str) -> repeat_rows.Repeat | None:
    return repeat_rows.read_repeat(conn, person, KEY)


async def test_a_secret_that_is_shown_once_is_not_kept(api: Api) -> None:
    """Neither in the clear nor sealed: a repeat does not show an access key again."""
    key, body = api.key(), {"name": "program", "days": 1}
    made = await api.post("/v1/access-keys", key, body, Idempotency_Key=KEY)
    assert made.status == 200, made.body
    again = await api.post("/v1/access-keys", key, body, Idempotency_Key=KEY)
    assert (again.status, again.json()["code"]) == (409, "answer-lost")
    row = api.node.database.read(lambda conn: _row(conn, api.people["anna"].id or ""))
    assert row is not None
    assert row.sealed_answer == b""


async def test_what_was_kept_goes_after_a_day(api: Api) -> None:
    """Then the same key means a new request."""
    await send(api, api.key())
    later = api.desk.clock.now() + 86_401
    api.node.database.transact(lambda conn: repeat_rows.drop_old(conn, later))
    assert api.node.database.read(lambda conn: _row(conn, api.people["anna"].id or "")) is None
