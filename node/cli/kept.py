"""What a person typed is never lost: where it is put when the node refuses it, or a crash comes.

    with kept_if_refused(call, said, typed=True):
        ask(...)

A file that was named stays where it is. What came from standard input, an editor or the
command itself is written to a file of the person's own, whose name says nothing of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from node.cli.call import Call, failed
from protocol.encoding import Json

_STATE: Final = "XDG_STATE_HOME"
_EDITORS: Final = ("VISUAL", "EDITOR")


def unsent_folder() -> Path:
    """Give the folder for what was not sent, readable by this person alone."""
    state = os.environ.get(_STATE)
    base = Path(state) if state else Path.home() / ".local" / "state"
    folder = base / "comity" / "unsent"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def keep(said: Mapping[str, Json]) -> Path:
    """Write what was said to a new file, and give its path."""
    raw = json.dumps(dict(said), ensure_ascii=False, indent=2) + "\n"
    number, name = tempfile.mkstemp(suffix=".json", prefix="text-", dir=unsent_folder())
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


@contextlib.contextmanager
def kept_if_refused(call: Call, said: Mapping[str, Json], *, typed: bool) -> Iterator[None]:
    """Keep what was typed if what is done with it in this block does not end well."""
    try:
        yield
    except BaseException:
        if typed and said:
            path = keep(said)
            call.out.warn(f"what you typed is kept: give it again with --body {path}")
        raise


def edited(said: Mapping[str, Json]) -> tuple[Path, int]:
    """Let the person's editor change a text; gives the file, which stays, and its size."""
    editor = next((os.environ[one] for one in _EDITORS if os.environ.get(one)), None)
    if editor is None:
        raise failed(
            "no-editor",
            "No editor is named: set EDITOR, or give the text with --body FILE.",
        )
    path = keep(said)
    ended = subprocess.run([*shlex.split(editor), str(path)], check=False)  # noqa: S603  (the person's own editor)
    if ended.returncode:
        raise failed("editor", f"The editor failed; the text is in {path}.")
    return path, path.stat().st_size
