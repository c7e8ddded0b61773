"""The key file: private keys on disk under a passphrase. The only disk access of `keys`.

A key file holds one ring (`keys.ring`) under a passphrase (`keys.wrapping`). It is
readable by its owner alone, appears whole or not at all, and replaces another only when
told to. Every refusal is a `KeyFileError`: why, and what to do.

Knows no command, no setting and no clock; what a guess at a passphrase costs is fixed, and
no setting can lower it.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal, TypeAlias

from keys.pairs import Random
from keys.ring import (
    KeyEntry,
    KeyRing,
    Ring,
    StewardRing,
    decode_ring,
    new_ring,
    new_steward_ring,
)
from keys.wrapping import NODE_COSTS, STEWARD_COSTS, WRAPPED_BYTES_MAX, Costs, unwrap, wrap
from protocol.encoding import canonical
from protocol.errors import Misuse, NotAuthentic, Rejected

__all__ = [
    "Costs",
    "KeyEntry",
    "KeyFileError",
    "KeyRing",
    "StewardRing",
    "Strength",
    "new_ring",
    "new_steward_ring",
    "read_access_key",
    "read_key_file",
    "read_passphrase",
    "read_steward_file",
    "write_key_file",
]

Strength: TypeAlias = Literal["node", "steward"]

PASSPHRASE_CHARS_MIN: Final = 8
PASSPHRASE_BYTES_MAX: Final = 1_024
ACCESS_KEY_BYTES_MAX: Final = 256

_GIVE: Final = f"give one of at least {PASSPHRASE_CHARS_MIN} characters."

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_NO_LINKS: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class KeyFileError(Exception):
    """A key file or passphrase cannot be used; the text says why and what to do."""


_COSTS: Final[dict[Strength, Costs]] = {"node": NODE_COSTS, "steward": STEWARD_COSTS}


def write_key_file(
    path: Path,
    ring: Ring,
    passphrase: bytes,
    *,
    strength: Strength,
    random: Random,
    replace: bool = False,
    costs: Costs | None = None,
) -> None:
    """Seal a ring under a passphrase and write it to `path`, whole or not at all.

    Without `replace` an existing file is never touched, also if it appears at this very
    moment. With it the new file takes the place of the old one in one step (rotation), and
    what an interrupted write may have left beside it is removed. On return the file and
    its name survive a loss of power. `costs` is for tests.
    """
    if isinstance(ring, StewardRing) and strength != "steward":
        raise Misuse("a steward's keys are wrapped with the strength of stewards")
    with _sentences(path, "written"):
        _check_place(path, replace=replace)
        if replace:
            _remove_leftovers(path)
    try:
        raw = wrap(canonical(ring.to_json()), passphrase, costs or _COSTS[strength], random)
    except MemoryError as fault:
        raise _no_memory(path) from fault
    temporary = path.with_name(f".{path.name}.{random(8).hex()}.tmp")
    with _sentences(path, "written"):
        try:
            _write_whole(temporary, raw)
            if replace:
                temporary.replace(path)
            else:
                _publish(temporary, path)
            _sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def read_key_file(path: Path, passphrase: bytes) -> KeyRing:
    """Open the key file of a node."""
    ring = _open(path, passphrase)
    if not isinstance(ring, KeyRing):
        raise KeyFileError(f"{path} is the key file of a steward: name the key file of a node.")
    return ring


def read_steward_file(path: Path, passphrase: bytes) -> StewardRing:
    """Open the key file of a steward."""
    ring = _open(path, passphrase)
    if not isinstance(ring, StewardRing):
        raise KeyFileError(f"{path} is the key file of a node: name the key file of a steward.")
    return ring


def read_passphrase(
    *,
    file: Path | None = None,
    credential: str | None = None,
    prompt: Callable[[str], str] | None = None,
) -> bytes:
    """Get the passphrase: from `file`, else the systemd credential, else by asking.

    A file that is named must be there: nothing else is tried instead. The credential is
    `$CREDENTIALS_DIRECTORY/<credential>`, and is passed over if systemd gave none. An
    argument or the environment would show the passphrase to others, so there is no such
    way. One newline at the end is not part of the passphrase. Text counts in Unicode's
    NFC, so that the same letters from two keyboards are the same passphrase.
    """
    given = _credential_path(credential)
    if file is not None:
        raw = _read_private(file, bytes_max=PASSPHRASE_BYTES_MAX + 1)
    elif given is not None:
        # systemd guards these itself, by owner or by an ACL that looks like group access.
        raw = _read_private(given, bytes_max=PASSPHRASE_BYTES_MAX + 1, guarded=True)
    elif prompt is not None:
        raw = _typed(prompt("Passphrase of the key file: "))
    else:
        raise KeyFileError(
            "No passphrase: name a file that holds it ([keys] passphrase_file), give systemd "
            "a credential, or start from a terminal to be asked."
        )
    return _checked(raw.removesuffix(b"\n"))


def read_access_key(path: Path) -> str:
    """Read an access key from a file that its owner alone can read; one line, no blanks."""
    raw = _read_private(path, bytes_max=ACCESS_KEY_BYTES_MAX)
    try:
        text = raw.decode("ascii").strip()
    except UnicodeDecodeError as fault:
        raise KeyFileError(f"{path} holds no access key: check its name.") from fault
    if not text.isprintable() or not text or " " in text:
        raise KeyFileError(f"{path} holds no access key: check its name.")
    return text


# --- the passphrase --------------------------------------------------------


def _credential_path(name: str | None) -> Path | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if name is None or not folder:
        return None
    if not name or "/" in name or name.startswith("."):
        raise Misuse("the name of a credential is a plain file name")
    path = Path(folder) / name
    with _sentences(path, "read"):
        return path if path.exists() else None


def _typed(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as fault:
        raise KeyFileError("What was typed is not text: check the terminal's encoding.") from fault


def _checked(raw: bytes) -> bytes:
    """Refuse a passphrase that is missing, short or absurdly long; normalise text."""
    characters = len(raw)
    with suppress(UnicodeDecodeError):
        text = unicodedata.normalize("NFC", raw.decode())
        characters, raw = len(text), text.encode()
    if not raw:
        raise KeyFileError(f"The passphrase is empty: {_GIVE}")
    if characters < PASSPHRASE_CHARS_MIN:
        raise KeyFileError(f"The passphrase is too short: {_GIVE}")
    if len(raw) > PASSPHRASE_BYTES_MAX:
        raise KeyFileError(f"The passphrase is longer than {PASSPHRASE_BYTES_MAX} bytes.")
    return raw


# --- the ring inside -------------------------------------------------------


def _open(path: Path, passphrase: bytes) -> Ring:
    raw = _read_private(path, bytes_max=WRAPPED_BYTES_MAX)
    try:
        text = unwrap(raw, passphrase)
    except NotAuthentic as fault:
        # A wrong key and an altered text look alike to the cipher, and so to everybody.
        raise KeyFileError(
            f"{path} does not open: the passphrase is wrong or the file was altered. "
            "Try the passphrase again, then restore the file from its copy."
        ) from fault
    except Rejected as fault:
        raise KeyFileError(
            f"{path} is not a key file, is damaged, or comes from a newer version: "
            "check its name, or restore it from its copy."
        ) from fault
    except MemoryError as fault:
        raise _no_memory(path) from fault
    try:
        return decode_ring(text)
    except Rejected as fault:
        raise KeyFileError(
            f"{path} opens, but this version does not understand it: use the version that wrote it."
        ) from fault


def _no_memory(path: Path) -> KeyFileError:
    return KeyFileError(
        f"Not enough memory for {path}: a passphrase needs 64 MiB for a moment, a steward's 1 GiB."
    )


# --- the disk --------------------------------------------------------------


def _check_place(path: Path, *, replace: bool) -> None:
    """Refuse early and clearly; `_publish` refuses again, at the only moment that counts."""
    if path.is_symlink():
        raise KeyFileError(f"{path} is a symbolic link: name the file itself.")
    if path.is_dir():
        raise KeyFileError(f"{path} is a folder: name a file in it.")
    if not replace and path.exists():
        raise _exists(path)


def _exists(path: Path) -> KeyFileError:
    return KeyFileError(
        f"{path} exists and is never overwritten: choose another name, or move it away."
    )


def _write_whole(path: Path, raw: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def _publish(temporary: Path, path: Path) -> None:
    """Give the finished file its name, unless the name is taken."""
    try:
        os.link(temporary, path)  # unlike a rename, a link never replaces
    except FileExistsError as fault:
        raise _exists(path) from fault
    except OSError as fault:
        if fault.errno not in _NO_LINKS:
            raise
        _publish_without_links(temporary, path)


def _publish_without_links(temporary: Path, path: Path) -> None:
    """Do the same on a file system without hard links, as many memory sticks have.

    An empty file takes the name first. A crash between the two steps leaves it empty, which
    no reader takes for a key file.
    """
    try:
        _write_whole(path, b"")
    except FileExistsError as fault:
        raise _exists(path) from fault
    temporary.replace(path)


def _remove_leftovers(path: Path) -> None:
    # They hold keys that a rotation may have destroyed since.
    prefix, suffix = f".{path.name}.", ".tmp"
    for entry in path.parent.iterdir():
        if entry.name.startswith(prefix) and entry.name.endswith(suffix):
            entry.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_private(path: Path, *, bytes_max: int, guarded: bool = False) -> bytes:
    """Read a small regular file that nobody else can read; `guarded` if others see to that.

    What is checked is the open file, not its name, so it cannot be exchanged in between.
    """
    # Without O_NONBLOCK, opening a pipe would wait for ever.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with _sentences(path, "read"):
        descriptor = os.open(path, flags)
        try:
            _check_private(path, os.fstat(descriptor).st_mode, guarded=guarded)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                raw = file.read(bytes_max + 1)
        finally:
            os.close(descriptor)
    if len(raw) > bytes_max:
        raise KeyFileError(f"{path} is too large for what it should be: check its name.")
    return raw


def _check_private(path: Path, mode: int, *, guarded: bool) -> None:
    if not stat.S_ISREG(mode):
        raise KeyFileError(f"{path} is not a regular file: name the file itself.")
    if mode & _OTHERS and not guarded:
        raise KeyFileError(f"{path} can be used by others: run  chmod 600 {path}  first.")


@contextmanager
def _sentences(path: Path, done: str) -> Iterator[None]:
    """Turn what the operating system says into a sentence about the file."""
    try:
        yield
    except OSError as fault:
        if fault.errno == errno.ELOOP:
            raise KeyFileError(f"{path} is a symbolic link: name the file itself.") from fault
        if fault.errno == errno.ENOENT:
            missing = path if done == "read" else path.parent
            raise KeyFileError(f"{missing} is not there: check the name.") from fault
        reason = os.strerror(fault.errno) if fault.errno else "no reason given"
        raise KeyFileError(f"{path} cannot be {done} ({reason}).") from fault
