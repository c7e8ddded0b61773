"""The verb of use: what results of a case may be used for, and what another use would take.

Parses arguments and renders what `node.cases.completeness.use` concludes from the records of
the case; it decides nothing and stops nobody (UNCAC 46(19), 46(5)).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from node.access.roles import CASEWORK
from node.cases.completeness.use import Allowed, Bound, Judgement, Step, Wish, may_use, restrictions
from node.cases.history import history, in_order
from node.cases.register import ShownCase
from node.cases.standings import OPENS
from node.desk.arguments import Arguments, CaseName
from node.desk.verb import Desk, Result, Verb
from protocol.encoding import Json

_ITEMS_MAX: Final = 10_000


class Use(Arguments):
    """A use of items of a case; without proceedings, only what binds them is told."""

    case: CaseName
    items: Annotated[
        list[str], Field(max_length=_ITEMS_MAX, description="As a manifest names them; none: all.")
    ] = Field(default_factory=list)
    proceedings: Annotated[
        str | None,
        Field(max_length=10_000, description="In which proceedings, as they are named."),
    ] = None
    as_evidence: Annotated[bool, Field(description="As evidence; else as intelligence.")] = True
    passes_on: Annotated[bool, Field(description="It is passed on to others.")] = False
    exculpatory: Annotated[bool, Field(description="It is disclosed because it helps.")] = False


def _case_use(desk: Desk, args: Use) -> Result:
    shown = desk.database.read(lambda conn: desk.register.show(conn, args.case))
    request, steps = _recorded(shown)
    bounds = restrictions(request, steps)
    items = tuple(args.items) or tuple(dict.fromkeys(one.item for one in bounds))
    judged: Json = None
    if args.proceedings is not None or args.exculpatory:
        wish = Wish(
            items, args.proceedings or "", as_evidence=args.as_evidence,
            passes_on=args.passes_on, exculpatory=args.exculpatory,
        )  # fmt: skip
        judged = _judged(may_use(wish, request, steps))
    return {
        "schema": "comity.use/1", "case": shown.case.id,
        "bound": [_bound(one) for one in bounds if not args.items or one.item in {*items, ""}],
        "judged": judged,
    }  # fmt: skip


def _recorded(shown: ShownCase) -> tuple[Mapping[str, Json], list[Step]]:
    """Give the request, and the steps of the case that had an effect, in their order."""
    did = history(shown)
    effective = [
        one.message for one in in_order(shown)
        if (found := did.get(one.stored.identity)) is not None and found.applied.rule is not None
    ]  # fmt: skip
    opened = next((one.message.body for one in in_order(shown) if one.message.kind == OPENS), {})
    return opened, [(message.kind, message.body) for message in effective]


def _bound(one: Bound) -> Json:
    return {
        "item": one.item, "disclosure": one.handling.disclosure,
        "use": sorted(one.handling.use), "proceedings": sorted(one.proceedings),
    }  # fmt: skip


def _judged(found: Judgement) -> Json:
    if isinstance(found, Allowed):
        return {"allowed": True, "by": found.by, "event": None, "items": [], "rule": None,
                "sentence": None}  # fmt: skip
    return {
        "allowed": False, "by": None, "event": found.event, "items": list(found.items),
        "rule": found.rule, "sentence": found.sentence,
    }  # fmt: skip


USING: Final[Mapping[str, Verb]] = {
    "case.use": Verb(_case_use, Use, CASEWORK, needs_keys=True, opens=True),
}
"""The verbs of this module by name."""
