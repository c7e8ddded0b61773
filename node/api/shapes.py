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

_REF: Final = "#/components/schemas/"
_CASE: Final[Schema] = {"$ref": f"{_REF}Case"}
_CLOCK: Final[Schema] = {"$ref": f"{_REF}Clock"}
_ANYTHING: Final[Schema] = {"type": "object"}
_FLAG: Final[Schema] = {"type": "boolean"}
_MAYBE_TEXT: Final = _or_null(_TEXT)
_MAYBE_TIME: Final = _or_null(_TIME)
_SIDE: Final[Schema] = {"type": "string", "enum": ["requesting", "requested"]}

_CLOCK_FIELDS: Final[Mapping[str, Schema]] = {
    "clock": _COUNT, "name": _TEXT, "rule": _TEXT, "started": _TIME, "due": _TIME,
    "waits_for": {"type": "string", "enum": ["us", "them"]},
    "stopped": _MAYBE_TIME, "warned": _MAYBE_TIME, "escalated": _MAYBE_TIME,
    "ended": _MAYBE_TIME, "how": _MAYBE_TEXT,
}  # fmt: skip
_DRAFT_FIELDS: Final[Mapping[str, Schema]] = {
    "draft": _TEXT, "case": _MAYBE_TEXT, "to": _TEXT, "event": _TEXT, "kind": _MAYBE_TEXT,
    "state": _TEXT, "version": _COUNT, "writers": {"type": "array", "items": _TEXT},
    "submitted_by": _MAYBE_TEXT, "approved_by": _MAYBE_TEXT, "approved": _MAYBE_TIME,
    "message": _MAYBE_TEXT, "created": _TIME, "changed": _TIME,
}  # fmt: skip

SCHEMAS: Final[Mapping[str, Schema]] = {
    "Case": _object({
        "id": _TEXT, "side": _SIDE, "peer": _TEXT, "request_kind": _TEXT, "state": _TEXT,
        "unconfirmed": _MAYBE_TEXT, "own_ref": _MAYBE_TEXT, "peer_ref": _MAYBE_TEXT,
        "officer": _MAYBE_TEXT, "due": _MAYBE_TIME, "on_wire": _FLAG, "opened": _TIME,
        "changed": _TIME, "sent": _COUNT, "received": _COUNT,
    }),
    "Clock": _object(_CLOCK_FIELDS),
    "Draft": _object(_DRAFT_FIELDS),
    "Finding": _object({
        "field": _TEXT, "severity": {"type": "string", "enum": ["blocks", "warns"]},
        "rule": _TEXT, "sentence": _TEXT, "code": _TEXT, "unreviewed": _FLAG,
    }),
    "Message": _object({
        "message": _TEXT, "from": _TEXT, "kind": _TEXT, "seq": _COUNT, "state": _TEXT,
        "created": _TIME, "receipted": _FLAG, "body": _ANYTHING,
    }),
}  # fmt: skip
"""Schemas that several results share."""


def _form(name: str, needed: Mapping[str, Schema]) -> Schema:
    return _object({"schema": {"const": f"comity.{name}/1"}, **needed})


def _list_of(name: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"{_REF}{name}"}}


_DRAFT: Final = _form("draft", {**_DRAFT_FIELDS, "body": _ANYTHING})

RESULTS: Final[Mapping[str, Schema]] = {
    "request.send": _form("request", {
        "case": _TEXT, "message": _TEXT, "seq": _COUNT, "state": _TEXT,
    }),
    "case.list": _form("cases", {"cases": _list_of("Case"), "next": _MAYBE_TEXT}),
    "case.search": _form("found", {"cases": _list_of("Case"), "more": _FLAG}),
    "case.show": _form("case", {
        "case": _CASE, "messages": _list_of("Message"), "links": _LIST, "members": _LIST,
    }),
    "clock.list": _form("clocks", {"case": _TEXT, "clocks": _list_of("Clock")}),
    "work.list": _form("work", {
        "items": {"type": "array", "items": {"allOf": [_CLOCK, _object({
            "case": _TEXT, "peer": _TEXT, "request_kind": _TEXT, "state": _TEXT, "side": _SIDE,
            "overdue": _FLAG, "today": _FLAG, "officer": _MAYBE_TEXT,
        })]}},
        "counts": _object({"overdue": _COUNT, "today": _COUNT, "us": _COUNT, "them": _COUNT}),
        "next": _MAYBE_TEXT, "now": _TIME, "today_until": _TIME,
    }),
    "draft.create": _DRAFT,
    "draft.edit": _DRAFT,
    "draft.show": _DRAFT,
    "draft.list": _form("drafts", {"drafts": _list_of("Draft"), "next": _MAYBE_TEXT}),
    "draft.check": _form("check", {
        "draft": _TEXT, "version": _COUNT, "may_be_sent": _FLAG, "blocks": _COUNT,
        "warns": _COUNT, "findings": _list_of("Finding"),
    }),
    "case.statistics": _form("statistics", {
        "at": _TIME, "published": _FLAG,
        "tables": {"type": "array", "items": _object({
            "table": _TEXT, "direction": {"type": "string", "enum": ["made", "received"]},
            "cells": _LIST,
        })},
        "times": _LIST, "sums": _LIST,
    }),
    "user.me": _form("me", {"login": _TEXT, "roles": {"type": "array", "items": _TEXT}}),
    "webhook.list": _form("webhooks", {"webhooks": _LIST}),
}  # fmt: skip
"""What verbs give, as far as it is described."""

_SCHEMA_NAME: Final[Schema] = {"type": "string", "pattern": "^comity\\.[a-z][a-z-]*/[1-9]$"}


def result_schema(verb: str) -> Schema:
    """Give the schema of what a verb gives: always an object that names its own form."""
    return RESULTS.get(verb) or _object({"schema": _SCHEMA_NAME})
