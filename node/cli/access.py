"""How a command reaches a node's verbs: through the one that runs, or by itself.

    answer = ask(call, "case.list", {})

If a node runs, the verb runs in it. If none does, a writing verb takes the node's lock and
opens the node here; a reading one opens the database for reading, and the key file only
where the verb cannot do without. The passphrase comes from a file, from systemd, or from
the person; never from an argument. Knows no command and shows nothing.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from node.ask import NoNode, Told, ask_node
from node.cli.call import SOCKET_VARIABLE, Call, Failed, failed
from protocol.encoding import Json

if TYPE_CHECKING:
    from keys.ring import KeyRing
    from node.desk import Desk
    from node.settings import Settings

_STARTING_S_MAX: Final = 10.0
_LOOK_AGAIN_S: Final = 0.1


def settings_of(call: Call, overrides: Mapping[str, object] | None = None) -> Settings:
    """Read the settings of the node that the command is about."""
    from node.settings import load_settings

    return load_settings(call.config_file(), overrides)


def ask(
    call: Call, verb: str, arguments: Mapping[str, Json], *,
    passphrase_file: Path | None = None, passphrase: bytes | None = None,
) -> dict[str, Json]:  # fmt: skip
    """Run a verb of the desk for this node, wherever it can run; give its result.

    A passphrase that the command has asked for already is not asked for again.
    """
    key, socket = _key(call), call.socket()
    if socket is not None:
        return _ask_at(socket, verb, arguments, key)
    settings = settings_of(call)
    with contextlib.suppress(NoNode):
        return _ask_running(settings, verb, arguments, key)

    def opened() -> KeyRing:
        return open_ring(settings, passphrase_file, passphrase)

    return _act_here(_Asked(settings, verb, arguments, key), opened)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A verb that is to run in this process, and the access key of who asks."""

    settings: Settings
    verb: str
    arguments: Mapping[str, Json]
    key: str | None

    def act(self, desk: Desk) -> dict[str, Json]:
        """Run it, as the person whom the control socket would take this process for."""
        from node.access.people import Caller
        from node.desk import act, who

        caller = Caller(uid=os.geteuid(), key=self.key)
        return act(desk, self.verb, self.arguments, person=who(desk, caller))


def _key(call: Call) -> str | None:
    """Read the access key of whoever types this, if they name one."""
    file = call.key_file()
    if file is None:
        return None
    from keys.keyfile import read_access_key

    return read_access_key(file)


def _ask_at(
    socket: Path, verb: str, arguments: Mapping[str, Json], key: str | None
) -> dict[str, Json]:
    """Run a verb in the node at a socket that was named, and nowhere else."""
    try:
        return ask_node(socket, verb, arguments, key=key)
    except Told as told:
        raise Failed(told.fault) from None
    except NoNode:
        raise failed(
            "no-node", f"No node answers at the socket that {SOCKET_VARIABLE} names: does it run?"
        ) from None


def _act_here(asked: _Asked, opened: Callable[[], KeyRing]) -> dict[str, Json]:
    from node.desk import VERBS
    from node.logs import configure

    configure("error", "console")  # the command says by itself what happened
    verb = VERBS[asked.verb]
    if not verb.needs_writer:
        from node.reading import open_desk_for_reading

        ring = opened() if verb.needs_keys else None
        with open_desk_for_reading(asked.settings, ring) as desk:
            return asked.act(desk)
    return _write_here(asked, opened())


def _write_here(asked: _Asked, ring: KeyRing) -> dict[str, Json]:
    """Run a writing verb in this process, under the node's lock.

    If another process holds the lock it is a command that will end, or a node that is just
    starting: it is waited for, and a node that has started runs the verb itself.
    """
    from node.app import open_node
    from node.run import desk_of

    with contextlib.ExitStack() as stack:
        answer = _lock_or_answer(stack, asked)
        if answer is not None:
            return answer
        node = open_node(asked.settings, ring)
        stack.callback(node.close)
        return asked.act(desk_of(node))


def _lock_or_answer(stack: contextlib.ExitStack, asked: _Asked) -> dict[str, Json] | None:
    """Take the node's lock for as long as `stack` lives, or give the running node's answer."""
    from node.clock import SystemClock
    from node.storage.engine import NodeRuns, exclusive_lock

    clock = SystemClock()
    deadline = clock.monotonic() + _STARTING_S_MAX
    while True:
        try:
            stack.enter_context(exclusive_lock(asked.settings.folder))
        except NodeRuns:
            if clock.monotonic() > deadline:
                raise
        else:
            return None
        threading.Event().wait(_LOOK_AGAIN_S)
        with contextlib.suppress(NoNode):
            return _ask_running(asked.settings, asked.verb, asked.arguments, asked.key)


def _ask_running(
    settings: Settings, verb: str, arguments: Mapping[str, Json], key: str | None
) -> dict[str, Json]:
    """Run a verb in the node that runs; `NoNode` if none does."""
    try:
        return ask_node(settings.control.socket, verb, arguments, key=key)
    except Told as told:
        raise Failed(told.fault) from None


# --- keys ------------------------------------------------------------------


def open_ring(
    settings: Settings, passphrase_file: Path | None = None, passphrase: bytes | None = None
) -> KeyRing:
    """Open the node's key file, which must be that of this authority."""
    from keys.keyfile import read_key_file
    from node.settings import SettingsError

    known = passphrase or known_passphrase(settings, passphrase_file)
    ring = read_key_file(settings.keys.file, known)
    if (ring.network, ring.authority) != (settings.network, settings.authority):
        raise SettingsError(
            f"The key file is that of {ring.authority} in {ring.network}, and the settings name "
            f"{settings.authority} in {settings.network}: one of the two is the wrong file."
        )
    return ring


def known_passphrase(settings: Settings, passphrase_file: Path | None = None) -> bytes:
    """Get the passphrase of this node: from a file, from systemd, or from the person."""
    from keys.keyfile import read_passphrase
    from node.settings import CREDENTIAL

    return read_passphrase(
        file=passphrase_file or settings.keys.passphrase_file,
        credential=CREDENTIAL,
        prompt=asking(),
    )


def new_passphrase(file: Path | None, what: str) -> bytes:
    """Get a passphrase for a new key file; a person types it twice."""
    from keys.keyfile import KeyFileError, read_passphrase

    if file is not None:
        return read_passphrase(file=file)
    if asking() is None:
        return read_passphrase()
    first = read_passphrase(prompt=lambda _: getpass.getpass(f"New passphrase for {what}: "))
    again = getpass.getpass("Once more: ")
    if read_passphrase(prompt=lambda _: again) != first:
        raise KeyFileError("The two were not the same: nothing was made. Try again.")
    return first


def steward_passphrase(file: Path | None) -> bytes:
    """Get the passphrase of a steward's key file."""
    from keys.keyfile import read_passphrase

    return read_passphrase(file=file, prompt=asking())


def asking() -> Callable[[str], str] | None:
    """Give what asks a person for a secret, if there is one at a terminal."""
    return getpass.getpass if sys.stdin.isatty() else None
