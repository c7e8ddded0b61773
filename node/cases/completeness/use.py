"""What results may be used for: the proceedings of the request, and more only with consent.

    restrictions(request, history)                what binds each item of each result
    may_use(Wish(...), request, history)          Allowed, NeedsConsent or NeedsNotice

Every result carries the proceedings for which it may be used, by default those of the
request (UNCAC 46(19)), and codes of use, of which the strictest win. A result binds all its
items; `use_limits` in its body binds some of them further. Consent counts once it is
recorded as an event of the case. What is exculpatory may be disclosed to the accused after
notice (UNCAC 46(5)). Judges records only: it knows no person and stops nobody.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from node.cases.completeness.places import Body, is_empty, members, objects, text_at

RULE: Final = "UNCAC 46(19)"
DISCLOSURES: Final = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")
USES: Final = ("U0", "U1", "U2", "U3", "U4")
ONLY_NAMED: Final = frozenset({"U4"})  # what holds where nobody says otherwise
_FREE: Final = frozenset({"U0"})
_RESULTS: Final = frozenset({"send_partial_result", "send_final_result", "release", "answer"})

Step: TypeAlias = tuple[str, Body]
"""An effective event of the case and its body, in the case's order."""


@dataclass(frozen=True, slots=True)
class Handling:
    """Who may see something, and what for."""

    disclosure: str
    use: frozenset[str]


@dataclass(frozen=True, slots=True)
class Bound:
    """What binds one item: `item` is its path or number, empty for all of a result."""

    item: str
    handling: Handling
    proceedings: frozenset[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do with items of results."""

    items: tuple[str, ...]
    proceedings: str = field(repr=False)
    as_evidence: bool = True
    passes_on: bool = False
    exculpatory: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """The use is covered: by the request itself, by recorded consent, or after notice."""

    by: str


@dataclass(frozen=True, slots=True)
class NeedsConsent:
    """The use is not covered: ask the other side with `event` for these items first."""

    items: tuple[str, ...]
    event: str = "use_consent_requested"
    rule: str = RULE
    sentence: str = (
        "These results may be used only for the proceedings that they were given for: ask the "
        "authority that gave them for its consent, and wait for its answer."
    )


@dataclass(frozen=True, slots=True)
class NeedsNotice:
    """The accused may have it, but the other side must be told with `event` first."""

    items: tuple[str, ...]
    event: str = "exculpatory_disclosure_notice"
    rule: str = "UNCAC 46(5), 46(19)"
    sentence: str = (
        "What helps the accused may be disclosed, but the authority that gave it is told before, "
        "and consulted if it asks; if that is impossible for once, without delay after."
    )


Judgement: TypeAlias = "Allowed | NeedsConsent | NeedsNotice"


def strictest(handlings: Iterable[Handling]) -> Handling:
    """Join what binds several things: the narrowest circle, and every restriction of use.

    U0, which frees, stays only if nothing else is said; nothing at all counts as U4.
    """
    disclosure, use = DISCLOSURES[0], set[str]()
    for one in handlings:
        disclosure = max(disclosure, one.disclosure, key=_narrowness)
        use |= one.use
    limited = frozenset(use) - _FREE
    return Handling(disclosure, limited or (_FREE if use else ONLY_NAMED))


def _narrowness(disclosure: str) -> int:
    """Order circles; one that nobody knows counts as the narrowest."""
    return DISCLOSURES.index(disclosure) if disclosure in DISCLOSURES else len(DISCLOSURES)


def handling_of(body: Body) -> Handling | None:
    """Read the handling that a body asks for, if it does; an unknown code counts as U3."""
    said = body.get("handling")
    if not isinstance(said, Mapping):
        return None
    codes = [one for one in members(said.get("use")) if isinstance(one, str)]
    use = frozenset(one if one in USES else "U3" for one in codes)
    return Handling(text_at(said, "disclosure") or "TLP:AMBER", use)


def proceedings_of(request: Body) -> frozenset[str]:
    """Name the proceedings of a request: its own words for them, and its references."""
    named = {text_at(request, "own_ref"), text_at(request, "subject_matter")}
    named.add(text_at(request.get("proceedings"), "court"))
    for _number, item in objects(request.get("items")):
        permitted = members(item.get("permitted_proceedings"))
        named |= {one for one in permitted if isinstance(one, str)}
    return frozenset(_plain(one) for one in named if one.strip())


def restrictions(request: Body, history: Sequence[Step]) -> tuple[Bound, ...]:
    """Give what binds each item of each result; an item may be bound more than once."""
    default = proceedings_of(request)
    found: list[Bound] = []
    for event, body in history:
        if event not in _RESULTS:
            continue
        whole = _bound(body, "", default, strictest([]))
        if event == "answer":  # an answer to an inquiry is no evidence unless it says so
            said = frozenset(text_at(body, "use").split()) & frozenset(USES)
            whole = Bound("", Handling("TLP:AMBER", said or frozenset({"U1"})), default)
        named = items_of(body)
        found += [Bound(item, whole.handling, whole.proceedings) for item in named or ("",)]
        for _number, limit in objects(body.get("use_limits")):
            items = [one for one in members(limit.get("items")) if isinstance(one, str)]
            found += [_limited(item, limit, whole) for item in items]
    return tuple(found)


def items_of(body: Body) -> tuple[str, ...]:
    """Name the items of the evidence that a result carries, as its manifest does."""
    evidence = body.get("evidence")
    manifest = evidence.get("manifest") if isinstance(evidence, Mapping) else None
    listed = manifest.get("items") if isinstance(manifest, Mapping) else None
    names = [text_at(one, "path") or text_at(one, "no") for _n, one in objects(listed)]
    return tuple(one for one in names if one)


def _bound(body: Body, item: str, default: frozenset[str], otherwise: Handling) -> Bound:
    said = body.get("permitted_proceedings")
    texts = (said,) if isinstance(said, str) else members(said)
    named = frozenset(_plain(one) for one in texts if isinstance(one, str) and one.strip())
    return Bound(item, strictest([handling_of(body) or otherwise]), named or default)


def _limited(item: str, limit: Body, whole: Bound) -> Bound:
    """Bind an item further than its result: codes join, and both must permit proceedings."""
    use = frozenset(one for one in members(limit.get("use")) if isinstance(one, str))
    own = _bound(limit, item, whole.proceedings, whole.handling)
    joined = strictest([whole.handling, own.handling, Handling(DISCLOSURES[0], use)])
    return Bound(item, joined, own.proceedings)


def may_use(wish: Wish, request: Body, history: Sequence[Step]) -> Judgement:
    """Judge a use of items against what binds them and the consents that are recorded."""
    if wish.exculpatory:
        told = any(event == "exculpatory_disclosure_notice" for event, _body in history)
        return Allowed("notice before disclosure") if told else NeedsNotice(wish.items)
    bounds, consents = restrictions(request, history), _consents(history)
    lacking = tuple(item for item in wish.items if not _covered(item, wish, bounds, consents))
    if lacking:
        return NeedsConsent(lacking)
    within = all(_within(one, wish) for one in bounds if one.item in {*wish.items, ""})
    return Allowed("the request" if within else "recorded consent")


def _covered(
    item: str, wish: Wish, bounds: tuple[Bound, ...], consents: Mapping[str, frozenset[str]]
) -> bool:
    """Say whether everything that binds an item permits the wish, or consent lifts it."""
    asked = _plain(wish.proceedings)
    if asked in consents.get(item, frozenset()) | consents.get("", frozenset()):
        return True
    own = [one for one in bounds if one.item == item] or [one for one in bounds if not one.item]
    return bool(own) and all(_within(one, wish) for one in own)


def _within(bound: Bound, wish: Wish) -> bool:
    use = bound.handling.use
    if wish.passes_on and "U2" in use:
        return False
    if wish.as_evidence and "U1" in use:
        return False
    if use == _FREE:
        return True
    return _plain(wish.proceedings) in bound.proceedings


def _consents(history: Sequence[Step]) -> Mapping[str, frozenset[str]]:
    """Read which proceedings each item may be used for by consent; answers follow questions.

    A decision answers the first question that is still open. Consent on conditions is
    consent: the person who uses it reads them in the case.
    """
    waiting: list[Body] = []
    given: dict[str, frozenset[str]] = {}
    for event, body in history:
        if event == "use_consent_requested":
            waiting.append(body)
        elif event == "use_consent_decided" and waiting:
            asked = waiting.pop(0)
            if body.get("decision") != "granted":
                continue
            items = [one for one in members(asked.get("items")) if isinstance(one, str)]
            whole = is_empty(asked.get("items"))
            for item in [""] if whole else items:
                given[item] = given.get(item, frozenset()) | _proceedings(asked)
    return given


def _proceedings(asked: Body) -> frozenset[str]:
    said = asked.get("proceedings")
    texts = (said,) if isinstance(said, str) else members(said)
    return frozenset(_plain(one) for one in texts if isinstance(one, str) and one.strip())


def _plain(text: str) -> str:
    """Compare names of proceedings as people do: not by spaces, case or composed letters."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
