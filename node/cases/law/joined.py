"""The law while its files are joined: kinds get the fields of their cores, codes their labels.

What the node brings and what an authority adds go through the same hands. This module
checks no cross-reference (`node.cases.law.checks` does) and reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TypeVar

from node.cases.law.files import CodesFile, CoreFile, GlossaryFile, KindFile, OffencesFile
from node.cases.law.model import (
    Basis,
    Code,
    FieldRule,
    FormSection,
    HolidayChange,
    Kind,
    Law,
    Limit,
    Offence,
    Term,
)
from node.cases.law.read import Folder

T = TypeVar("T")


@dataclass(slots=True)
class Joined:
    """The law while it grows; `where` knows the file of each thing, for sentences."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    bases: dict[str, Basis] = field(default_factory=dict)
    offences: dict[str, Offence] = field(default_factory=dict)
    codes: dict[str, dict[str, Code]] = field(default_factory=dict)
    terms: dict[str, Term] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)
    cores: dict[str, CoreFile] = field(default_factory=dict)
    defaults: dict[str, Limit] = field(default_factory=dict)
    holidays: dict[str, HolidayChange] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def law(self) -> Law:
        """Give it as it stands, not to be changed again."""
        codes = {name: MappingProxyType(one) for name, one in self.codes.items()}
        return Law(
            kinds=MappingProxyType(self.kinds),
            bases=MappingProxyType(self.bases),
            offences=MappingProxyType(self.offences),
            codes=MappingProxyType(codes),
            terms=MappingProxyType(self.terms),
            sections=MappingProxyType(self.sections),
            defaults=MappingProxyType(self.defaults),
            holidays=MappingProxyType(self.holidays),
        )

    def take(self, found: Folder) -> None:
        """Join the files that the node's own folder and an authority's have in common."""
        self.problems += found.problems
        for name, codes in found.all(CodesFile).items():
            for vocabulary, entries in codes.vocabularies.items():
                for code, entry in entries.items():
                    known = self.codes.setdefault(vocabulary, {})
                    self.add(known, code, entry, found.whose + name)
        for name, offences in found.all(OffencesFile).items():
            for offence in offences.offences:
                self.add(self.offences, offence.code, offence, found.whose + name)
        for name, glossary in found.all(GlossaryFile).items():
            for term in glossary.terms:
                self.add(self.terms, term.id, term, found.whose + name)
        for name, kind in found.all(KindFile).items():
            self._called_like_its_file(found.whose + name, kind.code)
            self.add(self.kinds, kind.code, self.kind(kind, found.whose + name), found.whose + name)
        for name, basis in found.all(Basis).items():
            self._called_like_its_file(found.whose + name, basis.code)
            self.add(self.bases, basis.code, basis, found.whose + name)
        self._vocabularies()

    def add(self, into: dict[str, T], code: str, one: T, where: str) -> None:
        """Add an entry under a code that nothing else there has."""
        if code in into:
            self.problems.append(f"{where}: {code} is there already; give it a code of its own.")
            return
        into[code] = one
        self.where.setdefault(code, where)

    def _called_like_its_file(self, where: str, code: str) -> None:
        if PurePosixPath(where).stem != code.lower():
            self.problems.append(f"{where}: {code} belongs in a file called {code.lower()}.toml.")

    def _vocabularies(self) -> None:
        """Kinds, bases and offences are codes too, each with its title as its label."""
        whole = (
            ("request_kind", self.kinds), ("legal_basis", self.bases), ("offence", self.offences),
        )  # fmt: skip
        for vocabulary, entries in whole:
            known = self.codes.setdefault(vocabulary, {})
            for code, entry in entries.items():
                known[code] = Code(label=entry.title, confidence=entry.confidence)

    def kind(self, file: KindFile, where: str) -> Kind:
        """Give a kind with the fields of its cores and its own, those of a name replaced."""
        rules: dict[str, FieldRule] = {}
        for core in file.cores:
            if core not in self.cores:
                self.problems.append(
                    f"{where}: no core is called {core}; cores are {', '.join(sorted(self.cores))}."
                )
                continue
            rules.update({rule.name: rule for rule in self.cores[core].fields})
        names = [rule.name for rule in file.fields]
        for name in sorted({one for one in names if names.count(one) > 1}):
            self.problems.append(f'{where}: field "{name}" stands twice; keep one.')
        rules.update({rule.name: rule for rule in file.fields})
        fields = tuple(sorted(rules.values(), key=self._place_of_section))
        return Kind(
            **{name: getattr(file, name) for name in _PLAIN},
            fields=fields,
            sections=self.form(fields),
        )

    def _place_of_section(self, rule: FieldRule) -> int:
        order = list(self.sections)
        return order.index(rule.section) if rule.section in order else len(order)

    def form(self, fields: Iterable[FieldRule]) -> tuple[FormSection, ...]:
        """Give the sections of a form with the names of their fields."""
        names: dict[str, list[str]] = {}
        for rule in fields:
            names.setdefault(rule.section, []).append(rule.name)
        return tuple(
            FormSection(id=one, title=title, fields=tuple(names[one]))
            for one, title in self.sections.items()
            if one in names
        )


_PLAIN = tuple(name for name in KindFile.model_fields if name != "fields")
