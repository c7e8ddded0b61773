"""What verbs give, as far as programs rely on it: schemas for the API's description.

Results are open: a name that is not described may stand beside those that are, and may come
with any release. Those that are described stay. Knows no verb but by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from protocol.limits import INTEGER_MAX

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_TIME: Final[Schema] = {"type": "integer", "minimum": 0, "description": "Unix seconds."}
_LIST: Final[Schema] = {"type": "array", "items": {"type": "object"}}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(needed: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {
        "type": "object", "required": sorted(needed), "properties": {**needed, **(optional or {})}
    }  # fmt: skip


ASCII_NAMES: Final[Schema] = {"pattern": "^[\\u0000-\\u007f]*$"}
"""What the name of a field may be: it is ours, so it is ASCII."""

JSON_VALUE: Final[Schema] = {"anyOf": [
    {"type": ["null", "boolean", "string"]},
    {"type": "integer", "minimum": 0, "maximum": INTEGER_MAX},
    {"type": "array", "items": {"$ref": "#/components/schemas/JsonValue"}},
    {
        "type": "object", "propertyNames": ASCII_NAMES,
        "additionalProperties": {"$ref": "#/components/schemas/JsonValue"},
    },
]}  # fmt: skip
"""What may stand in a body: numbers are whole (an amount is text), names are ASCII."""

PROBLEM: Final = _object(
    {
        "type": {"type": "string", "pattern": "^urn:comity:problem:[a-z0-9-]+$"},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "pattern": "^[a-z0-9-]+$"},
        "detail": _TEXT,
    },
    {
        "errors": {"type": "array", "items": _object(
            {"field": _TEXT, "rule": _TEXT, "code": _TEXT, "detail": _TEXT},
            {"severity": {"type": "string", "enum": ["blocks", "warns"]}},
        )},
    },
)  # fmt: skip
"""RFC 9457, with a stable code and the fields that are wrong."""

_EVENT: Final = _object({
    "id": _COUNT, "type": _TEXT, "at": _TIME, "case": _or_null(_TEXT), "draft": _or_null(_TEXT),
})  # fmt: skip

EVENTS_PAGE: Final = _object({
    "schema": {"const": "comity.events/1"}, "after": _COUNT,
    "events": {"type": "array", "items": _EVENT},
})  # fmt: skip

SCHEMAS: Final[Mapping[str, Schema]] = {}
"""Schemas that several results share."""

RESULTS: Final[Mapping[str, Schema]] = {}
"""What verbs give beside `schema`, by the verb."""

_SCHEMA_NAME: Final[Schema] = {"type": "string", "pattern": "^comity\\.[a-z][a-z-]*/[1-9]$"}


def result_schema(verb: str) -> Schema:
    """Give the schema of what a verb gives: always an object that names its own form."""
    known = RESULTS.get(verb)
    if known is None:
        return _object({"schema": _SCHEMA_NAME})
    return known
