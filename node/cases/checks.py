"""What is checked before something leaves: the law's fields, and what the other side wants.

    report = checks.request("qm.justice", "MLA_EVIDENCE", body, now)
    report = checks.event(shown, "refuse", body, now)

Joins the check of texts (`node.cases.completeness`) with what this node knows: the law as it
was loaded, the other authority's listing, and what was said in the case before. Decides
nothing and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.cases.completeness.answers import check_event
from node.cases.completeness.facts import CaseFacts
from node.cases.completeness.report import Report
from node.cases.completeness.request import check_request
from node.cases.completeness.wanted import NOTHING_KNOWN, Wanted
from node.cases.history import history, in_order
from node.cases.law import Kind, Law
from node.cases.register import ShownCase
from node.office import Office
from protocol.encoding import Json
from protocol.errors import Rejected

_BEGINS: Final = "transmit"


class Checks:
    """Checks what one authority is about to say."""

    def __init__(self, office: Office, law: Law) -> None:
        """Check by `law`, for what `office` knows of the others."""
        self._office = office
        self.law = law

    def kind(self, code: str) -> Kind | None:
        """Give what the law says of a kind of request; None if it says nothing."""
        return self.law.kinds.get(code)

    def request(self, to: str, kind: str, body: Mapping[str, Json], now: int) -> Report:
        """Say what is missing or doubtful in a request, before anybody has signed it."""
        whole = {**body, "request_kind": kind}
        return check_request(self.law, whole, to=self._wanted(to), now=now)

    def event(self, shown: ShownCase, event: str, body: Mapping[str, Json], now: int) -> Report:
        """Say what is missing or doubtful in an event of a case."""
        did = history(shown)
        said = [
            (one.message.kind, one.message.body)
            for one in in_order(shown)
            if one.stored.identity in did and did[one.stored.identity].applied.why is None
        ]
        request = next((words for kind, words in said if kind == _BEGINS), {})
        facts = CaseFacts.of(request, said[1:])
        return check_event(self.law, event, body, facts=facts, now=now)

    def _wanted(self, authority: str) -> Wanted:
        try:
            installed = self._office.directory.listing(authority)
        except Rejected:
            return NOTHING_KNOWN
        return Wanted.of(installed.listing)
