"""Options that say something about one authority of several: `[AUTHORITY=]VALUE`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from node.cli.call import usage

_LANGUAGE = re.compile(r"([a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}):(.+)", re.DOTALL)


def by_authority(values: Sequence[str], ids: Sequence[str]) -> dict[str, list[str]]:
    """Sort values by the authority that they are about."""
    found: dict[str, list[str]] = {}
    for value in values:
        named, equals, rest = value.partition("=")
        if equals and named in ids:
            found.setdefault(named, []).append(rest)
        elif len(ids) == 1:
            found.setdefault(ids[0], []).append(value)
        else:
            raise usage(f'Which authority is "{value}" about? Write AUTHORITY={value}.')
    return found


def names_by_authority(values: Sequence[str], ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Sort names by authority and language; without a language it is English."""
    found: dict[str, dict[str, str]] = {}
    for authority, names in by_authority(values, ids).items():
        for name in names:
            match = _LANGUAGE.fullmatch(name)
            language, text = match.groups() if match else ("en", name)
            found.setdefault(authority, {})[language] = text
    return found


def of(values: Mapping[str, Sequence[str]], authority: str) -> str | None:
    """Give the last value about an authority, or None."""
    return values[authority][-1] if authority in values else None
