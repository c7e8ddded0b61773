"""Why somebody may not; each says in one sentence what to do instead."""

from __future__ import annotations


class NotKnown(Exception):
    """Whoever asks is none of our people, or came with a key that opens nothing."""


class NotAllowed(Exception):
    """A person whom we know may not do this, or not in this case."""


class SecondPersonNeeded(Exception):
    """What was asked for waits until a second person confirms it; `matter` is its code."""

    def __init__(self, matter: str) -> None:
        """Say how it goes on."""
        super().__init__(
            f"this takes two people: another one confirms it (`comity user confirm {matter}`), "
            "then do it again"
        )
        self.matter = matter
