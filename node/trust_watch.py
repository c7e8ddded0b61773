"""What a person must hear about trust: rivals, resets, rows that did not come back, our name.

Looks at the directory after every change and raises each alarm once while the node runs.
It decides nothing: what may be sealed to whom is the directory's own rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

from node.office import Office
from node.storage import peer_rows
from node.storage.writer import Tx
from protocol.errors import Rejected

Trouble: TypeAlias = tuple[str, str | None, str | None, str]  # kind, authority, subject, detail


class TrustWatch:
    """Raises alarms about the trust of one office."""

    def __init__(self, office: Office) -> None:
        """Watch `office`."""
        self._office = office
        self._raised: set[Trouble] = set()

    def look(self, tx: Tx) -> None:
        """Raise whatever was not raised yet."""
        for trouble in troubles(self._office):
            if trouble not in self._raised:
                kind, authority, subject, detail = trouble
                alarm = peer_rows.Alarm(tx.now, kind, authority, subject, detail)
                peer_rows.insert_alarm(tx.conn, alarm)
                tx.after_commit(partial(self._raised.add, trouble))


def troubles(office: Office) -> Iterator[Trouble]:
    """Give what is wrong with what this office trusts, or is said to be."""
    directory = office.directory
    for fault in directory.refused:
        yield "trust-refused", None, None, fault.code
    for rival in directory.splits:
        yield "network-split", None, rival.trusted.digest, f"version {rival.trusted.version}"
    for authority in sorted(directory.resets):
        yield "keys-reset", authority, None, "compare the safety number"
    try:
        shown = directory.shown_key_ids(office.authority)
    except Rejected:
        return  # we are in no document yet
    for key_id in sorted(shown - office.held_key_ids()):
        yield "foreign-key", office.authority, key_id, "listed under our name, not held here"
