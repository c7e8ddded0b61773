"""The verbs of cases outside the network: register one, record its steps, join it later.

Parses arguments and renders results; decides nothing about cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from node.access.roles import Role
from node.cases.evidence_in_body import with_manifest
from node.cases.papers import OpenStep, Outside, PaperStep
from node.desk.arguments import Arguments, CaseName, Texts, spoken
from node.desk.tools import ManifestJson, casework, kind_word, read_manifest
from node.desk.verb import Desk, Result, Verb
from node.storage.case_rows import Case
from protocol.encoding import Json
from protocol.identity import check_authority_id

Side = Literal["requesting", "requested"]
When = Annotated[int | None, Field(ge=0, le=2**53 - 1, description="Unix seconds; else now.")]
Channel = Annotated[
    str,
    Field(
        pattern="^[A-Z][A-Z0-9_]{1,31}$",
        description="By which way it came or went, as DIPLOMATIC, POST or ORAL.",
    ),
]


class RegisterCase(Arguments):
    """A case that is kept here and does not travel over the network."""

    side: Annotated[Side, Field(description="Which side we are.")]
    peer: Annotated[
        str, Field(description="The other authority's id, be it in the network or not.")
    ]
    kind: str
    channel: Channel
    name: Annotated[str | None, Field(max_length=10_000, description="What it calls itself.")] = (
        None
    )
    at: When = None
    body: Texts = Field(default_factory=dict)
    manifest: ManifestJson = None


class RecordStep(Arguments):
    """A step that came or went on paper, or by word of mouth."""

    case: CaseName
    event: str
    channel: Channel
    at: When = None
    side: Side | None = None
    body: Texts = Field(default_factory=dict)
    manifest: ManifestJson = None


class JoinCase(Arguments):
    """A case on paper and the one of the network in which it goes on."""

    case: CaseName
    wire: CaseName


def _case_register(desk: Desk, args: RegisterCase) -> Result:
    papers, at = casework(desk).papers, _at(desk, args.at)
    outside = Outside(args.side, check_authority_id(args.peer), kind_word(args.kind))
    theirs = "requested_authority" if args.side == "requesting" else "requesting_authority"
    body: dict[str, Json] = {**spoken(args.body)}
    if args.name is not None:
        body.setdefault(theirs, {"id": args.peer, "name": args.name})
    first = PaperStep("transmit", at, args.channel, _whole(body, args.manifest))
    case, step = desk.unit(lambda tx: papers.register(tx, outside, first))
    return _recorded(desk, "comity.registered/1", case.id, step)


def _case_record(desk: Desk, args: RecordStep) -> Result:
    papers, at = casework(desk).papers, _at(desk, args.at)
    body = _whole(spoken(args.body), args.manifest)
    given = PaperStep(args.event, at, args.channel, body, args.side)
    step = desk.unit(lambda tx: papers.record(tx, args.case, given))
    return _recorded(desk, "comity.recorded/1", step.stored.case_id, step)


def _case_join(desk: Desk, args: JoinCase) -> Result:
    papers = casework(desk).papers
    paper, wire = desk.unit(lambda tx: papers.join(tx, args.case, args.wire))
    return {"schema": "comity.joined/1", "case": paper.id, "wire": wire.id}


def _at(desk: Desk, at: int | None) -> int:
    return desk.clock.now() if at is None else at


def _whole(body: Mapping[str, Json], manifest: ManifestJson) -> Mapping[str, Json]:
    found = read_manifest(manifest)
    return body if found is None else with_manifest(body, found)


def _recorded(desk: Desk, schema: str, case: str, step: OpenStep) -> Result:
    now: Case = desk.database.read(lambda conn: desk.register.find(conn, case))
    return {
        "schema": schema,
        "case": case,
        "step": step.stored.id,
        "event": step.stored.event,
        "place": step.stored.place,
        "at": step.stored.at,
        "channel": step.stored.channel,
        "state": now.state,
    }


_TAKING_IN: Final = frozenset({
    Role.OFFICER, Role.INTAKE, Role.CASE_OFFICER, Role.DUTY_OFFICER,
})  # fmt: skip
_RECORDING: Final = _TAKING_IN | {
    Role.DECISION_OFFICER, Role.EXECUTING_OFFICER, Role.CUSTODIAN, Role.APPROVER,
}  # fmt: skip

PAPERS: Final[Mapping[str, Verb]] = {
    "case.register": Verb(_case_register, RegisterCase, _TAKING_IN, writes=True, needs_keys=True),
    "case.record": Verb(_case_record, RecordStep, _RECORDING, writes=True, needs_keys=True),
    "case.join": Verb(
        _case_join, JoinCase, _TAKING_IN, writes=True, needs_keys=True, also=frozenset({"wire"})
    ),
}
