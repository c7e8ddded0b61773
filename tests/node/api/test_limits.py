"""What the API takes of whom, and what it does with those who want to harm it."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import replace

import pytest

from node.api.staff import staff_limits
from node.transport.limits import TransportLimits
from tests.node.api.scene import Api, serving
from tests.node.api.test_repeats import inquiry, send
from tests.support.pair import FIJI, QUMRAN, Pair
from tests.support.requests import good_request

MEAN = TransportLimits(
    header_s_max=0.3, body_s_max=0.6, body_grace_s_max=0.3, requests_per_peer_max=2,
    rate_per_peer=1.0, rate_burst=3.0,
)  # fmt: skip
_HALF = b"Content-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"
LONG = "ẞ\u202eحمد" * 2_000


async def test_a_case_of_others_is_answered_like_one_that_is_not_there(api: Api) -> None:
    """To the byte, but for the name that was asked for."""
    case = (await send(api, api.key())).json()["case"].replace("/", "%2F")
    key = api.key("otto")
    for path in ("", "/manifests", "/clocks"):
        foreign = await api.get(f"/v1/cases/{case}{path}", key)
        absent = await api.get(f"/v1/cases/{case[:-4]}ffff{path}", key)
        assert (foreign.status, foreign.body) == (404, absent.body), path
    refused = await api.post(f"/v1/cases/{case}/withdraw", key, {"body": {"reasons": "no"}})
    assert refused.status in {403, 404}


async def test_a_key_for_reading_writes_nothing(api: Api) -> None:
    """Whatever its owner may do."""
    key = api.key(scopes="read")
    assert (await api.get("/v1/cases", key)).status == 200
    refused = await api.post("/v1/requests", key, inquiry())
    assert (refused.status, refused.json()["code"]) == (403, "not-allowed")


async def test_a_body_of_too_many_bytes_is_not_read(api: Api) -> None:
    """Neither announced nor in chunks."""
    head = f"POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {api.key()}\r\n"
    announced = await api.raw(f"{head}Content-Length: 8388609\r\n\r\n".encode())
    assert announced.startswith(b"HTTP/1.1 413 ")
    chunk = b"%x\r\n%b\r\n" % (4_000_000, b"x" * 4_000_000)
    in_chunks = await api.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + 3 * chunk)
    assert in_chunks.startswith(b"HTTP/1.1 413 ")


async def test_without_a_key_no_body_is_taken(api: Api) -> None:
    """The answer comes before the body, and the connection goes."""
    said = await api.raw(
        b"POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n"
    )
    assert said.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "begun",
    [
        b"", b"GET /v1/status HTTP/1.1\r\nHost: localh",
        b"POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer KEY\r\n%b" % _HALF,
    ],
    ids=["nothing", "half a header", "half a body"],
)  # fmt: skip
async def test_who_is_slow_is_cut_off(light_pair: Pair, begun: bytes) -> None:
    """A connection on which nothing comes is ended, and others are served meanwhile."""
    async with serving(light_pair[FIJI].node, limits=MEAN) as api:
        slow = asyncio.create_task(api.raw(begun.replace(b"KEY", api.key().encode())))
        assert (await api.get("/v1/status", api.key("ada"))).status == 200
        said = await slow
        assert said == b"" or said.startswith(b"HTTP/1.1 408 ")


async def test_who_asks_too_often_waits(light_pair: Pair) -> None:
    """By key: another person is served; and who has no key, by address."""
    async with serving(light_pair[FIJI].node, limits=MEAN) as api:
        key = api.key("ada")
        statuses = [(await api.get("/v1/status", key)).status for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        busy = await api.get("/v1/status", key)
        assert (busy.headers["Retry-After"], busy.json()["code"]) == ("1", "busy")
        assert (await api.get("/v1/status", api.key("ada"))).status == 200
        unknown = [(await api.get("/v1/status")).status for _ in range(5)]
        assert unknown == [401, 401, 401, 429, 429]


def test_the_operators_limits_are_those_of_the_door(light_pair: Pair) -> None:
    """[staff] in comity.toml says how many and how often."""
    staff = light_pair[FIJI].node.settings.staff
    limits = staff_limits(staff.model_copy(update={"rate_per_s_max": 7, "connections_max": 9}))
    assert (limits.rate_per_peer, limits.connections_max) == (7.0, 9)


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /v1/status HTTP/1.9", b"GET http://evil.example/v1/status HTTP/1.1",
        b"GET /v1/status\r\nX: y HTTP/1.1", b"GET /v1/status HTTP/2.0", b"\x16\x03\x01",
    ],
)  # fmt: skip
async def test_what_is_no_plain_request_gets_no_word_of_ours(api: Api, request_line: bytes) -> None:
    """Nothing of what was sent comes back."""
    key = api.key("ada").encode()
    said = await api.raw(
        request_line + b"\r\nHost: localhost\r\nX-Canary: canary\r\nAuthorization: Bearer "
        + key + b"\r\nConnection: close\r\n\r\n"
    )  # fmt: skip
    assert b"canary" not in said
    assert b"comity.status/1" not in said


async def test_two_lengths_of_one_body_are_refused(api: Api) -> None:
    """What one reader takes for a second request must not be one here."""
    said = await api.raw(
        b"POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
        + api.key().encode()
        + b"\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    assert said.startswith(b"HTTP/1.0 400 ")
    assert said.count(b"HTTP/1.") == 1


async def test_a_text_in_any_script_is_kept_exactly_and_shown_in_no_header(
    api: Api, lines: io.StringIO
) -> None:
    """Right-to-left marks, controls, ten thousand characters: back as they came, logged nowhere."""
    key = api.key()
    text = f"{LONG}=cmd()<script>\x07"
    sent = await send(api, key, text=text)
    assert sent.status == 200, sent.body[:300]
    case = sent.json()["case"].replace("/", "%2F")
    shown = await api.get(f"/v1/cases/{case}", key)
    assert shown.json()["messages"][0]["body"]["subject_matter"] == text
    assert "script" not in str(shown.headers)
    assert "script" not in lines.getvalue()
    assert case not in lines.getvalue()


async def test_a_draft_is_saved_only_over_the_version_that_was_read(api: Api) -> None:
    """ETag out, If-Match in; without it 428, with an old one 412, and nothing is lost."""
    key = api.key()
    body = good_request("MLA_BANK_RECORDS")
    made = await api.post(
        "/v1/drafts", key, {"to": QUMRAN, "kind": "MLA_BANK_RECORDS", "body": body}
    )
    assert made.status == 200, made.body
    path = f"/v1/drafts/{made.json()['draft']}"
    shown = await api.get(path, key)
    assert shown.status == 200, shown.body
    etag = shown.headers["ETag"]
    without = await api.ask("PUT", path, key, {"body": body})
    assert (without.status, without.json()["code"]) == (428, "version-needed")
    saved = await api.ask("PUT", path, key, {"body": body}, {"If-Match": etag})
    assert saved.status == 200, saved.body
    assert saved.headers["ETag"] != etag
    stale = await api.ask("PUT", path, key, {"body": {}}, {"If-Match": etag})
    assert (stale.status, stale.json()["code"]) == (412, "stale")
    assert (await api.get(path, key)).headers["ETag"] == saved.headers["ETag"]


async def test_what_is_missing_is_named_field_by_field_with_its_rule(api: Api) -> None:
    """The problem of an incomplete request carries every finding of the check."""
    answer = await api.post(
        "/v1/requests", api.key(), {"to": QUMRAN, "kind": "INFORMAL_INQUIRY", "body": {}}
    )
    assert (answer.status, answer.json()["code"]) == (422, "incomplete"), answer.body
    errors = answer.json()["errors"]
    assert errors
    for one in errors:
        assert one.keys() >= {"field", "rule", "code", "detail", "severity"}


async def test_a_node_whose_settings_are_other_is_another(light_pair: Pair) -> None:
    """The hosts that are served are loopback and those of [staff] urls."""
    node = light_pair[FIJI].node
    staff = node.settings.staff.model_copy(update={"urls": ("https://comity.fj.example:8444",)})
    node.settings = replace(node.settings, staff=staff)
    async with serving(node) as api:
        for host, status in (("comity.fj.example:8444", 200), ("fj.example", 421), ("", 421)):
            answer = await api.get("/v1/status", api.key("ada"), Host=host)
            assert answer.status == status, host
            assert json.loads(answer.body)
