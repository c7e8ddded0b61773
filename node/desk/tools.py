"""What the verbs of casework work with, put together for one desk.

Cheap to make: these hold no state of their own but the law, which is read once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, JsonValue

from node.cases.checks import Checks
from node.cases.drafts import Drafts
from node.cases.keeping import Keeping
from node.cases.papers import Papers
from node.cases.sending import Sending
from node.desk.arguments import spoken
from node.desk.verb import Desk
from node.evidence.manifest import Manifest, decode_manifest
from protocol.encoding import canonical
from protocol.errors import Malformed
from protocol.messages import KIND

Language = Annotated[
    str,
    Field(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="A language tag, as fr."),
]
ManifestJson = Annotated[
    dict[str, JsonValue] | None, Field(description="A manifest of evidence, as its file has it.")
]


@dataclass(frozen=True, slots=True)
class Casework:
    """The parts that draft, send, keep and record for one authority."""

    checks: Checks
    drafts: Drafts
    sending: Sending
    keeping: Keeping
    papers: Papers


def casework(desk: Desk) -> Casework:
    """Give the tools of a desk that was opened with the keys."""
    office, register, random = desk.office, desk.register, desk.random
    vault = register.vault
    checks = Checks(office, desk.law)
    drafts = Drafts(office.network, vault, register, checks, random)
    keeping = Keeping(office.network, register)
    return Casework(
        checks,
        drafts,
        Sending(drafts, register, checks),
        keeping,
        Papers(office.authority, keeping, vault, random),
    )


def read_manifest(found: ManifestJson) -> Manifest | None:
    """Read a manifest of evidence that a verb was given."""
    return None if found is None else decode_manifest(canonical(dict(spoken(found))))


def kind_word(text: str) -> str:
    """Give the code of a kind of request as it is written."""
    if KIND.fullmatch(text.lower()) is None:
        raise Malformed("a kind of request is a word like MLA_EVIDENCE")
    return text.upper()
