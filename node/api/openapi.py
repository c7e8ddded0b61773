"""The API's description (OpenAPI 3.1), made from the models of the verbs and the table.

    python -m node.api.openapi             print it
    python -m node.api.openapi --write     write deploy/docs/openapi.json

What a verb takes is its model, so the description cannot say anything else than what is
checked. What it gives is described as far as `node.api.shapes` has it. The committed file
is compared with this by a test, and with the last released one by rules.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

from node.api.problems import OWN
from node.api.shapes import ASCII_NAMES, EVENTS_PAGE, JSON_VALUE, PROBLEM, SCHEMAS, result_schema
from node.api.streaming import Page
from node.api.table import GUARDED, SHOWN_ONCE, VERSIONED, Route, routes
from node.desk import VERBS
from node.desk.arguments import Nothing
from node.desk.verb import Verb

FILE: Final = Path(__file__).resolve().parents[2] / "deploy" / "docs" / "openapi.json"
_REF: Final = "#/components/schemas/"
_JSON_VALUE: Final = "JsonValue"
_VERSION: Final = "1.0.0"

Node = dict[str, Any]

_REPEAT_KEY: Final[Node] = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "The same request under the same key has one effect; the answer is given again.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
}  # fmt: skip
_IF_MATCH: Final[Node] = {
    "name": "If-Match", "in": "header", "required": True,
    "description": "The ETag of the version that this replaces.",
    "schema": {"type": "string", "pattern": '^"[1-9][0-9]{0,8}"$'},
}  # fmt: skip


@cache
def description() -> Mapping[str, Any]:
    """Give the whole document."""
    schemas: Node = {"Problem": PROBLEM, "Events": EVENTS_PAGE, _JSON_VALUE: JSON_VALUE, **SCHEMAS}
    paths: Node = {
        "/v1/openapi.json": {"get": _own_description()},
        "/v1/events": {"get": _events()},
    }
    for name, route in sorted(routes(VERBS).items(), key=lambda one: (one[1].path, one[1].method)):
        operation = _operation(name, route, VERBS[name], schemas)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Comity: casework of one authority",
            "version": _VERSION,
            "description": "Every verb of the node, for case-management systems. See API.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"accessKey": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {"accessKey": {
                "type": "http", "scheme": "bearer",
                "description": "An access key, as `comity key make` gives it.",
            }},
            "responses": {"Problem": _problem_response()},
            "schemas": dict(sorted(schemas.items())),
        },
    }  # fmt: skip


def encode() -> bytes:
    """Give the document as the file holds it."""
    return orjson.dumps(description(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _operation(name: str, route: Route, verb: Verb, schemas: Node) -> Node:
    takes = _with_shared(verb.takes.model_json_schema(ref_template=f"{_REF}{name}.{{model}}"), name)
    for model, schema in takes.pop("$defs", {}).items():
        if model != _JSON_VALUE:
            schemas[f"{name}.{model}"] = schema
    properties: Node = takes.get("properties", {})
    needed: Sequence[str] = takes.get("required", ())
    elsewhere = {*route.places, GUARDED.get(name, "")}
    left = {one: schema for one, schema in properties.items() if one not in elsewhere}
    parameters = [_in_path(place, properties.get(place, {})) for place in route.places]
    operation: Node = {
        "operationId": name, "tags": [name.partition(".")[0]],
        "summary": _summary(name, verb),
        "parameters": parameters, "responses": _responses(name),
    }  # fmt: skip
    if verb.may:
        operation["description"] = f"For: {', '.join(sorted(verb.may))}."
    if name in GUARDED:
        parameters.append(_IF_MATCH)
    if route.method in {"GET", "DELETE"}:
        parameters += [_in_query(one, left[one], one in needed) for one in left]
    else:
        required = [one for one in needed if one in left]
        schema = {"type": "object", "properties": left, "additionalProperties": False}
        if required:
            schema["required"] = required
        operation["requestBody"] = {
            "required": bool(required), "content": {"application/json": {"schema": schema}}
        }  # fmt: skip
    if route.method != "GET":
        parameters.append(_REPEAT_KEY)
    return operation


def _summary(name: str, verb: Verb) -> str:
    """Say in a line what a verb does: in the words of its arguments, or of itself."""
    said = verb.act.__doc__ if verb.takes is Nothing else verb.takes.__doc__
    return (said or f"{name.replace('.', ': ')}.").strip().partition("\n")[0]


def _with_shared(schema: Node, name: str) -> Node:
    """Let all verbs share the one schema of what may stand in a body."""
    text = orjson.dumps(schema).decode()
    shared = text.replace(f'"{_REF}{name}.{_JSON_VALUE}"', f'"{_REF}{_JSON_VALUE}"')
    open_object = f'"additionalProperties":{{"$ref":"{_REF}{_JSON_VALUE}"}}'
    named = f'{open_object},"propertyNames":{orjson.dumps(ASCII_NAMES).decode()}'
    shared = shared.replace(open_object, named)
    found: Node = orjson.loads(shared.encode())
    return found


def _responses(name: str) -> Node:
    good: Node = {
        "description": "Done; its secret is shown this once." if name in SHOWN_ONCE else "Done.",
        "content": {"application/json": {"schema": result_schema(name)}},
    }  # fmt: skip
    if name in VERSIONED:
        good["headers"] = {"ETag": {"schema": {"type": "string"}}}
    return {"200": good, "default": {"$ref": "#/components/responses/Problem"}}


def _in_path(name: str, schema: Node) -> Node:
    return {"name": name, "in": "path", "required": True, "schema": _not_empty(_plain(schema))}


def _in_query(name: str, schema: Node, needed: bool) -> Node:  # noqa: FBT001  (JSON's own word)
    found: Node = {"name": name, "in": "query", "required": needed, "schema": _plain(schema)}
    if found["schema"].get("type") == "array":
        found |= {"style": "form", "explode": True}
    return found


def _plain(schema: Node) -> Node:
    """Give a schema without null, which no query and no path can say."""
    kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    if "default" in schema and schema["default"] is not None:
        rest["default"] = schema["default"]
    if len(kinds) == 1:
        return {**rest, **kinds[0]}
    return {**rest, "anyOf": kinds} if kinds else rest


def _not_empty(schema: Node) -> Node:
    return {"minLength": 1, **schema} if schema.get("type") == "string" else schema


def _own_description() -> Node:
    return {
        "operationId": "openapi", "tags": ["openapi"], "summary": "This document.",
        "responses": {
            "200": {"description": "The document.",
                    "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }  # fmt: skip


def _events() -> Node:
    properties = Page.model_json_schema()["properties"]
    return {
        "operationId": "events", "tags": ["events"],
        "summary": "What happened after a number: a page, or a stream of server-sent events.",
        "parameters": [_in_query(one, schema, needed=False) for one, schema in properties.items()],
        "responses": {
            "200": {"description": "What happened.", "content": {
                "application/json": {"schema": {"$ref": f"{_REF}Events"}},
                "text/event-stream": {"schema": {"type": "string"}},
            }},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }  # fmt: skip


def _problem_response() -> Node:
    codes = "; ".join(f"`{code}` {status}" for code, (status, _) in sorted(OWN.items()))
    return {
        "description": f"It was not done, or not now. Codes of the API itself: {codes}.",
        "content": {"application/problem+json": {"schema": {"$ref": f"{_REF}Problem"}}},
    }


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        FILE.write_bytes(encode())
    else:
        sys.stdout.write(encode().decode())
