"""What in a newer description of the API breaks programs that were written for an older one.

    assert breaking(released, current) == []

Programs send what the older description allows and read what it promises. So nothing that
could be sent may go or become narrower, nothing more may have to be sent, and nothing that
was promised may go or become wider. Schemas are compared where both name the same part;
whatever the rules do not understand counts as a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]

_LOWER = ("minimum", "minLength", "minItems", "exclusiveMinimum")
_UPPER = ("maximum", "maxLength", "maxItems", "exclusiveMaximum")
_WHOLE = ("allOf", "oneOf", "not", "propertyNames")
_REF = "#/components/"


def breaking(old: Node, new: Node) -> list[str]:
    """Give a sentence for each change that breaks a program."""
    return sorted(set(_paths(old, new)))


def _paths(old: Node, new: Node) -> Iterator[str]:
    for path, operations in old["paths"].items():
        for method, operation in operations.items():
            found = new["paths"].get(path, {}).get(method)
            where = f"{method.upper()} {path}"
            if found is None:
                yield f"{where}: is gone"
            else:
                yield from _operation(where, operation, found, (old, new))


def _operation(where: str, old: Node, new: Node, whole: tuple[Node, Node]) -> Iterator[str]:
    before, after = _parameters(old), _parameters(new)
    for name, one in before.items():
        if name not in after:
            yield f"{where}: takes {name[1]} no more"
            continue
        yield from _sent(f"{where} {name[1]}", one["schema"], after[name]["schema"], whole)
    for name, one in after.items():
        if one.get("required") and not before.get(name, {}).get("required"):
            yield f"{where}: needs {name[1]} now"
    sent, wanted = _body(old), _body(new)
    if new.get("requestBody", {}).get("required") and not old.get("requestBody", {}).get(
        "required"
    ):
        yield f"{where}: needs a body now"
    if sent is not None:
        yield from _sent(f"{where} body", sent, wanted or {"not": {}}, whole)
    for status, one in old.get("responses", {}).items():
        given = new.get("responses", {}).get(status)
        if given is None:
            yield f"{where}: answers no {status} more"
        else:
            yield from _answer(f"{where} {status}", one, given, whole)


def _answer(where: str, old: Node, new: Node, whole: tuple[Node, Node]) -> Iterator[str]:
    after = _resolved(new, whole[1]).get("content", {})
    for kind, content in _resolved(old, whole[0]).get("content", {}).items():
        if kind not in after:
            yield f"{where}: gives no {kind} more"
        else:
            yield from _given(where, content["schema"], after[kind]["schema"], whole)


def _parameters(operation: Node) -> dict[tuple[str, str], Node]:
    return {(one["in"], one["name"]): one for one in operation.get("parameters", ())}


def _body(operation: Node) -> Node | None:
    content = operation.get("requestBody", {}).get("content", {})
    found: Node | None = content.get("application/json", {}).get("schema")
    return found


def _resolved(schema: Node, whole: Node) -> Node:
    found: Any = schema
    while "$ref" in found:
        reference = found["$ref"]
        found = whole["components"]
        for part in reference.removeprefix(_REF).split("/"):
            found = found[part]
    resolved: Node = found
    return resolved


def _sent(where: str, old: Node, new: Node, whole: tuple[Node, Node]) -> Iterator[str]:
    """What programs send may only become wider."""
    old, new = _resolved(old, whole[0]), _resolved(new, whole[1])
    if lost := _words(old) - _words(new):
        yield f"{where}: allows {sorted(lost)} no more"
    for name in (*_LOWER, *_UPPER):
        bound, before = new.get(name), old.get(name)
        narrower = bound is not None and (
            before is None or (bound > before if name in _LOWER else bound < before)
        )
        if narrower:
            yield f"{where}: {name} is {bound} now"
    if new.get("pattern") != old.get("pattern") and "pattern" in new:
        yield f"{where}: has another form"
    for name in set(new.get("required", ())) - set(old.get("required", ())):
        yield f"{where}: needs {name} now"
    yield from _members(where, old, new, whole, sent=True)


def _given(where: str, old: Node, new: Node, whole: tuple[Node, Node]) -> Iterator[str]:
    """What programs are given may only become narrower."""
    old, new = _resolved(old, whole[0]), _resolved(new, whole[1])
    if _words(new) - _words(old) or (_words(old) and not _words(new)):
        yield f"{where}: gives other kinds than it promised"
    for name in set(old.get("required", ())) - set(new.get("required", ())):
        yield f"{where}: gives {name} not always any more"
    yield from _members(where, old, new, whole, sent=False)


def _members(
    where: str, old: Node, new: Node, whole: tuple[Node, Node], *, sent: bool
) -> Iterator[str]:
    compare = _sent if sent else _given
    after = new.get("properties", {})
    for name, schema in old.get("properties", {}).items():
        if name in after:
            yield from compare(f"{where}.{name}", schema, after[name], whole)
        elif not sent or new.get("additionalProperties") is False:
            yield f"{where}: {name} is gone"
    if "items" in old:
        if "items" in new:
            yield from compare(f"{where}[]", old["items"], new["items"], whole)
        elif not sent:
            yield f"{where}: says no more what is in the list"

    yield from _options(where, old, new, whole, sent=sent)


def _options(
    where: str, old: Node, new: Node, whole: tuple[Node, Node], *, sent: bool
) -> Iterator[str]:
    """Compare the choices of two schemas by their kind; whatever else they have must be equal."""
    compare = _sent if sent else _given
    choices = {_kind(one): one for one in (*new.get("anyOf", ()), new)}
    for one in old.get("anyOf", ()):
        if _kind(one) in choices:
            yield from compare(where, one, choices[_kind(one)], whole)
    closed = new.get("additionalProperties") is False
    if sent and closed and old.get("additionalProperties") is not False:
        yield f"{where}: takes no other names any more"
    for name in _WHOLE:
        if old.get(name) != new.get(name):
            yield f"{where}: {name} has changed"


def _kind(schema: Node) -> str:
    return str(schema.get("$ref", schema.get("type")))


def _words(schema: Node) -> set[str]:
    """Give the kinds and the fixed values that a schema names."""
    found: set[str] = set()
    for one in (schema, *schema.get("anyOf", ())):
        kinds = one.get("type", ())
        if "enum" in one or "const" in one:
            found |= {repr(value) for value in (*one.get("enum", ()), *_const(one))}
        else:
            found |= {kinds} if isinstance(kinds, str) else set(kinds)
    return found


def _const(schema: Node) -> tuple[object, ...]:
    return (schema["const"],) if "const" in schema else ()
