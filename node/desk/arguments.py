"""What verbs take: closed models, from which the API's description is made too.

    class Show(Arguments):
        case: CaseName

A name that is no argument is an error, and so is a value of another type: nothing is
converted. Messages name the argument and never quote its value, which may be content.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from protocol.encoding import Json
from protocol.errors import Malformed

A = TypeVar("A", bound="Arguments")

CaseName = Annotated[
    str, Field(min_length=1, max_length=256, description="A case's id, or how it begins.")
]
Texts = Annotated[
    dict[str, JsonValue], Field(description="What is said: the fields of the request or event.")
]


class Arguments(BaseModel):
    """The arguments of one verb; closed, strict, and never changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Nothing(Arguments):
    """No argument at all."""


def read_arguments(model: type[A], given: Mapping[str, Json]) -> A:
    """Read arguments, or raise `Malformed` with a sentence for each that is wrong."""
    try:
        return model.model_validate(dict(given))
    except ValidationError as fault:
        errors = fault.errors(include_input=False, include_url=False, include_context=False)
        said = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in errors]
        raise Malformed("; ".join(said[:8])) from None
