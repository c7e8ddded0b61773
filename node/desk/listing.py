"""Cases as lists show them: where each stands, and nothing of what is said in it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from node.desk.verb import Result
from node.storage.case_rows import Case
from node.storage.link_rows import ListedCase
from node.storage.standing_rows import StoredStanding

_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


def listed(one: ListedCase, names: Mapping[str, str] = _NOBODY, due: int | None = None) -> Result:
    """Give a case of a list; `names` are those of our people by id, `due` its next clock."""
    return {**shown_case(one.case), **shown_standing(one.standing, names), "due": due}


def shown_case(case: Case) -> Result:
    """Give what the row of a case says."""
    return {
        "id": case.id,
        "side": case.side,
        "peer": case.peer,
        "request_kind": case.request_kind,
        "state": case.state,
        "opened": case.opened_at,
        "changed": case.changed_at,
        "sent": case.sent_seq,
        "received": case.accepted_seq,
    }


def shown_standing(one: StoredStanding | None, names: Mapping[str, str]) -> Result:
    """Give what is kept of where a case stands; nothing is known before it is derived."""
    if one is None:
        return {
            "unconfirmed": None, "own_ref": None, "peer_ref": None, "officer": None,
            "on_wire": True,
        }  # fmt: skip
    officer = None if one.officer is None else names.get(one.officer, one.officer)
    return {
        "state": one.state,
        "unconfirmed": one.unconfirmed,
        "own_ref": one.own_ref,
        "peer_ref": one.peer_ref,
        "officer": officer,
        "on_wire": bool(one.on_wire),
    }
