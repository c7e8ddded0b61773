"""Arguments in a query string, where everything is text: read as the verb's model has them.

Numbers and truth values are read from their one spelling; a list is a name that comes
several times. Whatever does not fit is left as text for the model to refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from node.desk.arguments import Arguments, Wrong, WrongArguments
from protocol.encoding import Json

_DIGITS_MAX: Final = 16


def read_query(takes: type[Arguments], pairs: Sequence[tuple[str, str]]) -> dict[str, Json]:
    """Read the pairs of a query; raises `WrongArguments` if a single value comes twice."""
    kinds = _kinds(takes)
    given: dict[str, Json] = {}
    for name, text in pairs:
        kind = kinds.get(name, "string")
        if kind == "array":
            so_far = given.setdefault(name, [])
            if isinstance(so_far, list):
                so_far.append(text)
        elif name in given:
            field = name if name in kinds else "an argument"
            raise WrongArguments([Wrong(field, "given-twice", "comes once")])
        else:
            given[name] = _value(kind, text)
    return given


def _value(kind: str, text: str) -> Json:
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX
    if kind == "integer" and is_number and str(int(text)) == text:
        return int(text)
    return text


@lru_cache(maxsize=512)
def _kinds(takes: type[Arguments]) -> Mapping[str, str]:
    """Give the kind of JSON that each argument is, null aside."""
    whole: dict[str, Any] = takes.model_json_schema()
    found: dict[str, str] = {}
    for name, schema in whole.get("properties", {}).items():
        options = [schema, *schema.get("anyOf", ())]
        kinds = [one["type"] for one in options if one.get("type", "null") != "null"]
        found[name] = kinds[0] if kinds else "string"
    return found
