"""The facts of a case that statistics count: codes, times and sums, copied from its steps.

An Effect. What a peer signed may be anything: a code is taken where it has the form of one, a
sum where it is a number with a currency, and the rest is left where it is. Texts are never
copied; sums are sealed under the key of their case. Which codes there are, the law's data
says and not this module.

`outcome` says how a case came out: the code of its final result, or the name of the state in
which it ended without one. It goes again when a case is reopened or its result disputed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from node.cases.happened import Happened
from node.storage import fact_rows
from node.storage.fact_rows import StoredSum
from node.storage.vault import Vault
from node.storage.writer import Tx
from protocol.encoding import Json

CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}")
LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
CURRENCY: Final = re.compile(r"[A-Z]{3}")
AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,4})?")

UNEXECUTED: Final = frozenset({
    "REFUSED", "RETURNED", "WITHDRAWN", "LAPSED", "DECLINED", "NOT_AVAILABLE",
})  # fmt: skip
"""States in which a case has come out without a result."""

_ENDED: Final = UNEXECUTED | {"CLOSED"}
_DECIDED: Final = frozenset({"ACCEPTED", "REFUSED", "DECLINED", "RELEASED"})
_EXECUTED: Final = frozenset({"EXECUTED", "ANSWERED", "RELEASED"})
_AFTER_RESULT: Final = frozenset({"RESULT_CONFIRMED", "CLOSED"})
_GROUNDED: Final = frozenset({"refuse", "refuse_remainder", "postpone"})
_RESULTS: Final = {
    "send_partial_result": "PARTIALLY_EXECUTED",
    "send_final_result": "EXECUTED",
    "impose_measure": "MEASURE_IN_FORCE",
}
"""Steps that tell of sums, and where the case stands after one that had its effect."""

_BY_EVENT: Final = {
    "refuse_remainder": "PARTIAL",
    "convert_measure": "CONVERTED",
    "withdrawal_overtaken": "OVERTAKEN",
}
_LISTED_MAX: Final = 64  # offences, or sums, of one message

Changes: TypeAlias = dict[str, int | str | None]


class Facts:
    """Copies what statistics count."""

    def __init__(self, vault: Vault) -> None:
        """Seal sums with the keys of their cases."""
        self._vault = vault

    def __call__(self, tx: Tx, one: Happened) -> None:
        """Copy the facts of a step: those of a request at once, all others once it has a place."""
        changes: Changes = {}
        if one.event == "transmit":
            changes.update(_of_request(one.body))
            fact_rows.add_offences(tx.conn, one.case.id, _offences(one.body))
        if one.confirmed and one.after is not None:
            changes.update(_of_move(one, tx.now))
            if _RESULTS.get(one.event) == one.after.state:
                self._put_sums(tx, one)
        if changes:
            fact_rows.change_facts(tx.conn, one.case.id, **changes)

    def _put_sums(self, tx: Tx, one: Happened) -> None:
        case = one.case
        for stage, currency, amount in _sums(one.body):
            sealed = self._vault.seal(
                case.id, case.wrapped_key, sum_name(case.id, stage, currency), amount.encode()
            )
            fact_rows.put_sum(tx.conn, StoredSum(case.id, stage, currency, sealed))


def sum_name(case_id: str, stage: str, currency: str) -> str:
    """Give the name under which the amount of a sum is sealed: it opens in no other place."""
    return f"sum {case_id} {stage} {currency}"


# --- the request -----------------------------------------------------------


def _of_request(body: Mapping[str, Json]) -> Changes:
    found: Changes = {
        "basis": _basis(body.get("legal_basis")),
        "effect": _matching(CODE, body.get("transmission_effect")),
        "urgency": _matching(CODE, body.get("urgency")),
        "language": _matching(LANGUAGE, body.get("language")),
    }
    return {name: value for name, value in found.items() if value is not None}


def _basis(bases: Json) -> str | None:
    """Give the instrument that the request rests on first of all."""
    named = [
        (one.get("primary") is not True, code)
        for one in _objects(bases)
        if (code := _matching(CODE, one.get("instrument"))) is not None
    ]
    return min(named, key=lambda one: one[0])[1] if named else None


def _offences(body: Mapping[str, Json]) -> Iterator[str]:
    listed = body.get("offences")
    for one in listed[:_LISTED_MAX] if isinstance(listed, list) else ():
        code = _matching(CODE, one.get("code") if isinstance(one, Mapping) else one)
        if code is not None:
            yield code


# --- later steps -----------------------------------------------------------


def _of_move(one: Happened, now: int) -> Changes:
    """Give what a step that moved the case changes in its facts."""
    before = None if one.before is None else str(one.before.state)
    after = None if one.after is None else str(one.after.state)
    if after is None or before == after:
        return {}
    changes: Changes = {}
    if before is None:
        changes["delivered_at"] = one.at if one.identity is None else now
    if one.event == "acknowledge":
        changes["acknowledged_at"] = one.at
    if after in _DECIDED:
        changes["decided_at"] = one.at
    if one.event in _GROUNDED:
        changes["ground"] = _matching(CODE, one.body.get("ground"))
    return changes | _end(one, before, after)


def _end(one: Happened, before: str | None, after: str) -> Changes:
    """Give what changes where a case comes out, or goes on after it had."""
    if after in _EXECUTED and before not in _AFTER_RESULT:
        return {"executed_at": one.at, "outcome": _outcome(one, after)}
    if after in UNEXECUTED:
        return {"ended_at": one.at, "outcome": after}
    if after == "CLOSED":
        return {} if before in _ENDED else {"ended_at": one.at}
    if before in _ENDED:  # reopened
        return {"ended_at": None, "outcome": None, "ground": None, "decided_at": None}
    if before == "EXECUTED" and after == "IN_EXECUTION":  # disputed
        return {"executed_at": None, "outcome": None}
    return {}


def _outcome(one: Happened, after: str) -> str | None:
    if after != "EXECUTED":
        return after
    return _BY_EVENT.get(one.event) or _matching(CODE, one.body.get("outcome"))


def _sums(body: Mapping[str, Json]) -> Iterator[tuple[str, str, str]]:
    for one in _objects(body.get("sums")):
        stage, currency = (
            _matching(CODE, one.get("stage")),
            _matching(CURRENCY, one.get("currency")),
        )
        amount = _matching(AMOUNT, one.get("amount"))
        if stage is not None and currency is not None and amount is not None:
            yield stage, currency, amount


# --- forms -----------------------------------------------------------------


def _objects(value: Json) -> Iterable[Mapping[str, Json]]:
    listed = value[:_LISTED_MAX] if isinstance(value, list) else ()
    return [one for one in listed if isinstance(one, Mapping)]


def _matching(form: re.Pattern[str], value: Json) -> str | None:
    return value if isinstance(value, str) and form.fullmatch(value) is not None else None
