"""The verbs of webhooks: to where this node says that something happened.

Parses arguments and renders results; `node.api.telling` does the telling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from node.access.roles import Role
from node.audit.api_records import WebhookEnded, WebhookMade
from node.audit.faults import NotHere
from node.desk.arguments import Arguments, Nothing
from node.desk.verb import Desk, Result, Verb
from node.storage import happening_rows, webhook_rows
from node.storage.vault import Vault
from node.storage.webhook_rows import Webhook
from node.storage.writer import Tx
from node.webhooks import HookKey, hook_url, make_hook_key, open_hook_key, seal_hook_key
from protocol.digest import sha256_hex
from protocol.errors import TooLarge

_HOOKS_MAX: Final = 64
_ID_BYTES: Final = 16

HappeningKind: TypeAlias = Literal[
    "case.opened", "case.changed", "message.received", "draft.changed", "clock.due",
    "clock.overdue",
]  # fmt: skip


class AddWebhook(Arguments):
    """Send to a URL that something happened, as far as you may know of it."""

    url: Annotated[
        str, Field(max_length=512, description="https, a host, perhaps a port, and a path.")
    ]
    kinds: Annotated[
        list[HappeningKind], Field(max_length=16, description="Of what; nothing means of all.")
    ] = Field(default_factory=list)


class EndWebhook(Arguments):
    """Send nothing there any more."""

    webhook: Annotated[
        str, Field(pattern="^[0-9a-f]{32}$", description="The webhook's id, as in the list.")
    ]


def _webhook_add(desk: Desk, args: AddWebhook) -> Result:
    """Make a webhook; what its receiver verifies with is in the answer and in the list."""
    url, identity = hook_url(args.url), desk.random(_ID_BYTES).hex()
    key = make_hook_key(desk.random)
    sealed = seal_hook_key(_vault(desk), identity, key)

    def add(tx: Tx) -> Webhook:
        if len(webhook_rows.webhooks_in_use(tx.conn)) >= _HOOKS_MAX:
            raise TooLarge(f"{_HOOKS_MAX} webhooks are in use: end one first")
        _, newest = happening_rows.ends(tx.conn)
        hook = Webhook(
            identity, url, " ".join(sorted(set(args.kinds))), sealed, tx.by, tx.now,
            position=newest,
        )  # fmt: skip
        webhook_rows.insert_webhook(tx.conn, hook)
        digest = sha256_hex(url.encode("ascii"))
        tx.record(WebhookMade(desk.office.network, tx.now, identity, digest, by=tx.by))
        return hook

    return {"schema": "comity.webhook/1", **_hook(desk.unit(add), key)}


def _webhook_list(desk: Desk, _: Nothing) -> Result:
    vault = _vault(desk)
    hooks = desk.database.read(webhook_rows.list_webhooks)
    return {
        "schema": "comity.webhooks/1",
        "webhooks": [_hook(one, open_hook_key(vault, one.id, one.sealed_key)) for one in hooks],
    }


def _webhook_end(desk: Desk, args: EndWebhook) -> Result:
    def end(tx: Tx) -> Webhook:
        hook = webhook_rows.read_webhook(tx.conn, args.webhook)
        if hook is None or hook.ended_at is not None:
            raise NotHere("there is no such webhook: `comity webhook list` shows which there are")
        webhook_rows.end_webhook(tx.conn, hook.id, tx.now)
        tx.record(WebhookEnded(desk.office.network, tx.now, hook.id, by=tx.by))
        return hook

    ended = desk.unit(end)
    return {"schema": "comity.webhook-ended/1", "webhook": ended.id, "url": ended.url}


def _hook(one: Webhook, key: HookKey) -> Result:
    return {
        "webhook": one.id, "url": one.url, "kinds": [*one.kinds.split()],
        "public_key": key.public, "made": one.made_at, "ended": one.ended_at,
        "told": one.position, "failures": one.failures,
        "next_try": one.next_try_at or None,
    }  # fmt: skip


def _vault(desk: Desk) -> Vault:
    return Vault(desk.office.keys.ring.storage_key, desk.random)


_MAY: Final = frozenset({Role.OFFICER, Role.APPROVER})

HOOKS: Final[Mapping[str, Verb]] = {
    "webhook.add": Verb(_webhook_add, AddWebhook, _MAY, writes=True, needs_keys=True),
    "webhook.list": Verb(_webhook_list, may=_MAY, needs_keys=True),
    "webhook.end": Verb(_webhook_end, EndWebhook, _MAY, writes=True, needs_keys=True),
}
