"""Recovery: get back from the peers what this node has lost, and open the next log.

    recovered = recover(settings, ring, without=())     # in a process that holds the node's lock

A log that was set back must never sign again: its peers hold what it signed before. So it
is closed at the newest state that anybody knows, by a statement under the `sign` keys, and
the next one begins. Nothing that was receipted is lost: for each message both sides keep
what was signed, and the receipt. What was gathered lies in a folder beside the database, so
that a recovery which was interrupted goes on where it was.
"""

from __future__ import annotations

from node.recovery.gather import NobodyAsked, NothingLost, PeersAway
from node.recovery.whole import Recovered, recover

__all__ = ["NobodyAsked", "NothingLost", "PeersAway", "Recovered", "recover"]
