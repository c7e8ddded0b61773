"""The forms of the law's files: what a lawyer may write, in which file.

The first are files that the node brings; the last, under their own heading, are those that
only an authority's own folder has. What these may do to the law, `node.cases.law.own`
decides. This module reads no file.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from node.cases.law.model import (
    AnyCode,
    Clock,
    Code,
    Condition,
    Entry,
    FieldName,
    FieldRule,
    Grounds,
    HolidayChange,
    LawCode,
    Limit,
    Line,
    Machine,
    Marked,
    Need,
    Offence,
    Prose,
    SecondPerson,
    Term,
)


class CoreFile(Entry):
    """A file of `cores/`: fields that several kinds of request share."""

    title: Line
    fields: tuple[FieldRule, ...]


class SectionTitle(Entry):
    """The title of a section of forms; sections stand in the order of their file."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$")]
    title: Line


class SectionsFile(Entry):
    """The file `sections.toml`."""

    sections: tuple[SectionTitle, ...]


class KindFile(Marked):
    """A file of `kinds/`: one kind of request and the fields that it adds to its cores."""

    code: LawCode
    title: Line
    term: str | None = None
    machine: Machine
    formal: bool
    coercive: bool
    time_limited: bool
    second_person: SecondPerson
    grounds: Grounds
    articles: tuple[Line, ...]
    assistance: tuple[AnyCode, ...] = ()
    cores: tuple[Line, ...]
    note: Prose = ""
    fields: tuple[FieldRule, ...] = ()
    release: tuple[FieldRule, ...] = ()  # of what is released after the restrictions


class OffencesFile(Entry):
    """The file `offences.toml`."""

    offences: tuple[Offence, ...]


class CodesFile(Entry):
    """The file `codes.toml`: a table for each vocabulary."""

    vocabularies: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")],
                       dict[AnyCode, Code]]  # fmt: skip


class GlossaryFile(Entry):
    """The file `glossary.toml`."""

    terms: tuple[Term, ...]


class DefaultsFile(Entry):
    """The file `defaults.toml`: limits for where law is silent, by clock."""

    limits: dict[Clock, Limit]


# --- what only an authority's own folder has -------------------------------------------------


class OwnLimit(Limit):
    """A limit of the authority's own: for one basis, or wherever a basis is silent."""

    clock: Clock
    basis: LawCode | None = None


class LimitsFile(Entry):
    """The file `limits.toml`."""

    limits: tuple[OwnLimit, ...]


class Narrowed(Entry):
    """A field of a kind that is here already, for which the authority wants more."""

    kind: LawCode
    name: FieldName
    need: Need
    rule: Line
    why: Prose = Field(min_length=1)
    when: Condition | None = None


class NarrowedFile(Entry):
    """The file `narrowed.toml`."""

    fields: tuple[Narrowed, ...]


class HolidaysFile(Entry):
    """The file `holidays.toml`: by State (ISO 3166-1 alpha-2)."""

    countries: dict[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")], HolidayChange]
