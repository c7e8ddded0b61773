"""The description of the API: true, committed, and never broken for those who rely on it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from node.api import openapi
from tests.support.api_changes import breaking

Tree: TypeAlias = dict[str, Any]

RELEASED = openapi.FILE.with_name("openapi.released.json")


def current() -> Tree:
    """Give the description as it is made now."""
    whole: Tree = json.loads(openapi.encode())
    return whole


def test_the_committed_description_is_what_the_models_say() -> None:
    """`python -m node.api.openapi --write` makes it again."""
    same = openapi.FILE.read_bytes() == openapi.encode()
    assert same, "python -m node.api.openapi --write"


def test_nothing_is_broken_for_programs_of_the_last_release() -> None:
    """Whoever releases copies openapi.json to openapi.released.json, in one commit with it."""
    assert breaking(json.loads(RELEASED.read_bytes()), current()) == []


def test_every_reference_leads_somewhere() -> None:
    """No schema is named that is not there."""
    whole = current()
    text = openapi.encode().decode()
    names = set(whole["components"]["schemas"])
    referred = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert referred <= names


def _drop(*path: str | int) -> Callable[[Tree], None]:
    def change(whole: Tree) -> None:
        place: Any = whole
        for part in path[:-1]:
            place = place[part]
        del place[path[-1]]

    return change


def _put(value: object, *path: str | int) -> Callable[[Tree], None]:
    def change(whole: Tree) -> None:
        place: Any = whole
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value

    return change


OLD: Tree = {
    "paths": {"/a": {
        "post": {
            "parameters": [
                {"name": "n", "in": "query", "required": False,
                 "schema": {"type": "integer", "maximum": 9}},
            ],
            "requestBody": {"required": False, "content": {"application/json": {"schema": {
                "type": "object", "required": ["x"], "additionalProperties": False,
                "properties": {
                    "x": {"type": "string", "enum": ["p", "q"]},
                    "o": {"type": "object"},
                    "y": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "w": {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]},
                    "z": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
                },
            }}}},
            "responses": {"200": {"content": {"application/json": {"schema": {
                "type": "object", "required": ["r"],
                "properties": {"r": {"type": "integer"}, "s": {"type": "string"}},
            }}}}},
        },
        "get": {"responses": {}},
    }},
    "components": {"schemas": {}},
}  # fmt: skip
_POST = ("paths", "/a", "post")
_BODY = (*_POST, "requestBody", "content", "application/json", "schema")
_ANSWER = (*_POST, "responses", "200", "content", "application/json", "schema")
_NEEDED = {"name": "m", "in": "query", "required": True, "schema": {"type": "string"}}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_drop("paths", "/a"), "is gone"),
        (_drop("paths", "/a", "get"), "is gone"),
        (_put([], *_POST, "parameters"), "takes n no more"),
        (_put([*OLD["paths"]["/a"]["post"]["parameters"], _NEEDED], *_POST, "parameters"),
         "needs m now"),
        (_put([{**_NEEDED, "name": "n", "schema": {"type": "integer", "maximum": 9}}],
              *_POST, "parameters"), "needs n now"),
        (_put([{"name": "n", "in": "query", "schema": {"type": "integer", "maximum": 8}}],
              *_POST, "parameters"), "maximum is 8 now"),
        (_put(True, *_POST, "requestBody", "required"), "needs a body now"),
        (_drop(*_BODY, "properties", "y"), "y is gone"),
        (_put(["x", "y"], *_BODY, "required"), "needs y now"),
        (_put({"type": "string", "enum": ["p"]}, *_BODY, "properties", "x"), "'q'"),
        (_put({"type": "string"}, *_BODY, "properties", "y"), "null"),
        (_put({"type": "integer"}, *_BODY, "properties", "x"), "allows"),
        (_put({"type": "array", "items": {"type": "integer"}}, *_BODY, "properties", "z"),
         "allows"),
        (_put(8, *_BODY, "properties", "w", "anyOf", 0, "maxLength"), "maxLength is 8 now"),
        (_put([{"required": ["q"]}], *_BODY, "allOf"), "allOf has changed"),
        (_put(False, *_BODY, "properties", "o", "additionalProperties"), "takes no other names"),
        (_put(4, *_BODY, "properties", "z", "maxItems"), "maxItems is 4 now"),
        (_put("^a$", *_BODY, "properties", "z", "items", "pattern"), "has another form"),
        (_drop(*_ANSWER, "properties", "s"), "s is gone"),
        (_put([], *_ANSWER, "required"), "gives r not always any more"),
        (_put({"type": ["integer", "null"]}, *_ANSWER, "properties", "r"), "other kinds"),
        (_put({}, *_POST, "responses"), "answers no 200 more"),
    ],
)  # fmt: skip
def test_a_change_that_breaks_a_program_is_found(change: Callable[[Tree], None], says: str) -> None:
    """Each rule, on a description that breaks it."""
    new = copy.deepcopy(OLD)
    change(new)
    assert any(says in one for one in breaking(OLD, new)), breaking(OLD, new)


@pytest.mark.parametrize(
    "change",
    [
        _put({"get": {"responses": {}}}, "paths", "/b"),
        _put({"type": "string"}, *_BODY, "properties", "new"),
        _put({"type": "string", "enum": ["p", "q", "r"]}, *_BODY, "properties", "x"),
        _put(50, *_BODY, "properties", "z", "maxItems"),
        _put({"type": "string"}, *_ANSWER, "properties", "new"),
        _put(["r", "s"], *_ANSWER, "required"),
    ],
)
def test_what_only_adds_breaks_nobody(change: Callable[[Tree], None]) -> None:
    """New paths, new optional arguments, more that is given."""
    new = copy.deepcopy(OLD)
    change(new)
    assert breaking(OLD, new) == []
