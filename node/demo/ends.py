"""The folder that a demonstration plays in, and how it ends when it is told to.

Knows neither what is played nor who plays.
"""

from __future__ import annotations

import errno
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def new_folder(keep: Path | None) -> Path:
    """Make the demo's folder, for nobody else to read."""
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="comity-demo-"))
    folder = keep.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise OSError(
            errno.ENOTEMPTY, "is not empty; name a new folder, or an empty one", str(keep)
        )
    return folder


@contextmanager
def ended_by_signals() -> Iterator[Callable[[], None]]:
    """Let SIGTERM and SIGHUP end the demo as Ctrl-C does; gives what shuts its ears to them.

    Nothing may disturb the end: processes are being ended, and folders removed.
    """

    def deaf() -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def end(_number: int, _frame: FrameType | None) -> None:
        deaf()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield deaf
    finally:
        for number, old in before.items():
            signal.signal(number, old)
