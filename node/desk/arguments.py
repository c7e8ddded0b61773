"""What verbs take: closed models, from which the API's description is made too.

    class Show(Arguments):
        case: CaseName

A name that is no argument is an error, and so is a value of another type: nothing is
converted. Messages name the argument and never quote its value, which may be content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar, cast

import orjson
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
)

from protocol.encoding import Json, from_base64, to_base64
from protocol.errors import Malformed

_WRONG_MAX: Final = 8  # more of them tell a person nothing new


def _bytes(value: object) -> object:
    """Take strict base64; anything else is left for the model to refuse."""
    if not isinstance(value, str):
        raise ValueError("base64 stands in a string")  # noqa: TRY004  (pydantic's own way to refuse)
    try:
        return from_base64(value)
    except Malformed as fault:
        raise ValueError(fault.detail) from None


A = TypeVar("A", bound="Arguments")

CaseName = Annotated[str, Field(max_length=256, description="A case's id, or how it begins.")]
Texts = Annotated[
    dict[str, JsonValue], Field(description="What is said: the fields of the request or event.")
]
Base64 = Annotated[
    bytes,
    BeforeValidator(_bytes),
    PlainSerializer(to_base64, when_used="json"),
    WithJsonSchema({
        "type": "string", "contentEncoding": "base64",
        "pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    }),
]  # fmt: skip
"""Bytes, written as standard base64 with padding; bound their number in the verb."""


class Arguments(BaseModel):
    """The arguments of one verb; closed, strict, and never changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Nothing(Arguments):
    """No argument at all."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One argument that is wrong: which, by which rule, and a sentence about it."""

    field: str
    rule: str
    detail: str


class WrongArguments(Malformed):
    """Arguments that a verb does not take; `found` has what is wrong with each."""

    def __init__(self, found: Sequence[Wrong]) -> None:
        """Keep what was found, and say it in one line."""
        super().__init__("; ".join(f"{one.field}: {one.detail}" for one in found[:_WRONG_MAX]))
        self.found = tuple(found)


def read_arguments(model: type[A], given: Mapping[str, Json]) -> A:
    """Read arguments, or raise `WrongArguments` with a sentence for each that is wrong."""
    try:
        return model.model_validate_json(orjson.dumps(dict(given)))
    except ValidationError as fault:
        errors = fault.errors(include_input=False, include_url=False, include_context=False)
        found = [
            Wrong(_place(model, one["loc"], one["type"]), one["type"].replace("_", "-"), one["msg"])
            for one in errors
        ]
        raise WrongArguments(found) from None
    except orjson.JSONEncodeError:
        raise Malformed("an argument holds what is no text in Unicode") from None


def _place(model: type[Arguments], loc: tuple[int | str, ...], kind: str) -> str:
    """Name an argument and the numbers under it; names inside it may be somebody's content."""
    first = next(iter(loc), "")
    if first not in model.model_fields or (kind == "extra_forbidden" and len(loc) == 1):
        return "an argument"
    numbers = []
    for part in loc[1:]:
        if not isinstance(part, int):
            break
        numbers.append(str(part))
    return ".".join([str(first), *numbers])


def spoken(given: Mapping[str, JsonValue]) -> Mapping[str, Json]:
    """Give what is said as the wire has it: arguments hold no fractions when they are read."""
    return cast("Mapping[str, Json]", given)
