"""Everything that somebody with private keys of his own, and time, may do to a bundle.

for attack in attacks():
    raw = attack.make(base)              # a file that says something else, well made
    attack.outcome                       # FALSE, or UNDECIDED: never true

Whoever alters a bundle makes it whole again: container, counts, order and summary are as
they must be, unless the attack is on these. `base` is a told story with its parts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from keys.pairs import SignerPair
from protocol.bundle import Entry, encode_container
from protocol.continuation import decode_continuation
from protocol.dsse import sign
from protocol.encoding import canonical, from_base64
from protocol.messages import MESSAGE_TYPE
from protocol.proof import decode_proof
from protocol.receipt import Receipt, decode_receipt
from tests.support.bundles import FIJI, QUMRAN, TONGA, Parts, Story, told
from tests.support.forge import changed
from tests.support.trust import Trust, make_trust

FALSE, UNDECIDED = "false", "undecided"
LAST: Final = -1


@dataclass(frozen=True, slots=True)
class Base:
    """A good bundle: the story that it tells, and what others could have told."""

    story: Story
    raw: bytes
    stranger: Story  # the same names, other stewards and other keys

    @property
    def trust(self) -> Trust:
        """The keys of everybody."""
        return self.story.trust

    def parts(self) -> Parts:
        """Give the parts to change."""
        return {folder: list(found) for folder, found in self.story.parts.items()}

    def entries(self) -> list[Entry]:
        """Give the entries to change."""
        return list(self.story.bundle().entries())


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to alter a bundle, and what it must come to."""

    name: str
    comment: str
    outcome: str
    make: Callable[[Base], bytes]


_MADE: list[Attack] = []


def attacks() -> Sequence[Attack]:
    """Give all of them."""
    return tuple(_MADE)


@cache
def base(quorum: int) -> Base:
    """Make a base whose logs ask for one witness, or for three."""
    names = (FIJI, QUMRAN) if quorum == 1 else (FIJI, QUMRAN, TONGA, "vu.justice", "ws.justice")
    story = told(make_trust(names, stewards=1, threshold=1))
    stranger = told(make_trust(names, stewards=1, threshold=1, seeds="other "))
    return Base(story, story.bundle().encode(), stranger)


def on_parts(
    name: str, comment: str, outcome: str = FALSE
) -> Callable[[Callable[[Base, Parts], None]], None]:
    """Register a change of parts, of which a whole bundle is made again."""

    def register(change: Callable[[Base, Parts], None]) -> None:
        def make(base: Base) -> bytes:
            parts = base.parts()
            change(base, parts)
            return base.story.bundle(parts).encode()

        _MADE.append(Attack(name, comment, outcome, make))

    return register


def on_entries(
    name: str, comment: str, outcome: str = FALSE
) -> Callable[[Callable[[Base, list[Entry]], None]], None]:
    """Register a change of entries, which are packed as they are."""

    def register(change: Callable[[Base, list[Entry]], None]) -> None:
        def make(base: Base) -> bytes:
            entries = base.entries()
            change(base, entries)
            return encode_container(entries)

        _MADE.append(Attack(name, comment, outcome, make))

    return register


def on_bytes(name: str, comment: str) -> Callable[[Callable[[bytes], bytes]], None]:
    """Register a change of the file's bytes."""

    def register(change: Callable[[bytes], bytes]) -> None:
        _MADE.append(Attack(name, comment, FALSE, lambda base: change(base.raw)))

    return register


def resigned(raw: bytes, pair: SignerPair, **changes: Any) -> bytes:  # noqa: ANN401  (fields by name)
    """Change a message and sign it as its sender."""
    text = changed(from_base64(json.loads(raw)["payload"]), **changes)
    return sign(MESSAGE_TYPE, text, pair).encode()


def text_of(raw: bytes) -> dict[str, Any]:
    """Give the text of a statement."""
    found: dict[str, Any] = json.loads(from_base64(json.loads(raw)["payload"]))
    return found


def opened(raw: bytes) -> tuple[Receipt, dict[str, Any]]:
    """Give a receipt and its record."""
    receipt = decode_receipt(raw)
    return receipt, json.loads(receipt.record)


def insert(entries: list[Entry], folder: str, after: int, raw: bytes) -> None:
    """Put a part behind the one of a number, count it, and number the folder again."""
    mine = [place for place, (name, _) in enumerate(entries) if name.startswith(f"{folder}/")]
    entries.insert(mine[after - 1] + 1, ("", raw))
    for number, place in enumerate(range(mine[0], mine[0] + len(mine) + 1), 1):
        entries[place] = (f"{folder}/{number:04d}.json", entries[place][1])
    old, new = (f'"{folder}":{count}'.encode() for count in (len(mine), len(mine) + 1))
    entries[0] = (entries[0][0], entries[0][1].replace(old, new))


def said(base: Base, authority: str, record: dict[str, Any]) -> bytes:
    """Let an authority that lies log a record truly, in a copy of its log that nobody saw."""
    told_by = base.story.books[authority]
    book = replace(told_by, tiles=type(told_by.tiles)(), records=[], signed={})
    for one, _ in told_by.records:
        book.append(one)
    book.append(canonical(record))
    return book.prove(len(book.records) - 1)


def drop_heads(parts: Parts) -> None:
    """Leave out all heads: nothing is witnessed then."""
    parts["heads"] = []


def relink(parts: Parts) -> None:
    """Leave only links on which something still rests, as an attacker would."""
    resting: set[tuple[str, int]] = set()
    for raw in (*parts["receipts"], *parts["records"]):
        lines = decode_proof(decode_receipt(raw).proof).checkpoint_raw.decode().split("\n")
        resting.add((lines[0], int(lines[1])))
    for place, raw in enumerate(parts["heads"]):
        head = decode_continuation(raw)
        origin = head.checkpoint_raw.decode().split("\n")[0]
        links = tuple(link for link in head.links if (origin, link.size) in resting)
        parts["heads"][place] = replace(head, links=links).encode()
