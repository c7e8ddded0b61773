"""The database, the log's guard, the clock's floor, what waits and what alarms. Reads only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from node.audit.guard import FileGuard, guarded_checkpoint
from node.clock import Clock
from node.doctor.check import Check, day, failed, ok, warning
from node.own_log import kept_reason
from node.storage import Connection, audit_rows, health_rows, peer_rows
from node.storage.audit_rows import RowsUnreadable
from node.storage.engine import Database, StorageFailed
from node.storage.migrate import SchemaNewer, schema_state
from protocol.checkpoint import Checkpoint, number_of
from protocol.errors import Rejected

CLOCK_FLOOR: Final = "clock_floor"  # as `node.app` keeps it
ALARMS_LOOKED_AT: Final = "alarms_looked_at"
_SQLITE_WHOLE: Final = (3, 51, 3)  # earlier ones can corrupt a log that two connections checkpoint
_BEHIND_S_MAX: Final = 5

_RESTORE: Final = (
    "Start no other copy, and delete nothing. `comity audit recover` fetches from the peers what"
    ' was lost; first read deploy/RUNBOOK.md, "A restored database".'
)
_NO_GUARD: Final = (
    "Move it back if it was moved; never put one back from a backup, and make none: "
    'deploy/RUNBOOK.md, "A restored database".'
)


def check_database(database: Database) -> list[Check]:
    """Look at the database: there, safe to rely on, and with the tables of this release."""
    try:
        version = database.version()
        state = schema_state(database)
    except SchemaNewer as fault:
        return [failed("database", f"{fault}.", "Run the newer release of Comity here.")]
    except StorageFailed as fault:
        return [failed("database", f"{fault}.", _ADVICE[fault.reason])]
    if state.current is None:
        advice = "Check [database] url; `comity init` makes a new node."
        return [failed("database", f"{version} has no tables of Comity.", advice)]
    if state.pending:
        sentence = f"{version} answers; its tables are older than this release."
        return [warning("database", sentence, "Start the node: it brings them up to date.")]
    found = [ok("database", f"{version} answers, and its tables are of this release.")]
    if database.dialect == "sqlite":
        found.append(check_sqlite(version))
    else:
        found.append(_check_standbys(database))
    return found


_ADVICE: Final = {
    "refused": "Check [database] url and the server's settings as the sentence says.",
    "full": "Make room on its disk.",
    "busy": "Look for what else uses it; then try again.",
    "lost": "Check that the file or the server is there, and [database] url.",
    "broken": "Check the disk. Restore the newest backup, and compare it with the guard.",
}


def check_sqlite(version: str) -> Check:
    """Say what an older SQLite means here; `version` is as the database gives it."""
    numbers = tuple(int(part) for part in re.findall(r"[0-9]+", version)[:3])
    if numbers >= _SQLITE_WHOLE:
        return ok("sqlite", f"{version} has no fault that is known to matter here.")
    sentence = (
        f"{version} is older than 3.51.3, which can corrupt a file that two connections"
        " checkpoint; a node has one that does, so it is safe while no other program writes."
    )
    return ok("sqlite", sentence)


def _check_standbys(database: Database) -> Check:
    try:
        late = database.read(health_rows.late_standbys)
    except StorageFailed as fault:
        return failed("standbys", f"{fault}.", _ADVICE[fault.reason])
    if late:
        sentence = f"Standbys follow later than the server confirms: {', '.join(late)}."
        advice = "Make every standby that may be promoted synchronous, or never promote it."
        return failed("standbys", sentence, advice)
    return ok("standbys", "What the server confirms is on its disk, and no standby lags.")


def check_clock(conn: Connection, clock: Clock, created: int) -> Check:
    """Compare the machine's clock with the floor: what this node and the stewards have seen."""
    machine = clock.now() - clock.behind_s()
    kept = int(peer_rows.read_setting(conn, CLOCK_FLOOR) or 0)
    behind = max(kept, created, clock.floor) - machine
    if behind > _BEHIND_S_MAX:
        sentence = f"This machine's clock is at least {behind:,} seconds behind."
        return failed("clock", sentence, "Set the clock, and keep it set (chrony, timesyncd).")
    return ok("clock", "This machine's clock is not behind anything that was seen before.")


def check_guard(conn: Connection, path: Path, log_prefix: str) -> Check:
    """Compare the guard with the head of the log, as start-up does before it signs."""
    name = "guard"
    try:
        heads = {row.origin: row for row in audit_rows.read_heads(conn)}
    except RowsUnreadable as fault:
        return failed(name, f"{fault}.", _ADVICE["broken"])
    own = [one for one in heads if one.startswith(log_prefix)]
    head = heads.get(max(own, key=number_of, default=""))
    if head is None:
        return failed(name, "The database holds no log of this authority.", _RESTORE)
    if reason := kept_reason(conn, origin=head.origin):
        return failed(name, f"The log signs nothing: {reason}.", _RESTORE)
    try:
        held = FileGuard(path).read()
    except Rejected as fault:
        return failed(name, f"{path} is damaged: {fault.detail}.", _NO_GUARD)
    if held is None:
        sentence = f"{path} is absent: the node signs nothing."
        return failed(name, sentence, _NO_GUARD)
    if held.torn and held.checkpoint == bytes(head.checkpoint):
        sentence = f"{path} is damaged: it has lost a state newer than the database."
        return failed(name, sentence, _RESTORE)
    return _compare(guarded_checkpoint(held.checkpoint), head.origin, head.size, bytes(head.root))


def _compare(guarded: Checkpoint, origin: str, size: int, root: bytes) -> Check:
    if guarded.origin != origin:
        sentence = f"The guard is of the log {guarded.origin}, the database of {origin}."
        return failed("guard", sentence, _RESTORE)
    if guarded.size > size:
        sentence = (
            f"The database ends at {size} entries and {guarded.size} were signed: it was"
            " restored or copied."
        )
        return failed("guard", sentence, _RESTORE)
    if guarded.size == size and guarded.root != root:
        return failed("guard", "Database and guard are of two histories.", _RESTORE)
    if guarded.size < size:
        sentence = f"The guard is at {guarded.size} of {size} entries."
        return warning("guard", sentence, "Start the node: it compares them and goes on.")
    return ok("guard", f"Guard and log agree at {size} entries.")


def check_alarms(conn: Connection) -> Check:
    """Look for alarms that nobody has looked at."""
    looked_at = int(peer_rows.read_setting(conn, ALARMS_LOOKED_AT) or 0)
    count, newest = health_rows.alarms_after(conn, looked_at)
    if newest is None:
        return ok("alarms", "No alarm waits to be looked at.")
    sentence = f"{count} alarms; the newest, of {day(newest[0])}, is {newest[1]}."
    return warning("alarms", sentence, "Look at them: `comity outbox` lists the newest.")


def check_queue(conn: Connection) -> Check:
    """Look for messages that are said to wait and stand in no queue."""
    stranded = health_rows.count_stranded(conn)
    if stranded:
        sentence = f"{stranded} messages are shown as queued and stand in no queue."
        return failed("queue", sentence, "Somebody changed the database: `comity audit verify`.")
    return ok("queue", "Every message that waits stands in its peer's queue.")
