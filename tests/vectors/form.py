"""The file of one vector: header lines, an empty line, and a body in base64.

    type: receipt
    expect: not-authentic
    comment: The recipient's log signed the checkpoint, but the record names another one.
    network: pacific
    ...

    eyJwcm9vZiI6…

Every type has a closed list of headers (`FORMS`), so that a reader that does not know one
fails instead of passing over what it should have tested. Knows nothing of what the vectors
mean: `judge` says what they give, `README.md` what they are.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from protocol.errors import REFUSALS

FOLDER: Final = Path(__file__).parent
_LINE_CHARS: Final = 76
_HEADER: Final = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*): (\S(?:.*\S)?)")
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*")

COMMON: Final = ("type", "expect", "comment")
PAIR_65: Final = ("sign-ed25519", "sign-ml-dsa-65")
LOG_KEYS: Final = ("log-ed25519", "log-ml-dsa-44")


@dataclass(frozen=True, slots=True)
class Form:
    """The headers that a type of vector has, and those it may have."""

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


FORMS: Final[Mapping[str, Form]] = {
    "json": Form(may=("bytes-max",)),
    "base64": Form(may=("value",)),
    "key-id": Form(("purpose", "algorithm"), ("value",)),
    "signature": Form(("algorithm", "key", "signature")),
    "identity": Form(("kind", "value")),
    "statement": Form(("kind",), ("identity",)),
    "message-text": Form(may=("identity",)),
    "padding": Form(("length", "value")),
    "envelope": Form(
        ("network", "recipient", "now", "seal-x-wing", *PAIR_65),
        ("brought-by", "suite-min", "identity", "digest", "text-sha256", "file-keys"),
    ),
    "entry": Form(("salt", "value")),
    "record": Form(may=("kind",)),
    "inclusion": Form(("leaf", "index", "size", "root")),
    "consistency": Form(("old-size", "old-root", "new-size", "new-root")),
    "checkpoint": Form(("origin", *LOG_KEYS), ("size", "root", "time", "lines")),
    "cosignature": Form(
        ("origin", *LOG_KEYS, "witness", "witness-ed25519", "witness-ml-dsa-44"), ("time",)
    ),
    "continuation": Form(("origin", *LOG_KEYS), ("size", "root", "links")),
    "fork": Form(("origin", *LOG_KEYS), ("first-size", "second-size")),
    "closure": Form(("document", *PAIR_65), ("digest", "size", "next")),
    "policy": Form(may=("logs", "witnesses", "groups", "quorum")),
    "add-checkpoint": Form(may=("origin", "old-size", "size", "hashes")),
    "cosignatures": Form(may=("lines", "marks")),
    "receipt": Form(
        ("network", "issuer", "origin", *LOG_KEYS, "sender", "message", "envelope"),
        ("kind", "index", "size", "order", "code"),
    ),
    "receipt-file": Form(may=("base", "document", "kind", "origin", "index", "size")),
    "bundle": Form(may=("base", "at", "cut", "document", "numbers", "witnessed", "forked")),
    "network": Form(may=("trusted", "rivals", "digest")),
    "network-text": Form(),
    "listing": Form(("document",), ("digest",)),
    "listing-text": Form(),
    "revocation": Form(("document", "by"), PAIR_65),
    "fingerprint": Form(("value", "digits")),
    "safety-number": Form(("value", "digits")),
    "batch": Form(may=("answers", "envelopes")),
    "lifecycle": Form(("words", "standing")),
    "hop-request": Form(("method", "target", "urls", "now", "hop-ed25519")),
    "hop-response": Form(
        ("status", "now", "hop-ed25519", "method", "target", "request-digest",
         "request-signature")
    ),
}  # fmt: skip
"""Every type of vector with its headers."""


class BadVector(Exception):
    """A file is not in the one form of a vector."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One vector; `name` is its path below the folder, without the ending."""

    name: str
    expect: str
    comment: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what has no encoding as a file, or a header that its type does not have."""
        form = FORMS.get(self.type)
        if form is None or _NAME.fullmatch(self.name) is None:
            raise BadVector(f"{self.name}: no such type of vector, or a bad name")
        if self.expect != "ok" and self.expect not in REFUSALS:
            raise BadVector(f"{self.name}: expect is neither ok nor a refusal code")
        unknown = set(self.headers) - {*form.needs, *form.may}
        missing = set(form.needs) - set(self.headers)
        if unknown or missing:
            raise BadVector(f"{self.name}: unknown {sorted(unknown)}, missing {sorted(missing)}")

    @property
    def type(self) -> str:
        """The type is the folder."""
        return self.name.partition("/")[0]

    def path(self, folder: Path = FOLDER) -> Path:
        """Where the vector stands."""
        return folder / f"{self.name}.txt"

    def encode(self) -> str:
        """Give the text of the file."""
        headers = {"type": self.type, "expect": self.expect, "comment": self.comment}
        lines = [f"{name}: {value}" for name, value in {**headers, **self.headers}.items()]
        body = base64.b64encode(self.body).decode()
        rows = [body[at : at + _LINE_CHARS] for at in range(0, len(body), _LINE_CHARS)]
        return "\n".join((*lines, "", *rows)) + "\n"


def parse(name: str, text: str) -> Vector:
    """Read the text of a file; anything out of its one form is `BadVector`."""
    head, parting, body = text.partition("\n\n")
    if not parting:
        raise BadVector(f"{name}: no empty line")
    headers: dict[str, str] = {}
    for line in head.split("\n"):
        match = _HEADER.fullmatch(line)
        if match is None or match[1] in headers:
            raise BadVector(f"{name}: {line!r} is not a header, or stands twice")
        headers[match[1]] = match[2]
    try:
        kind, expect, comment = (headers.pop(common) for common in COMMON)
        raw = base64.b64decode(body.replace("\n", ""), validate=True)
    except (KeyError, ValueError) as fault:
        raise BadVector(f"{name}: no type, expect or comment, or no base64") from fault
    vector = Vector(name, expect, comment, raw, headers)
    if vector.type != kind or vector.encode() != text:
        raise BadVector(f"{name}: not in its one form")
    return vector


def read(name: str, folder: Path = FOLDER) -> Vector:
    """Read one committed vector by its name."""
    return parse(name, (folder / f"{name}.txt").read_text(encoding="utf-8"))


def names(folder: Path = FOLDER) -> Iterator[str]:
    """Give the names of all committed vectors, sorted."""
    for path in sorted(folder.glob("*/*.txt")):
        yield path.relative_to(folder).with_suffix("").as_posix()
