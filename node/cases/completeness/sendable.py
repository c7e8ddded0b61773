"""Whether a message can carry a body at all, and which of its texts mislead a reader.

The protocol carries whole numbers of 0 or more, texts, yes and no, lists and objects whose
keys are ASCII, not nested without end (SPEC 1.1). What it cannot carry blocks here, with a
sentence for a person; texts are kept exactly and only warned about. Knows no law.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.cases.completeness.characters import SENTENCES, doubts
from node.cases.completeness.places import Body, members, shown_key
from node.cases.completeness.report import PRACTICE, PRODUCT_DEFAULT, Finding, Note
from protocol.limits import INTEGER_MAX, JSON_DEPTH_MAX

_BELOW_MESSAGE: Final = 4
"""How many levels the message and the draft around it need for themselves."""


def check_texts(body: Body, note: Note) -> None:
    """Note what cannot be sent, and what would be read otherwise than it was written."""
    waiting: list[tuple[str, object, int]] = [("", body, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if isinstance(value, str):
            if not (value.isascii() and value.isprintable()):
                _check_text(path, value, note)
            continue
        if value is None or isinstance(value, bool):
            continue
        if depth > JSON_DEPTH_MAX - _BELOW_MESSAGE:
            sentence = "Fields are nested too deeply to be sent: write this in simpler parts."
            note(Finding(path, "blocks", PRODUCT_DEFAULT, sentence, "too-deep"))
        elif isinstance(value, (dict, Mapping)):
            if not all(isinstance(key, str) and key.isascii() for key in value):
                sentence = "Names of fields are in ASCII letters: rename the field."
                note(Finding(path or "?", "blocks", PRODUCT_DEFAULT, sentence, "not-sendable"))
            waiting += [
                (f"{path}.{shown_key(key)}" if path else shown_key(key), one, depth + 1)
                for key, one in value.items()
            ]
        elif isinstance(value, (list, tuple)):
            waiting += [
                (f"{path}[{number}]", one, depth + 1) for number, one in enumerate(members(value))
            ]
        elif not isinstance(value, int) or not 0 <= value <= INTEGER_MAX:
            sentence = "Only whole numbers of 0 or more are sent as numbers: write this as text."
            note(Finding(path, "blocks", PRODUCT_DEFAULT, sentence, "not-sendable"))


def _check_text(path: str, value: str, note: Note) -> None:
    for code in doubts(value):
        if code == "surrogate":
            note(Finding(path, "blocks", PRODUCT_DEFAULT, SENTENCES[code], code))
        else:
            note(Finding(path, "warns", PRACTICE, SENTENCES[code], code))
