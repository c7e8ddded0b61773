"""What stands in a draft, and how it is sealed in its row.

The text of a draft has a key of its own, as a case has; what is sealed is bound to the
draft's id and version, so that no row can be given the text of another or of an earlier one.
Its digest covers the text with a salt, and to whom and as what it would go: that is what an
approval stands for, and what the log holds of it. Knows no state and no person's rights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from node.evidence.manifest import Manifest, decode_manifest
from node.storage.draft_rows import StoredDraft
from node.storage.vault import Vault
from protocol.digest import sha256_hex
from protocol.encoding import Fields, Json, canonical, decode, to_base64
from protocol.limits import MANIFEST_FILE_BYTES_MAX, MESSAGE_TEXT_BYTES_MAX

SALT_BYTES: Final = 32
NOTES_MAX: Final = 200
NOTE_CHARS_MAX: Final = 20_000
_TEXT_BYTES_MAX: Final = MESSAGE_TEXT_BYTES_MAX + 4 * MANIFEST_FILE_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Note:
    """Why somebody gave a draft back or cancelled it; of which version."""

    by: str
    at: int
    version: int
    step: str
    text: str = field(repr=False)

    def to_json(self) -> dict[str, Json]:
        """Give it as it is sealed and shown; `by` is a person's id."""
        return {
            "by": self.by, "at": self.at, "version": self.version, "step": self.step,
            "text": self.text,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """The text of one version of a draft."""

    body: Mapping[str, Json] = field(repr=False)
    manifest: Manifest | None = field(repr=False)
    salt: bytes = field(repr=False)
    notes: tuple[Note, ...] = field(default=(), repr=False)

    def digest(self, draft: StoredDraft) -> str:
        """Give the salted digest of this text and of what it would be sent as."""
        said: dict[str, Json] = {
            **self._text(),
            "to": draft.peer,
            "event": draft.event,
            "case": draft.case_id,
            "request_kind": draft.request_kind,
        }
        return sha256_hex(canonical(said))

    def seal(self, vault: Vault, draft: str, version: int, wrapped: bytes) -> bytes:
        """Seal the text with its notes under the draft's key."""
        notes: list[Json] = [one.to_json() for one in self.notes]
        raw = canonical({**self._text(), "notes": notes})
        return vault.seal(draft, wrapped, _name(draft, version), raw)

    def _text(self) -> dict[str, Json]:
        manifest: Json = None
        if self.manifest is not None:
            manifest = decode(self.manifest.encode(), bytes_max=MANIFEST_FILE_BYTES_MAX)
        return {"body": dict(self.body), "manifest": manifest, "salt": to_base64(self.salt)}


def open_written(vault: Vault, draft: StoredDraft) -> Written:
    """Open the text of a draft; raises `NotAuthentic` if the row was altered."""
    name = _name(draft.id, draft.version)
    raw = vault.open(draft.id, draft.wrapped_key, name, draft.sealed_text)
    fields = Fields(decode(raw, bytes_max=_TEXT_BYTES_MAX), "draft")
    manifest = fields.take("manifest")
    return Written(
        fields.object("body"),
        None if manifest is None else decode_manifest(canonical(manifest)),
        fields.base64("salt", bytes_max=SALT_BYTES),
        tuple(_note(one) for one in fields.items("notes", count_max=NOTES_MAX)),
    )


def _note(value: Json) -> Note:
    fields = Fields(value, "note")
    return Note(
        fields.text("by"), fields.integer("at"), fields.integer("version"), fields.text("step"),
        fields.text("text", chars_max=NOTE_CHARS_MAX),
    )  # fmt: skip


def _name(draft: str, version: int) -> str:
    return f"{draft}:{version}"
