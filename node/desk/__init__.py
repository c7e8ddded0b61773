"""The desk: every verb that a person at this authority has, by name, with its arguments.

    result = act(desk, "case.list", {}, person=who(desk, Caller(uid=1003)))

The modules of this package hold the verbs; each says which arguments it takes, who may, and
whether it writes or needs the private keys. Whoever asks is admitted here and nowhere else,
by the words of `node.access`; so the control socket, the staff listener and a command that
works by itself enforce the same. Nothing else is decided here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from node.access.check import AdmittedCase, admit_case, admit_draft, check_role, named_case
from node.access.matters import ask_for, forget_matter
from node.access.people import Caller, identify
from node.access.roles import Person
from node.audit.people_records import CaseRead
from node.desk.arguments import Arguments, read_arguments
from node.desk.auditing import AUDITING
from node.desk.case_files import CASE_FILES
from node.desk.casework import CASEWORK
from node.desk.drafting import DRAFTING
from node.desk.finding import FINDING
from node.desk.hooks import HOOKS
from node.desk.law import LAW
from node.desk.papers import PAPERS
from node.desk.people import PEOPLE
from node.desk.trust import TRUST
from node.desk.using import USING
from node.desk.verb import Desk, Live, Result, Verb, no_writing
from node.desk.watching import WATCHING
from node.desk.work import WORK
from node.storage import Connection
from node.storage.writer import Tx
from protocol.encoding import Json
from protocol.errors import Malformed

__all__ = ["VERBS", "Desk", "Live", "Result", "Verb", "act", "no_writing", "who"]

VERBS: Final[Mapping[str, Verb]] = {
    **CASEWORK, **CASE_FILES, **DRAFTING, **PAPERS, **AUDITING, **TRUST, **WATCHING, **PEOPLE,
    **LAW, **WORK, **HOOKS, **FINDING, **USING,
}  # fmt: skip
"""Every verb by its name; the control socket and the command line know no other."""


def who(desk: Desk, caller: Caller) -> Person:
    """Say which of our people asks, or raise `NotKnown`."""
    owner, now = os.geteuid(), desk.clock.now()
    return desk.database.read(lambda conn: identify(conn, caller, owner=owner, now=now))


def act(desk: Desk, name: str, arguments: Mapping[str, Json], *, person: Person) -> Result:
    """Run a verb by its name with JSON arguments, if this person may.

    Refuses names and arguments that there are not. Whoever reads a case is recorded before
    they are given anything of it.
    """
    verb = VERBS.get(name)
    if verb is None:
        raise Malformed("no verb is called that")
    check_role(name, verb.may, person, changes=verb.writes)
    at = replace(desk, person=person)
    args, opened = _admitted(at, verb, read_arguments(verb.takes, arguments))
    if opened:
        at.unit(lambda tx: _record_reads(tx, at.office.network, name, opened))
    if verb.two is None:
        return verb.act(at, args)
    return _act_for_two(at, name, verb, args)


def _admitted(desk: Desk, verb: Verb, args: Arguments) -> tuple[Arguments, list[AdmittedCase]]:
    """Admit to the cases and the draft that the arguments name, which then have their whole ids."""
    person, now = desk.asking, desk.clock.now()
    named = {one: getattr(args, one, None) for one in ("case", *sorted(verb.also))}
    draft = getattr(args, "draft", None)

    def admit(conn: Connection) -> tuple[dict[str, str], list[AdmittedCase]]:
        cases = {
            one: admit_case(conn, person, text, verb.reach, now)
            for one, text in named.items() if isinstance(text, str)
        }  # fmt: skip
        whole = {one: case.id for one, case in cases.items()}
        opened = list(cases.values())
        if isinstance(draft, str):
            found = admit_draft(conn, person, draft, now)
            whole["draft"] = found.draft
            opened += [] if found.case is None else [named_case(conn, found.case)]
        return whole, opened if verb.opens else []

    whole, opened = desk.database.read(admit)
    return args.model_copy(update=whole), opened


def _record_reads(tx: Tx, network: str, verb: str, opened: Sequence[AdmittedCase]) -> None:
    for case in opened:
        tx.record(CaseRead(network, tx.now, case.log_id, verb, by=tx.by))


def _act_for_two(desk: Desk, name: str, verb: Verb, args: Arguments) -> Result:
    """Do what takes two people, once the second has agreed; else ask for it and say so."""
    given = args.model_dump(mode="json")
    what = {one: given[one] for one in sorted(verb.two or ())}
    network = desk.office.network
    waits = desk.unit(lambda tx: ask_for(tx, network, name, what))
    if waits is not None:
        raise waits
    result = verb.act(desk, args)
    desk.unit(lambda tx: forget_matter(tx, name, what))
    return result
