"""Find the places in a body that a field's name means, whatever the body holds.

    places(body, "items[].purpose")   ->  items[0].purpose, items[1].purpose, …

A name is a dotted path in which `[]` stands for every element of a list. A body is anything
that JSON can say: where it has another form than the name wants, the place is missing, and
nothing raises. Paths that are shown hold no key that a person made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias, TypeGuard

from node.cases.completeness.characters import is_blank

Body: TypeAlias = Mapping[str, object]

_PLAIN_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NUMBERS: Final = re.compile(r"\[[0-9]+\]")


class _Missing:
    """What stands where nothing is."""


MISSING: Final = _Missing()
NO_ELEMENTS: Final = _Missing()  # a list is missing: what its elements lack is not said


@dataclass(frozen=True, slots=True)
class Place:
    """One place: its path as shown, what is there, and which elements of lists lead to it."""

    path: str
    value: object
    elements: tuple[int, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether a reader would find nothing here."""
        return is_empty(self.value)


def is_empty(value: object) -> bool:
    """Say whether a value says nothing: missing, null, blank, or holding only such values."""
    if value is None or isinstance(value, _Missing):
        return True
    if isinstance(value, str):
        return is_blank(value)
    if isinstance(value, (dict, Mapping)):
        return not value
    if is_list(value):
        return not value or all(one is None or one in ("", {}, []) for one in value)
    return False


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Say whether a value is a list as JSON has them."""
    return isinstance(value, (list, tuple))


def members(value: object) -> Sequence[object]:
    """Give the elements of a list, or nothing."""
    return value if isinstance(value, (list, tuple)) else ()


def objects(value: object) -> Iterator[tuple[int, Body]]:
    """Give the elements of a list that are objects, each with its number."""
    for number, one in enumerate(members(value)):
        if isinstance(one, (dict, Mapping)):  # a dict is told at once, any other mapping slowly
            yield number, one


def text_at(body: object, key: str) -> str:
    """Give a text of an object, or the empty one."""
    value = body.get(key) if isinstance(body, Mapping) else None
    return value if isinstance(value, str) else ""


@lru_cache(maxsize=4096)
def steps(name: str) -> tuple[tuple[str, bool], ...]:
    """Split a name into keys, each with whether a list stands under it."""
    return tuple((one.removesuffix("[]"), one.endswith("[]")) for one in name.split("."))


def pattern(path: str) -> str:
    """Give the name that a path is a place of: `items[2].no` is of `items[].no`."""
    return _NUMBERS.sub("[]", path)


def shown_key(key: object) -> str:
    """Give a key as a path may show it; one that may hold anything is left out."""
    return key if isinstance(key, str) and _PLAIN_KEY.fullmatch(key) else "?"


def places(body: Body, name: str) -> list[Place]:
    """Give every place of a name; a list that is missing or empty gives its own place."""
    if "." not in name and not name.endswith("[]"):  # most names, and then there is no more to it
        return [Place(name, body.get(name, MISSING))]
    found = [Place("", body)]
    for key, is_many in steps(name):
        found = [below for one in found for below in _below(one, key, is_many=is_many)]
    return found


def places_beside(body: Body, name: str, beside: Place, of: str) -> list[Place]:
    """Give the places of a name that share their lists' elements with a place of another name.

    `items[].coercive` beside the place `items[2].court_order` is `items[2].coercive` alone.
    """
    along, elements = steps(of), beside.elements
    found, shared, depth = [Place("", body)], True, 0
    for position, (key, is_many) in enumerate(steps(name)):
        shared = shared and position < len(along) and along[position] == (key, is_many)
        if shared and is_many and depth < len(elements):  # to the one element, past its siblings
            found = [_element(one, key, elements[depth]) for one in found]
            depth += 1
        else:
            found = [below for one in found for below in _below(one, key, is_many=is_many)]
    return found


def _element(above: Place, key: str, number: int) -> Place:
    listed = members(above.value.get(key)) if isinstance(above.value, (dict, Mapping)) else ()
    path = f"{above.path}.{key}" if above.path else key
    value = listed[number] if number < len(listed) else NO_ELEMENTS
    return Place(f"{path}[{number}]", value, (*above.elements, number))


def _below(above: Place, key: str, *, is_many: bool) -> Iterator[Place]:
    path = f"{above.path}.{key}" if above.path else key
    if above.value is NO_ELEMENTS:
        yield above
        return
    value = above.value.get(key, MISSING) if isinstance(above.value, (dict, Mapping)) else MISSING
    if not is_many:
        yield Place(path, value, above.elements)
        return
    listed = members(value)
    if not listed:
        yield Place(path, NO_ELEMENTS, above.elements)
    for number, one in enumerate(listed):
        yield Place(f"{path}[{number}]", one, (*above.elements, number))
