"""The page for programmers: its examples run against a node, in the order in which they stand."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature

from node.api import openapi
from node.api.problems import DESK, OWN
from node.webhooks import make_hook_key, sign_hook
from tests.node.api.scene import Answer, Api
from tests.node.api.test_repeats import inquiry
from tests.support.pair import QUMRAN
from tests.support.requests import good_request

PAGE: Final = openapi.FILE.with_name("API.md").read_text()
_ASSIGNED: Final = re.compile(r"([A-Z]+)=\$\((.*) \| jq -r \.([a-z_]+)\)")
_KIND: Final = "MLA_BANK_RECORDS"


def blocks(language: str) -> list[str]:
    """Give the examples in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@dataclass(slots=True)
class Shell:
    """As much of a shell, curl and jq as the page uses."""

    api: Api
    variables: dict[str, str]
    files: Mapping[str, object]

    async def run(self, line: str) -> Answer:
        """Run one line of an example."""
        assigned = _ASSIGNED.fullmatch(line)
        answer = await self._curl(shlex.split(assigned[2] if assigned else line))
        assert answer.status == 200, (line, answer.body)
        if assigned:
            value = str(answer.json()[assigned[3]])
            self.variables[assigned[1]] = value.replace("/", "%2F")
        return answer

    async def _curl(self, words: list[str]) -> Answer:
        assert words[0] == "curl"
        headers: dict[str, str] = {}
        method, url, body, left = "", "", None, iter(words[1:])
        for word in left:
            if word == "-H":
                name, _, value = self._filled(next(left)).partition(": ")
                headers[name] = value
            elif word == "-X":
                method = next(left)
            elif word == "--data":
                body = self._body(next(left))
            else:
                url = self._filled(word)
        method = method or ("GET" if body is None else "POST")
        return await self.api.ask(method, url, None, body, headers)

    def _filled(self, text: str) -> str:
        for name, value in self.variables.items():
            text = text.replace(f"${name}", value)
        return text

    def _body(self, text: str) -> bytes:
        if text.startswith("@"):
            return json.dumps(self.files[text[1:]]).encode()
        return text.encode()


def lines() -> Iterator[str]:
    """Give the lines of all examples that end: a stream has a test of its own."""
    for block in blocks("sh"):
        yield from (line for line in block.splitlines() if " -N " not in line)


async def test_the_examples_of_the_page_work_as_they_stand(api: Api) -> None:
    """From the first call to a draft that two people have sent."""
    formal = good_request(_KIND)
    files = {
        "request.json": inquiry(), "body.json": {"body": formal},
        "formal.json": {"to": QUMRAN, "kind": _KIND, "body": {}},
    }  # fmt: skip
    variables = {"NODE": "", "SECOND_KEY": api.key("berta"), "KEY": api.key("anna")}
    shell = Shell(api, variables, files)
    answers = [await shell.run(line) for line in lines()]
    assert len(answers) > 15


def test_the_page_lists_every_code(api_codes: set[str]) -> None:
    """No refusal has a code that is not explained, and none is explained that is not made."""
    assert api_codes == OWN.keys() | DESK.keys()
    for code, (status, meaning) in {**OWN, **DESK}.items():
        assert f"| `{code}` | {status} | {meaning} |" in PAGE, code


@pytest.fixture
def api_codes() -> set[str]:
    """Give the codes of the table in the page."""
    return set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))


def test_the_receivers_code_of_the_page_verifies_what_we_sign() -> None:
    """And nothing else."""
    (code,) = blocks("python")
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  (the example is ours, and is here to be run)
    key = make_hook_key(lambda size: bytes(range(size)))
    headers = {
        "webhook-id": "a.1", "webhook-timestamp": "1800000000",
        "webhook-signature": sign_hook(key, "a.1", 1_800_000_000, b"{}"),
    }  # fmt: skip
    names["verify"](key.public, headers, b"{}")
    with pytest.raises(InvalidSignature):
        names["verify"](key.public, headers, b"[]")
