"""The law as the rest of the node sees it: closed models, looked up by code, all frozen.

They are made from files (`node.cases.law.files`) by `node.cases.law.load`. This module reads
no file, and knows nothing of cases, drafts, states or people.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

Confidence = Literal["high", "medium", "low"]
Need = Literal["mandatory", "conditional", "optional"]
Machine = Literal["request", "spontaneous", "inquiry"]
SecondPerson = Literal["before", "within-24h", "none"]
Effect = Literal["FORMAL", "ADVANCE", "COURTESY", "CONFIRMATION"]
Unit = Literal["hours", "days", "working_days"]
Grounds = Literal["mla", "extradition", "none"]
Clock = Literal[
    "delivery", "delivery_urgent",
    "acknowledgement", "acknowledgement_urgent", "acknowledgement_emergency",
    "decision", "execution", "information", "consultation",
    "preservation", "preservation_warnings", "provisional_arrest", "provisional_measure",
    "oral_confirmation", "safe_conduct", "second_person", "status_reply",
]  # fmt: skip

LANGUAGES: Final = ("en", "fr", "es", "pt", "ar", "ru", "zh", "sw")
"""The languages in which every term of the glossary stands."""

STRICTNESS: Final[Mapping[Need, int]] = {"optional": 0, "conditional": 1, "mandatory": 2}

SIMPLE_TYPES: Final = frozenset({
    "text", "long_text", "texts", "date", "time", "yes_no", "amount", "number", "country",
    "language", "currency", "authority", "person", "people", "items", "documents", "list", "object",
})  # fmt: skip
"""Types of fields that name no vocabulary.

`texts` is a list of texts, `list` a list of objects whose members are fields of their own
(`offences` and `offences[].code`), `object` one object of any form, and `items` the numbered
things that are asked for.
"""


def _field_name(text: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9_]*(\[\])?(\.[a-z][a-z0-9_]*(\[\])?)*", text) is None:
        raise ValueError('a field is named like "nexus", "handling.use" or "items[].purpose"')
    return text


def _field_type(text: str) -> str:
    if text not in SIMPLE_TYPES and re.fullmatch(r"codes?:[a-z][a-z0-9_]*", text) is None:
        raise ValueError(f"a type is code:VOCABULARY, codes:VOCABULARY or one of {_types()}")
    return text


def _day(text: str) -> str:
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise ValueError("a day is written YYYY-MM-DD")
    return text


def _types() -> str:
    return ", ".join(sorted(SIMPLE_TYPES))


Line: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Prose: TypeAlias = Annotated[str, StringConstraints(max_length=2_000)]
LawCode: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,63}$")]
AnyCode: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_:+-]{0,63}$")
]
Tag: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Day: TypeAlias = Annotated[str, AfterValidator(_day)]
FieldName: TypeAlias = Annotated[str, AfterValidator(_field_name)]
FieldType: TypeAlias = Annotated[str, AfterValidator(_field_type)]


class Entry(BaseModel):
    """One entry of a file: closed, strict, and never changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Marked(Entry):
    """Something that a lawyer is more or less sure of."""

    confidence: Confidence = "high"

    @property
    def unreviewed(self) -> bool:
        """Say whether it must be shown with the mark `unreviewed`."""
        return self.confidence != "high"


# --- what a form asks for --------------------------------------------------------------------


class Condition(Entry):
    """When a conditional field must be there: exactly one test of one other field.

    Where both names share a list (`items[].x`, `items[].y`), the same element is meant; else
    one element that passes is enough. A list of codes passes `is` if it holds the code.
    """

    field: FieldName
    equals: str | bool | None = Field(None, alias="is")
    one_of: tuple[str, ...] | None = None
    present: Literal[True] | None = None
    absent: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        tests = (self.equals, self.one_of, self.present, self.absent)
        if sum(one is not None for one in tests) != 1:
            raise ValueError("a condition has exactly one of is, one_of, present and absent")
        return self


class FieldRule(Marked):
    """One field of a request: what it is called, when it must be there, and who says so.

    A mandatory member of a list or an object (`persons[].role`) must be in each element that
    is there; whether there must be one, the list's own rule says.
    """

    name: FieldName
    label: Line
    type: FieldType
    need: Need
    section: Line
    rule: Line
    why: Prose = Field(min_length=1)
    when: Condition | None = None
    term: str | None = None  # of the glossary, for its label in other languages
    filled_by: Literal["person", "node"] = "person"  # the node knows it when it sends

    @model_validator(mode="after")
    def _condition_where_it_belongs(self) -> FieldRule:
        if (self.need == "conditional") is (self.when is None):
            raise ValueError('a field has "when" if, and only if, its need is conditional')
        return self

    @property
    def vocabulary(self) -> str | None:
        """Name the vocabulary that its codes come from, if it has one."""
        kind, _, name = self.type.partition(":")
        return name if kind in {"code", "codes"} else None


class FormSection(Entry):
    """A section of the form of one kind, with the names of its fields in their order."""

    id: str
    title: Line
    fields: tuple[str, ...]


class Kind(Marked):
    """One kind of request, with all its fields: those of its cores and its own."""

    code: str
    title: str
    term: str | None
    machine: Machine
    formal: bool
    coercive: bool
    time_limited: bool
    second_person: SecondPerson
    grounds: Grounds
    articles: tuple[str, ...]
    assistance: tuple[str, ...]
    cores: tuple[str, ...]
    note: str
    fields: tuple[FieldRule, ...]
    release: tuple[FieldRule, ...]
    sections: tuple[FormSection, ...]

    def field(self, name: str) -> FieldRule | None:
        """Find a field by its name."""
        return next((one for one in self.fields if one.name == name), None)


# --- what a request rests on -----------------------------------------------------------------


class Limit(Marked):
    """How long something may take; `product_default` if no law says so."""

    count: int = Field(ge=1, le=3_650)
    unit: Unit
    source: Prose = ""
    also: tuple[int, ...] = ()  # later warnings of the same clock
    extendable_by: int | None = Field(None, ge=1, le=3_650)  # in the same unit
    product_default: bool = False
    note: Prose = ""

    @model_validator(mode="after")
    def _a_source_or_a_default(self) -> Limit:
        if self.product_default is bool(self.source):
            raise ValueError("a limit names its source, or says product_default = true; not both")
        return self


class Ground(Marked):
    """A ground of refusal or postponement that a legal basis allows."""

    code: AnyCode
    source: Line
    kinds: tuple[LawCode, ...] = ()  # for these kinds alone; without: for all
    note: Prose = ""


class Basis(Marked):
    """A treaty, scheme, arrangement or network that a request rests on: its profile."""

    code: LawCode
    title: Line
    kinds: tuple[LawCode, ...]
    inquiry_only: bool = False
    languages: tuple[Tag, ...] = ()  # none: those that the requested State has notified
    language_source: Prose = ""
    channels: tuple[AnyCode, ...]
    effect: Effect = "ADVANCE"
    effect_source: Prose = ""
    dual_criminality: Prose = ""
    limits: dict[Clock, Limit] = Field(default_factory=dict)
    refusal: tuple[Ground, ...] = ()
    refusal_extradition: tuple[Ground, ...] = ()
    postponement: tuple[Ground, ...] = ()
    articles: dict[LawCode, Line] = Field(default_factory=dict)  # kind -> the article to cite
    notes: tuple[Prose, ...] = ()

    @model_validator(mode="after")
    def _effect_has_a_source(self) -> Basis:
        if self.effect in {"FORMAL", "CONFIRMATION"} and not self.effect_source:
            raise ValueError(
                "effect is ADVANCE or COURTESY unless effect_source cites what gives it more"
            )
        return self


# --- offences, codes and terms ---------------------------------------------------------------


class Offence(Marked):
    """An offence by its article, with the elements of conduct that both sides compare."""

    code: AnyCode
    title: Line
    term: str | None = None
    instrument: Line
    article: str
    duty: Literal["mandatory", "mandatory-with-limits", "optional", "named-by-the-request"]
    elements: tuple[Line, ...]
    note: Prose = ""


class Code(Marked):
    """One code of a vocabulary."""

    label: Line
    note: Prose = ""


class Label(Marked):
    """A term in one language."""

    text: Line
    alternatives: tuple[Line, ...] = ()


class Term(Entry):
    """One term in all languages."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    category: Line
    ref: str = ""
    note: Prose = ""
    labels: dict[Tag, Label]

    @property
    def unreviewed(self) -> tuple[str, ...]:
        """Name the languages whose label no lawyer has confirmed."""
        return tuple(tag for tag, label in self.labels.items() if label.unreviewed)


class HolidayChange(Entry):
    """Days to add to, or take from, the holidays of a State: `YYYY-MM-DD`."""

    add: tuple[Day, ...] = ()
    remove: tuple[Day, ...] = ()


# --- the whole -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Law:
    """All that the node knows of law: read once, never changed."""

    kinds: Mapping[str, Kind]
    bases: Mapping[str, Basis]
    offences: Mapping[str, Offence]
    codes: Mapping[str, Mapping[str, Code]]
    terms: Mapping[str, Term]
    sections: Mapping[str, str]
    defaults: Mapping[str, Limit]
    holidays: Mapping[str, HolidayChange]

    @property
    def forbidden_grounds(self) -> Mapping[str, Code]:
        """Grounds on which nothing may be refused (UNCAC 46(8), 46(22), 44(16))."""
        return self.codes["forbidden_refusal_ground"]

    def limit(self, basis: str | None, clock: Clock) -> Limit | None:
        """Give what a basis says of a clock, else the default; None if there is none."""
        profile = self.bases.get(basis) if basis is not None else None
        own = profile.limits.get(clock) if profile is not None else None
        return own or self.defaults.get(clock)

    def refusal_grounds(self, basis: str | None, kind: str) -> Mapping[str, Code]:
        """Give the grounds on which a request of that kind may be refused under a basis.

        A basis without a profile, or whose profile names none, has the whole vocabulary.
        """
        known = self.kinds.get(kind)
        if known is None or known.grounds == "none":
            return {}
        codes = self.codes[f"refusal_ground_{known.grounds}"]
        profile = self.bases.get(basis) if basis is not None else None
        if profile is None:
            return codes
        named = profile.refusal if known.grounds == "mla" else profile.refusal_extradition
        return _allowed(named, kind, codes) or codes

    def postponement_grounds(self, basis: str | None, kind: str) -> Mapping[str, Code]:
        """Give the grounds on which execution may be postponed under a basis."""
        codes = self.codes["postponement_ground"]
        profile = self.bases.get(basis) if basis is not None else None
        return _allowed(profile.postponement, kind, codes) or codes if profile else codes


def _allowed(
    grounds: tuple[Ground, ...], kind: str, codes: Mapping[str, Code]
) -> Mapping[str, Code]:
    return {one.code: codes[one.code] for one in grounds if not one.kinds or kind in one.kinds}
