"""How many witnesses of those that the network asks for have cosigned a checkpoint.

Of n witnesses, f of which may be bad, k = floor((n + f) / 2) + 1 make a second history
impossible: any two groups of k share an honest witness. Fewer only make it visible. So what
is shown is always "witnessed by j of k", and nothing below k is called proof against a
fork. Counts offices, never lines; knows no storage and no clock.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from keys.lookups import Lookups
from protocol.checkpoint import claimed_checkpoint, cosignature_lines, verify_cosignature
from protocol.errors import Rejected
from protocol.note import NoteSignature, decode_note


@dataclass(frozen=True, slots=True)
class Quorum:
    """What the newest network document asks for one authority's log."""

    witnesses: tuple[str, ...]
    f: int
    needed: int  # k; 0 if the log has no witnesses

    @classmethod
    def of(cls, directory: Lookups, authority: str) -> Quorum:
        """Read it from the newest document; a directory without one asks for nothing."""
        if not directory.chain:
            return cls((), 0, 0)
        entry, document = directory.entry(authority), directory.document.document
        return cls(entry.witnesses, document.f, document.quorum(entry))

    def explain(self) -> str:
        """Say what the quorum is good for."""
        if not self.witnesses:
            return "The network document names no witnesses for this log: nobody watches it."
        named = f"{len(self.witnesses)} witness{'es' if len(self.witnesses) > 1 else ''}"
        return (
            f"Of {named}, {self.needed} make a second history impossible while at most "
            f"{self.f} of them are bad; fewer only make it visible."
        )


@dataclass(frozen=True, slots=True)
class Word:
    """A witness's word on a checkpoint that held: who, and when."""

    witness: str
    at: int


def words_on(raw: bytes, directory: Lookups, quorum: Quorum) -> tuple[Word, ...]:
    """Give the words of the quorum's witnesses on a checkpoint that hold, by name."""
    signatures = decode_note(raw).signatures
    words = []
    for witness in quorum.witnesses:
        with contextlib.suppress(Rejected):
            words.append(Word(witness, verified_word(raw, signatures, directory, witness)))
    return tuple(words)


def verified_word(
    raw: bytes, signatures: tuple[NoteSignature, ...], directory: Lookups, witness: str
) -> int:
    """Verify that both lines of a witness on a checkpoint are among these; gives their time.

    Raises `Rejected` if they are not there, or do not hold under its newest keys.
    """
    checkpoint = claimed_checkpoint(raw)
    name, keys = directory.witness_keys(witness)
    return verify_cosignature(checkpoint, signatures, name=name, keys=keys)


def word_of(
    raw: bytes, signatures: tuple[NoteSignature, ...], directory: Lookups, witness: str
) -> list[NoteSignature]:
    """Give the two lines of a witness on a checkpoint, verified; whatever it adds is left out."""
    verified_word(raw, signatures, directory, witness)
    name, keys = directory.witness_keys(witness)
    return cosignature_lines(signatures, name=name, keys=keys)


def said(held: int, quorum: Quorum) -> str:
    """Say how far a checkpoint is witnessed, in words that promise no more."""
    if not quorum.witnesses:
        return "no witnesses"
    return f"witnessed by {held} of {quorum.needed}"
