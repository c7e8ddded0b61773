"""What the API answers: who is let in, what each mistake is called, and that nothing leaks."""

from __future__ import annotations

import pytest

from node.api.table import LEFT_OUT, routes
from node.desk import VERBS
from tests.node.api.scene import Api


def test_every_verb_has_a_place_or_a_reason() -> None:
    """Whatever the command line can ask, a program can ask."""
    assert VERBS.keys() - routes(VERBS).keys() == LEFT_OUT.keys()


def test_no_two_verbs_have_one_place() -> None:
    """A method and a path mean one verb."""
    places = [(route.method, route.path) for route in routes(VERBS).values()]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    "given", [None, "", "x", "comity_" + "A" * 43, "comity_" + "é" * 10, "comity_" + "x" * 255]
)
async def test_without_a_good_key_nothing_is_looked_at(api: Api, given: str | None) -> None:
    """Not even whether the path exists."""
    for path in ("/v1/status", "/v1/nothing", "/"):
        answer = await api.get(path, given)
        assert (answer.status, answer.json()["code"]) == (401, "key-needed")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_key_whose_time_is_over_opens_nothing(api: Api) -> None:
    """To the second."""
    key = api.key(expires=api.desk.clock.now())
    assert (await api.get("/v1/cases", key)).status == 401


async def test_a_person_reads_what_their_role_may(api: Api) -> None:
    """And is told who may where they may not."""
    assert (await api.get("/v1/status", api.key("ada"))).json()["schema"] == "comity.status/1"
    refused = await api.get("/v1/cases", api.key("ada"))
    assert (refused.status, refused.json()["code"]) == (403, "not-allowed")


async def test_every_answer_says_that_it_is_nobody_elses(api: Api) -> None:
    """No caching, no framing, no sniffing, no other origin, and no word about the software."""
    for answer in (await api.get("/v1/cases", api.key()), await api.get("/v1/cases")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


async def test_a_mistake_names_the_field_and_quotes_nothing(api: Api) -> None:
    """RFC 9457, with a stable code and the rule."""
    body = {"to": 7, "a-canary": "x", "kind": "canary" * 3_000, "body": {}}
    answer = await api.post("/v1/requests", api.key(), body)
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    problem = answer.json()
    assert problem["type"] == "urn:comity:problem:arguments"
    assert {one["field"] for one in problem["errors"]} >= {"to", "an argument"}
    assert b"canary" not in answer.body


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "no-path"),
        ("GET", "/v1/cases/abc%2Fdef", 404, "not-found"),
        ("GET", "/v1/cases/%ff", 400, "bad-request"),
        ("PATCH", "/v1/cases", 405, "method"),
        ("OPTIONS", "/v1/cases", 405, "method"),
        ("GET", "/v1/cases?colour=red", 400, "arguments"),
        ("GET", "/v1/cases?peer=a&peer=b", 400, "arguments"),
        ("POST", "/v1/requests?to=x", 400, "arguments"),
        ("GET", "/v1/work?limit=0x10", 400, "arguments"),
        ("GET", "/v1/cases/../../etc/passwd", 404, "no-path"),
    ],
)
async def test_a_request_that_means_nothing_is_called_by_its_mistake(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    """Each mistake has one code."""
    body = b"{}" if method == "POST" else None
    answer = await api.ask(method, path, api.key(), body)
    assert (answer.status, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "not-json"),
        (b"[]", {}, 400, "not-json"),
        (b'{"a":1,"a":2}', {}, 400, "not-json"),
        (b"\xff\xfe", {}, 400, "not-json"),
        (b"[" * 100_000, {}, 400, "not-json"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "media-type"),
        (b"{}", {"Content-Encoding": "gzip"}, 415, "media-type"),
        (b"{}", {"Host": "evil.example"}, 421, "other-host"),
        (b"{}", {"Idempotency-Key": "a b"}, 400, "bad-request"),
    ],
)
async def test_a_body_is_json_as_it_is(
    api: Api, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """Nothing is unpacked, guessed or taken for another node's."""
    answer = await api.ask("POST", "/v1/requests", api.key(), body, headers)
    assert (answer.status, answer.json()["code"]) == (status, code)
