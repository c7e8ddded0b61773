"""Users, access keys, members of cases and webhooks: each as the records made it.

Whoever forges such a row gives somebody a role, a way in, or a case to read. Names and mail
addresses stand in no record: of those only that a login is the name behind its person's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.audit.fsck.deeds import Deeds, ToldUser
from node.audit.fsck.report import Notes
from node.audit.fsck.rows import Told
from node.storage import Connection, audit_case_rows
from node.storage.audit_rows import Values
from protocol.digest import sha256_hex
from protocol.encoding import canonical

_MATTER_CHARS: Final = 16
_UNKNOWN: Final = "The log has no record that made it."
_ALTERED: Final = "It is not as the log records it."
_GONE: Final = "The log records it, and it is not here."


def read_people(conn: Connection, told: Told, notes: Notes) -> None:
    """Compare our people, and what lets them in, with the records that made it so."""
    _read_users(conn, told, notes)
    _read_keys(conn, told, notes)
    _read_members(conn, told, notes)
    _read_webhooks(conn, told, notes)


def _miss(told: Told, notes: Notes, what: str, kinds: tuple[str, ...], ids: set[str]) -> None:
    """Say what the log made and is not here, unless the record of its end may be erased."""
    if not any(told.erased[kind] for kind in kinds):
        for one in sorted(ids):
            notes.false(f"{what}-missing", f"{what} {one}", _GONE)


# --- users -------------------------------------------------------------------


def _read_users(conn: Connection, told: Told, notes: Notes) -> None:
    users, kinds = told.deeds.users, ("user.asked", "user.changed", "user.reached", "user.away")
    erased = any(told.erased[kind] for kind in kinds)
    found: set[str] = set()
    for row in audit_case_rows.user_rows(conn):
        notes.count("users")
        found.add(row.person)
        place, user = f"user {row.person}", users.get(row.person)
        if row.name is None:
            notes.open("person-unknown", place, "No person stands behind its id (any more).")
        elif row.name != row.login:
            notes.false("user-altered", place, "Its login is not the name behind its id.")
        if erased:
            continue  # the record that is gone may have been the last word
        if user is None:
            notes.false("user-not-recorded", place, _UNKNOWN)
        elif not _is_told(row, user):
            notes.false("user-altered", place, _ALTERED)
    _miss(told, notes, "user", kinds, users.keys() - found)


def _is_told(row: Values, user: ToldUser) -> bool:
    said = (
        user.state, user.roles, user.uid, user.asked_by, user.asked_at, user.confirmed_by,
        user.confirmed_at, user.matter, user.mailing, *user.away,
    )  # fmt: skip
    return said == (
        row.state, row.roles, row.uid, row.asked_by, row.asked_at, row.confirmed_by,
        row.confirmed_at, _matter(row), row.mailing, row.substitute, row.away_from, row.away_until,
    )  # fmt: skip


def _matter(row: Values) -> str | None:
    """Give the code of the change that waits, which covers all of it."""
    if row.wanted is None:
        return None
    whole = canonical([row.login, row.wanted, row.asked_by, row.asked_at])
    return sha256_hex(whole)[:_MATTER_CHARS]


# --- ways in -----------------------------------------------------------------


def _read_keys(conn: Connection, told: Told, notes: Notes) -> None:
    deeds, kinds = told.deeds, ("access-key.made", "access-key.ended")
    found: set[str] = set()
    for row in audit_case_rows.key_rows(conn):
        notes.count("keys")
        found.add(row.digest)
        place, made = f"access-key {row.digest}", deeds.keys.get(row.digest)
        if made is None:
            if not told.erased["access-key.made"]:
                notes.false("access-key-not-recorded", place, _UNKNOWN)
            continue
        same = (made["person"], made["scopes"], made["by"], made["at"], made["expires"]) == (
            row.person, row.scopes, row.made_by, row.made_at, row.expires,
        )  # fmt: skip
        ended = deeds.keys_ended.get(row.digest)
        gone = ended is None and told.erased["access-key.ended"]
        if not same or (row.ended_at != ended and not gone):
            notes.false("access-key-altered", place, _ALTERED)
    _miss(told, notes, "access-key", kinds, deeds.keys.keys() - found)


def _read_members(conn: Connection, told: Told, notes: Notes) -> None:
    deeds, kinds = told.deeds, ("case.let-in", "case.let-out")
    erased = any(told.erased[kind] for kind in kinds)
    found: set[tuple[str, str]] = set()
    for row in (one for page in audit_case_rows.member_pages(conn) for one in page):
        notes.count("members")
        key = (row.log_id or "", row.person)
        found.add(key)
        place, made = f"member {row.person} of {row.case_id}", deeds.members.get(key)
        said = None if made is None else (made["level"], made["by"], made["at"])
        if said is None and not erased:
            notes.false("member-not-recorded", place, _UNKNOWN)
        elif said is not None and said != (row.level, row.added_by, row.added_at):
            notes.false("member-altered", place, _ALTERED)
    missing = {f"{person} of case {case}" for case, person in deeds.members.keys() - found}
    _miss(told, notes, "member", kinds, missing)


def _read_webhooks(conn: Connection, told: Told, notes: Notes) -> None:
    deeds, kinds = told.deeds, ("webhook.made", "webhook.ended")
    found: set[str] = set()
    for row in audit_case_rows.webhook_rows(conn):
        notes.count("webhooks")
        found.add(row.id)
        made = deeds.webhooks.get(row.id)
        if made is None:
            if not told.erased["webhook.made"]:
                notes.false("webhook-not-recorded", f"webhook {row.id}", _UNKNOWN)
        elif not _same_hook(row, made, deeds, told.erased):
            notes.false("webhook-altered", f"webhook {row.id}", _ALTERED)
    _miss(told, notes, "webhook", kinds, deeds.webhooks.keys() - found)


def _same_hook(
    row: Values, made: Mapping[str, object], deeds: Deeds, erased: Mapping[str, int]
) -> bool:
    same = (made["url_sha256"], made["by"], made["at"]) == (
        sha256_hex(row.url.encode()), row.made_by, row.made_at,
    )  # fmt: skip
    ended = deeds.webhooks_ended.get(row.id)
    gone = ended is None and bool(erased.get("webhook.ended"))
    return same and (row.ended_at == ended or gone)
