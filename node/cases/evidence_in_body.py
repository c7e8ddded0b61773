"""How a manifest of evidence stands in a message's body, both ways.

    "evidence": {"items": 2, "sha256": "…", "manifest": {"v": 1, "items": […]}}

The message signs the manifest's digest and its number of items beside the manifest itself,
so a manifest that one day travels as a file of its own changes nothing in what was signed.
Knows nothing of files: what is hashed and compared is `node.evidence`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.evidence.manifest import Manifest, decode_manifest
from protocol.encoding import Fields, Json, canonical, decode
from protocol.errors import Malformed, TooLarge
from protocol.limits import MANIFEST_INLINE_BYTES_MAX

FIELD: Final = "evidence"


def with_manifest(body: Mapping[str, Json], manifest: Manifest) -> dict[str, Json]:
    """Give the body with the manifest in it; `TooLarge` if it does not fit a message."""
    raw = manifest.encode()
    if len(raw) > MANIFEST_INLINE_BYTES_MAX:
        raise TooLarge(
            f"a manifest of {len(raw)} bytes; {MANIFEST_INLINE_BYTES_MAX} fit a message: "
            "put the files into one archive, or send them in several messages"
        )
    evidence: dict[str, Json] = {
        "items": len(manifest.items),
        "sha256": manifest.digest,
        "manifest": decode(raw, bytes_max=MANIFEST_INLINE_BYTES_MAX),
    }
    return {**body, FIELD: evidence}


def manifest_in(body: Mapping[str, Json]) -> Manifest | None:
    """Give the manifest that a body carries, or None if it carries none.

    Raises `Malformed` if it is not what the body itself says of it.
    """
    if FIELD not in body:
        return None
    fields = Fields(body[FIELD], "evidence")
    items, digest = fields.integer("items"), fields.digest("sha256")
    manifest = decode_manifest(canonical(fields.object("manifest")))
    fields.done()
    if (len(manifest.items), manifest.digest) != (items, digest):
        raise Malformed("a manifest that is not the one the message signs for")
    return manifest
