"""What this node records of the API: where programs are told that something happened.

As every record (`node.audit.records`), these hold random ids and digests, and never a URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from node.audit.record import NodeRecord


@dataclass(frozen=True, slots=True)
class WebhookMade(NodeRecord):
    """Happenings are sent to the URL with this digest, as far as `by` may know of them."""

    kind: ClassVar[str] = "webhook.made"

    webhook: str
    url_sha256: str


@dataclass(frozen=True, slots=True)
class WebhookEnded(NodeRecord):
    """Nothing is sent there any more."""

    kind: ClassVar[str] = "webhook.ended"

    webhook: str
