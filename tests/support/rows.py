"""Valid rows, one change away from whatever a test wants.

conn.execute(insert(messages), message_row(seq=2))
"""

from __future__ import annotations

IDENTITY = "1d" * 32
DIGEST = "d1" * 32
KEY_ID = "4e" * 32
CASE_ID = "qm.justice/" + "ca" * 16


def setting_row(name: str = "a name", value: str = "a value") -> dict[str, object]:
    """Give a row of `settings_kept`, the simplest table."""
    return {"name": name, "value": value}


def entry_row(position: int = 0, **changed: object) -> dict[str, object]:
    """Give a row of `log_entries`."""
    row: dict[str, object] = {
        "log": 1,
        "position": position,
        "commitment": bytes(32),
        "kind": "message.sent",
        "at": 1_800_000_000,
        "record": b"{}",
        "salt": bytes(32),
    }
    return row | changed


def case_row(**changed: object) -> dict[str, object]:
    """Give a row of `cases` in which nothing has happened yet."""
    row: dict[str, object] = {
        "id": CASE_ID,
        "side": "requesting",
        "peer": "xr.justice",
        "request_kind": "mla",
        "state": "draft",
        "opened_at": 1_800_000_000,
        "changed_at": 1_800_000_000,
        "log_id": "10" * 16,
        "wrapped_key": bytes(72),
        "sent_seq": 0,
        "accepted_seq": 0,
        "order_last": 0,
    }
    return row | changed


def message_row(**changed: object) -> dict[str, object]:
    """Give a row of `messages`, sent and waiting, in the case of `case_row`."""
    row: dict[str, object] = {
        "identity": IDENTITY,
        "case_id": CASE_ID,
        "direction": "out",
        "seq": 1,
        "kind": "transmit",
        "created": 1_800_000_000,
        "expires": 1_800_086_400,
        "epoch": 1,
        "state": "queued",
        "changed_at": 1_800_000_000,
        "sealed_text": b"sealed",
    }
    return row | changed


def outbox_row(**changed: object) -> dict[str, object]:
    """Give a row of `outbox` for the message of `message_row`."""
    row: dict[str, object] = {
        "peer": "xr.justice",
        "identity": IDENTITY,
        "digest": DIGEST,
        "key_id": KEY_ID,
        "envelope": b"COMITY-1",
        "queued_at": 1_800_000_000,
        "expires": 1_800_086_400,
        "attempts": 0,
    }
    return row | changed
