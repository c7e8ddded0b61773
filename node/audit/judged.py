"""How a file is judged, and the sentences that all kinds of files share.

A verdict, what is proved, what is not, and the same for machines. `Asked` is what the
reader brings along: a fingerprint, or a policy, or nothing. Opens no file, knows no kind
of file and verifies nothing but that two fingerprints are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from cryptography.x509 import Certificate

from keys.fingerprint import DIGITS, document_fingerprint
from protocol.closure import Closure
from protocol.encoding import HEX64, Json
from protocol.errors import Misuse
from protocol.network import TrustedDocument
from protocol.policy import Policy
from protocol.record import Decision
from protocol.summary import show_time

OTHER_DOCUMENT: Final = "It rests on another network document than the one you trust."


class Verdict(Enum):
    """What a file comes to."""

    TRUE = "true"
    FALSE = "false"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome for one file; `fields` hold the same for machines.

    `alarms` are proved, too, and stand before everything else.
    """

    conclusion: Verdict
    kind: str | None
    statements: tuple[str, ...] = ()
    not_proved: tuple[str, ...] = ()
    fields: Mapping[str, Json] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader trusts: a document by the bare digits of its fingerprint, or a policy.

    And whom the reader trusts to say what time it was, by the roots of their certificates.
    """

    fingerprint: str | None = None
    policy: Policy | None = None
    tsa_roots: tuple[Certificate, ...] = ()


def bare_fingerprint(text: str) -> str:
    """Give a fingerprint of 60 digits or 64 hex digits as its bare digits."""
    bare = re.sub(r"\s", "", text)
    if HEX64.fullmatch(bare):
        return document_fingerprint(bare).digits.replace(" ", "")
    if re.fullmatch(rf"[0-9]{{{DIGITS}}}", bare):
        return bare
    raise Misuse(f"a fingerprint is {DIGITS} digits, or 64 lower-case hex digits")


def under(documents: Iterable[TrustedDocument], trusted: str | None) -> tuple[list[str], bool]:
    """Say under which documents all holds, and whether one is the trusted one."""
    shown = [(one, document_fingerprint(one.digest).digits) for one in documents]
    sentences = [
        f"Network document: {one.document.network} version {one.version}, fingerprint {digits}."
        for one, digits in shown
    ]
    return sentences, trusted is None or trusted in {one.replace(" ", "") for _, one in shown}


def told(decision: Decision) -> str:
    """Say what a decision means."""
    if decision.kind == "message.accepted":
        order = "" if decision.order is None else f" as number {decision.order} of its case"
        done = f"accepted{order}"
    else:
        done = f"finally refused ({decision.code})"
    return (
        f"{decision.recipient} {done} the message {decision.identity} from {decision.sender}"
        f" at {show_time(decision.at)}."
    )


def told_end(closure: Closure) -> str:
    """Say that a log was closed, and which one goes on."""
    why = "its state was lost" if closure.reason == "lost-state" else "it got new keys"
    return (
        f"The log {closure.origin} was closed with {closure.size} entries at"
        f" {show_time(closure.created)}, because {why}; {closure.next_origin} goes on for it."
    )


def end_fields(closure: Closure) -> Json:
    """Give what a closure says, for machines."""
    return {
        "origin": closure.origin, "size": closure.size, "reason": closure.reason,
        "created": closure.created, "next": closure.next_origin,
    }  # fmt: skip


def decision_fields(decision: Decision) -> dict[str, Json]:
    """Give a decision for machines."""
    return {
        "decision": decision.kind, "network": decision.network, "message": decision.identity,
        "envelope": decision.envelope, "from": decision.sender, "to": decision.recipient,
        "at": decision.at, "order": decision.order, "code": decision.code,
    }  # fmt: skip
