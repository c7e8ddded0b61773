"""The desk: every verb that a person at this authority has, by name, with its arguments.

    result = act(desk, "case.list", {})

The modules of this package hold the verbs; each says which arguments it takes, and whether
it writes or needs the private keys. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from node.desk.arguments import read_arguments
from node.desk.auditing import AUDITING
from node.desk.casework import CASEWORK
from node.desk.trust import TRUST
from node.desk.verb import Desk, Live, Result, Verb, no_writing
from node.desk.watching import WATCHING
from protocol.encoding import Json
from protocol.errors import Malformed

__all__ = ["VERBS", "Desk", "Live", "Result", "Verb", "act", "no_writing"]

VERBS: Final[Mapping[str, Verb]] = {**CASEWORK, **AUDITING, **TRUST, **WATCHING}
"""Every verb by its name; the control socket and the command line know no other."""


def act(
    desk: Desk, name: str, arguments: Mapping[str, Json], *, person: str | None = None
) -> Result:
    """Run a verb by its name with JSON arguments; refuses unknown names and arguments.

    `person` is who asked for it, and stands in what it records.
    """
    verb = VERBS.get(name)
    if verb is None:
        raise Malformed("no verb is called that")
    return verb.act(replace(desk, person=person), read_arguments(verb.takes, arguments))
