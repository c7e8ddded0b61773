"""What the description promises of answers is what the node gives."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from node.api import openapi
from node.api.shapes import RESULTS
from node.api.table import routes
from node.desk import VERBS
from tests.node.api.scene import Api
from tests.node.api.test_repeats import send
from tests.support.pair import QUMRAN
from tests.support.requests import good_request

WHOLE = json.loads(openapi.encode())
DRAFT = {
    "to": QUMRAN, "kind": "MLA_BANK_RECORDS", "body": good_request("MLA_BANK_RECORDS")
}  # fmt: skip


def validator(verb: str) -> Any:  # noqa: ANN401  (the library's validators have no common type)
    """Give what holds an answer against the description, whole with its references."""
    return jsonschema_rs.validator_for({**RESULTS[verb], "components": WHOLE["components"]})


async def answers(api: Api) -> dict[str, Any]:
    """Ask for each result that is described, with something in it."""
    key, found = api.key(), {}
    sent = await send(api, key)
    made = await api.post("/v1/drafts", key, {**DRAFT, "body": {}})
    places = {"case": sent.json()["case"].replace("/", "%2F"), "draft": made.json()["draft"]}
    found["request.send"], found["draft.create"] = sent, made
    found["draft.edit"] = await api.ask(
        "PUT", f"/v1/drafts/{places['draft']}", key, {"body": {}}, {"If-Match": '"1"'}
    )
    for verb, route in routes(RESULTS).items():
        if verb not in found:
            body = {"words": "court"} if verb == "case.search" else {}
            path = route.path.format(**places)
            found[verb] = await api.ask(
                route.method, path, key, None if route.method == "GET" else body
            )
    return found


async def test_every_described_answer_is_as_described(api: Api) -> None:
    """And every answer that is described belongs to a verb."""
    assert RESULTS.keys() <= VERBS.keys()
    found = await answers(api)
    assert found.keys() == RESULTS.keys()
    for verb, answer in found.items():
        assert answer.status == 200, (verb, answer.body)
        validator(verb).validate(answer.json())


@pytest.mark.parametrize("verb", sorted(RESULTS))
def test_what_is_described_does_not_let_everything_through(verb: str) -> None:
    """An answer of another form is none."""
    assert not validator(verb).is_valid({"schema": "comity.other/1"})
