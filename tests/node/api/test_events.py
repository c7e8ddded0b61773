"""Events: who may know hears that something happened, in order, and once more after a break."""

from __future__ import annotations

import asyncio
import json

import aiohttp

from node.access.roles import CASEWORK, Person
from node.storage import happening_rows
from tests.node.api.scene import Api
from tests.node.api.test_repeats import send
from tests.support.pair import FIJI, QUMRAN, Pair


async def read_events(api: Api, key: str, count: int, last: str | None = None) -> list[str]:
    """Read so many events of a stream."""
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
    if last is not None:
        headers["Last-Event-ID"] = last
    found: list[str] = []
    async with (
        asyncio.timeout(10),
        api.session.get(api.url("/v1/events"), headers=headers) as answer,
    ):
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        while len(found) < count:
            line = (await answer.content.readline()).decode()
            assert line, "the stream has ended"
            if line.startswith("data: "):
                found.append(line.removeprefix("data: "))
    return found


async def test_a_page_says_what_happened_and_nothing_of_what_it_is_about(api: Api) -> None:
    """A word, a time and the case's id; the next page begins where it ended."""
    key = api.key()
    sent = await send(api, key, text="a canary")
    page = (await api.get("/v1/events", key)).json()
    assert page["events"][0]["type"] == "case.opened"
    assert page["events"][0]["case"] == sent.json()["case"]
    assert "canary" not in json.dumps(page)
    assert (await api.get(f"/v1/events?after={page['after']}", key)).json()["events"] == []


async def test_only_cases_that_a_person_may_know_of_are_told(api: Api) -> None:
    """A case officer without this case hears nothing of it, nor does the administrator."""
    await send(api, api.key())
    for name in ("otto", "ada"):
        assert (await api.get("/v1/events", api.key(name))).json()["events"] == [], name


async def test_a_stream_goes_on_where_it_broke_off(api: Api) -> None:
    """Last-Event-ID gives what came after it."""
    key = api.key()
    await send(api, key, "one")
    await send(api, key, "two")
    events = [json.loads(one) for one in await read_events(api, key, 2, last="0")]
    assert events[0]["id"] < events[1]["id"]
    (again,) = await read_events(api, key, 1, last=str(events[0]["id"]))
    assert json.loads(again) == events[1]


async def test_a_stream_hears_what_happens_while_it_is_open(api: Api, light_pair: Pair) -> None:
    """From now on, without asking again."""
    key = api.key()
    asleep = asyncio.create_task(light_pair.clock.until_sleeping())
    reading = asyncio.create_task(read_events(api, key, 1))
    async with asyncio.timeout(10):
        await asleep  # it has begun, and looked once
        await send(api, key)
        light_pair.clock.advance(1)
        (event,) = await reading
    assert json.loads(event)["type"] == "case.opened"


async def test_a_quiet_stream_says_that_it_lives(api: Api, light_pair: Pair) -> None:
    """A comment now and then keeps the connection, and shows a reader that there is one."""
    headers = {"Authorization": f"Bearer {api.key()}", "Accept": "text/event-stream"}
    async with asyncio.timeout(10), api.session.get(api.url("/v1/events"), headers=headers) as one:
        assert (await one.content.readline()) == b": comity events\n"
        for _ in range(16):
            await light_pair.clock.until_sleeping()
            light_pair.clock.advance(1)
        assert (await one.content.readline(), await one.content.readline())[1] == b": still here\n"


async def test_no_person_holds_all_streams(api: Api) -> None:
    """The fifth stream of one person is refused, those of others are not."""
    key, other = api.key(), api.key("berta")
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
    opened: list[aiohttp.ClientResponse] = []
    try:
        while len(opened) < 5:
            opened.append(await api.session.get(api.url("/v1/events"), headers=headers))
        assert [one.status for one in opened] == [200, 200, 200, 200, 429]
        headers["Authorization"] = f"Bearer {other}"
        opened.append(await api.session.get(api.url("/v1/events"), headers=headers))
        assert opened[-1].status == 200
    finally:
        for one in opened:
            one.close()


async def test_a_stream_ends_with_its_key(api: Api, light_pair: Pair) -> None:
    """At its next look."""
    key = api.key(expires=api.desk.clock.now() + 2)
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
    async with asyncio.timeout(10), api.session.get(api.url("/v1/events"), headers=headers) as one:
        assert one.status == 200
        await light_pair.clock.until_sleeping()
        light_pair.clock.advance(10)
        assert await one.content.read(-1) == b": comity events\n\n"


async def test_the_other_side_hears_of_the_message(api: Api, light_pair: Pair) -> None:
    """What arrives is told there as a case that opened."""
    await send(api, api.key())
    await light_pair[FIJI].send_to(QUMRAN)
    anybody = Person("officer", CASEWORK, "aa" * 16)
    kinds = light_pair[QUMRAN].node.database.read(
        lambda conn: [
            one.kind for one in happening_rows.heard_by(conn, anybody, 0, after=0, count=9)
        ]
    )
    assert kinds == ["case.opened"]
