"""What a person may ask of the log and cannot get; each says why in one sentence."""

from __future__ import annotations


class NotHere(Exception):
    """What was asked for is not in this log, or means several things in it."""


class NotErasable(Exception):
    """A record or a case must stay, for now or for good."""
