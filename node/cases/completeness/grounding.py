"""What a request rests on: its legal basis, its channel, and the effect it claims.

Each instrument has a profile in the law's files. Here a request is held against the
profiles that it names: whether they cover its kind, allow its channel and its language, and
give an electronic transmission the effect that the request claims for it. Nothing about the
content of the request is known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from node.cases.completeness import iso
from node.cases.completeness.places import Body, is_empty, objects, text_at
from node.cases.completeness.report import PRODUCT_DEFAULT, Finding, Note, Severity
from node.cases.completeness.wanted import Wanted
from node.cases.law.model import Basis, Kind, Law

_BASIS_RULE: Final = "UNCAC 46(6)-(7)"
_CHANNEL_RULE: Final = "UNCAC 46(13)"
_FORM_RULE: Final = "UNCAC 46(14)"


@dataclass(frozen=True, slots=True)
class Grounding:
    """The instruments that a request names, with the profile of each that has one."""

    named: tuple[tuple[str, str, bool], ...]  # path, code, primary
    profiles: tuple[tuple[str, Basis, bool], ...]

    @property
    def primary(self) -> Basis | None:
        """The profile of the basis that is marked primary, or of the only one."""
        if len(self.profiles) == 1:
            return self.profiles[0][1]
        return next((basis for _path, basis, primary in self.profiles if primary), None)

    def codes(self) -> frozenset[str]:
        """Give the codes of all instruments that are named."""
        return frozenset(code for _path, code, _primary in self.named)


def grounding(law: Law, body: Body) -> Grounding:
    """Read the legal basis of a request, whatever its form."""
    named = tuple(
        (f"legal_basis[{number}]", text_at(one, "instrument"), one.get("primary") is True)
        for number, one in objects(body.get("legal_basis"))
    )
    profiles = tuple(
        (path, law.bases[code], primary) for path, code, primary in named if code in law.bases
    )
    return Grounding(named, profiles)


def check_basis(law: Law, kind: Kind, found: Grounding, note: Note) -> None:
    """Note a basis that does not cover the kind, or is not said clearly."""
    primaries = [path for path, _code, primary in found.named if primary]
    if len(found.named) > 1 and not primaries:
        sentence = "Several instruments are named and none is primary: mark the one relied on."
        note(Finding("legal_basis", "blocks", _BASIS_RULE, sentence, "no-primary"))
    for path in primaries[1:]:
        sentence = "A second instrument is marked primary: keep the mark at one."
        note(Finding(f"{path}.primary", "blocks", _BASIS_RULE, sentence, "two-primaries"))
    seen: set[str] = set()
    for path, code, _primary in found.named:
        at = f"{path}.instrument"
        if code and code not in law.bases and code in law.codes.get("legal_basis", {}):
            sentence = (
                "There is no profile of this basis, so its kinds, channels and limits are not "
                "checked: look them up, or have a lawyer add the profile."
            )
            note(Finding(at, "warns", PRODUCT_DEFAULT, sentence, "no-profile"))
        if code and code in seen:
            sentence = "This instrument is named twice: keep it once, with all its articles."
            note(Finding(at, "warns", _BASIS_RULE, sentence, "basis-twice"))
        seen.add(code)
    for path, basis, _primary in found.profiles:
        _check_cover(kind, basis, f"{path}.instrument", found, note)


def _check_cover(kind: Kind, basis: Basis, at: str, found: Grounding, note: Note) -> None:
    if basis.inquiry_only and kind.machine == "request":
        sentence = (
            f"{basis.title} is a network for inquiries and no basis for a request: name a "
            "treaty, or send an informal inquiry."
        )
        note(Finding(at, "blocks", _BASIS_RULE, sentence, "inquiry-only", basis.unreviewed))
    elif kind.code not in basis.kinds:
        alone = basis is found.primary
        sentence = (
            f"{basis.title} does not cover this kind of request: name the instrument that does, "
            "or choose another kind."
        )
        severity: Severity = "blocks" if alone and kind.machine == "request" else "warns"
        note(Finding(at, severity, _BASIS_RULE, sentence, "kind-not-covered", basis.unreviewed))


# --- channel, effect and language of the basis -----------------------------------------------


def check_transmission(body: Body, found: Grounding, wanted: Wanted, note: Note) -> None:
    """Note a channel that is not allowed, and an effect that nothing gives."""
    channel, basis = text_at(body, "channel"), found.primary
    if channel and basis is not None and basis.channels and channel not in basis.channels:
        sentence = (
            f"{basis.title} does not provide for this channel: choose one of "
            f"{_some(basis.channels)}."
        )
        note(
            Finding("channel", "blocks", _CHANNEL_RULE, sentence, "channel-not-allowed",
                    basis.unreviewed)
        )  # fmt: skip
    if channel and wanted.channels and channel not in wanted.channels:
        sentence = (
            "The requested authority's listing does not name this channel among those it accepts: "
            "choose one that it names, or ask."
        )
        note(Finding("channel", "warns", _CHANNEL_RULE, sentence, "channel-not-wanted"))
    for finding in _effect(body, basis, wanted):
        note(finding)
    language = text_at(body, "language")
    if language and basis is not None and basis.languages:
        given = [
            language,
            *(text_at(one, "language") for _n, one in objects(body.get("translations"))),
        ]
        if not any(iso.same_language(one, tag) for one in given if one for tag in basis.languages):
            sentence = (
                f"{basis.title} works in {_some(basis.languages)}: add a translation, or make sure "
                "that the requested State accepts this language."
            )
            code, mark = "language-of-basis", basis.unreviewed
            note(Finding("language", "warns", _FORM_RULE, sentence, code, mark))


def _effect(body: Body, basis: Basis | None, wanted: Wanted) -> Iterator[Finding]:
    at, effect = "transmission_effect", text_at(body, "transmission_effect")
    cited = not is_empty(body.get("effect_basis"))
    allows = basis is not None and basis.effect == "FORMAL"
    if effect == "FORMAL" and not allows and not cited:
        sentence = (
            "Nothing that is cited makes an electronic transmission the formal one: choose "
            "ADVANCE, and send the original by its channel, or cite the treaty, declaration or "
            "memorandum under effect_basis."
        )
        yield Finding(at, "blocks", _FORM_RULE, sentence, "effect-without-basis")
    elif effect == "FORMAL" and wanted.accepts_electronic is False:
        sentence = (
            "The requested authority's listing says that it does not accept the electronic form as "
            "the original: choose ADVANCE, or settle it before sending."
        )
        yield Finding(at, "warns", _FORM_RULE, sentence, "electronic-not-accepted")
    elif effect == "FORMAL" and not allows and wanted.accepts_electronic is None:
        sentence = (
            "The node cannot tell whether what is cited gives this effect: a lawyer should have "
            "read it."
        )
        yield Finding("effect_basis", "warns", _FORM_RULE, sentence, "effect-cited")


def _some(words: tuple[str, ...]) -> str:
    return ", ".join(words[:6])
