"""A log at rest whose head a witness has cosigned, without a network.

    cosign(nodes / "fj.justice", by=nodes / "qm.justice")

The row stands where the node itself would put it once the witness has answered.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from keys.keyfile import read_key_file
from node.settings import load_settings
from protocol.checkpoint import (
    cosign as cosign_checkpoint,
)
from protocol.checkpoint import (
    decode_body,
    with_cosignatures,
    witness_name,
)
from protocol.note import decode_note
from tests.support.keyfiles import PASSPHRASE


def cosign(folder: Path, *, by: Path, at: int | None = None) -> int:
    """Let one node cosign the head of another one's log; gives its size."""
    conn = sqlite3.connect(folder / "comity.db")
    ((raw, size),) = conn.execute("SELECT checkpoint, size FROM log_head").fetchall()
    kept = conn.execute("SELECT raw FROM checkpoints WHERE log = 1 AND size = ?", (size,))
    raw = (kept.fetchone() or [raw])[0]
    settings = load_settings(by / "comity.toml")
    ed25519, ml_dsa = read_key_file(settings.keys.file, PASSPHRASE).signers("witness")
    checkpoint = decode_body(decode_note(raw).body)
    time = at or int.from_bytes(decode_note(raw).signatures[1].raw[:8], "big") + 1
    name = witness_name(settings.network, settings.authority)
    lines = cosign_checkpoint(checkpoint, name=name, ed25519=ed25519, ml_dsa=ml_dsa, now=time)
    with conn:
        conn.execute(
            "INSERT OR REPLACE INTO checkpoints (log, size, raw, witnesses, at) VALUES (1,?,?,?,?)",
            (size, with_cosignatures(raw, lines), 1, time),
        )
    conn.close()
    return int(size)
