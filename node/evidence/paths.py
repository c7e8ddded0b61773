"""The one form in which a file of evidence is named between authorities.

A path in a manifest was written by another authority, is shown to people and may be looked
up on a disk, so its form is narrow: relative, with `/`, in Unicode NFC, without anything
that hides, turns or escapes. Two names that some file system or some reader takes for one
are refused together. The refusals never quote a name, because a file name can be case
content; `shown` makes any name fit for the user's own terminal.

This module is about text alone: it must not know the disk, and no answer of it may depend
on the machine, which is why its character table is written out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from protocol.errors import Malformed, TooLarge

PATH_BYTES_MAX: Final = 1_024
COMPONENT_BYTES_MAX: Final = 255  # what a name may have on nearly every file system
DEPTH_MAX: Final = 32

# Categories Cc, Cf, Cs, Zl, Zp of Unicode 15.1, and the code points that will never be
# characters. Written out, for `unicodedata` differs between versions of Python and both
# sides of a case must agree; a test holds the table against the running version.
_HIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\ufdd0-\ufdef"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f"
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17))
    + "]"
)
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ ]*(?:[.:].*)?",
    re.IGNORECASE,
)


def safe_path(path: str) -> str:
    """Return `path` if it is in the one allowed form; refuse it otherwise.

    Raises `TooLarge` for a path over a limit and `Malformed` for any other; the detail
    says which rule, never which name.
    """
    if len(path) > PATH_BYTES_MAX:  # before anything that costs more than counting
        raise TooLarge(f"a path of more than {PATH_BYTES_MAX} bytes")
    if _HIDDEN.search(path) is not None:
        raise Malformed("a path with a control, format or broken character")
    if len(path.encode()) > PATH_BYTES_MAX:
        raise TooLarge(f"a path of more than {PATH_BYTES_MAX} bytes")
    if not unicodedata.is_normalized("NFC", path):
        raise Malformed("a path that is not in Unicode NFC")
    if "\\" in path:
        raise Malformed("a path with a backslash")
    components = path.split("/")
    if len(components) > DEPTH_MAX:
        raise TooLarge(f"a path of more than {DEPTH_MAX} levels")
    for component in components:
        _check_component(component)
    return path


def _check_component(component: str) -> None:
    if component in {"", ".", ".."}:
        raise Malformed("a path with an empty component, `.` or `..`")
    if len(component.encode()) > COMPONENT_BYTES_MAX:
        raise TooLarge(f"a name of more than {COMPONENT_BYTES_MAX} bytes")
    if component[-1] in " .":
        # Windows drops them, so that the name would mean another file there.
        raise Malformed("a name that ends with a space or a dot")
    if _DRIVE.match(component) is not None:
        raise Malformed("a name that begins with a drive letter")
    if _DEVICE.fullmatch(component) is not None:
        # Refused, not flagged: wherever such a tree is opened on Windows the name reaches a
        # device, whatever stands in front of it, and a flag is what people click away. The
        # way out costs little and changes no byte: put the file into an archive.
        raise Malformed("a name that is a device on Windows")


def normalised(names: Iterable[str]) -> str:
    """Join names as a disk gives them into one path in NFC, not yet known to be safe."""
    return unicodedata.normalize("NFC", "/".join(names))


def collision(paths: Iterable[str]) -> tuple[str, str] | None:
    """Find two paths that cannot stand beside each other, or None.

    They are equal, or some component of both is equal but for case, or one is a file where
    the other needs a folder. On a disk that ignores case one would silently be the other.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        key = _folded(path)
        rival = files.get(key) or folders.get(key)
        if rival is not None:
            return rival, path
        files[key] = path
        rival = _add_folders(path, files, folders)
        if rival is not None:
            return rival, path
    return None


def _add_folders(path: str, files: dict[str, str], folders: dict[str, str]) -> str | None:
    """Enter the folders of `path`, lowest first; return an entry that one of them contradicts."""
    folder = path
    while "/" in folder:
        folder = folder.rpartition("/")[0]
        key = _folded(folder)
        if key in files:
            return files[key]
        if key in folders:  # and so are all above it
            return None if folders[key] == folder else folders[key]
        folders[key] = folder
    return None


def _folded(path: str) -> str:
    """Give what is equal for all paths that differ in case alone (Unicode 3.13, D145)."""
    if path.isascii():
        return path.lower()
    decomposed = unicodedata.normalize("NFD", path).casefold()
    return unicodedata.normalize("NFD", decomposed)


def shown(name: str) -> str:
    """Make any name harmless for a terminal: what does not print stands as an escape.

    For the eyes of the local user alone; a name never goes into a log.
    """
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in name)
