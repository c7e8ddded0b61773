"""What every record of this node's log has; the kinds stand in the modules beside this one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from protocol.encoding import Json
from protocol.record import encode_record


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """What every record has: its kind, the network, the time in Unix seconds, and who acted.

    `by` is the random id of a person of this authority, None where the node acted by itself.
    """

    kind: ClassVar[str]

    network: str
    at: int
    by: str | None = field(default=None, kw_only=True)

    def encode(self) -> bytes:
        """Give the canonical bytes of the record."""
        # `network` and `kind` stand among the fields and are written once, by `encode_record`.
        values: dict[str, Json] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return encode_record(self.network, self.kind, values)
