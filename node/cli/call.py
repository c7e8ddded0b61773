"""One call of a command: its options that all commands share, and how it is registered.

    @command(app, "outbox")
    def outbox(call: Call, peer: Annotated[str, typer.Option()] = "") -> Exit | None: ...

`command` adds `--config`, `--key-file` and `--json` to every command, after it as before it,
and hands them over in a `Call`. What a command returns is its exit status; None is success.
"""

from __future__ import annotations

import inspect
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from node.cli.output import Output
from node.exits import Exit, Fault

SETTINGS_FILE: Final = "comity.toml"
CONFIG_VARIABLE: Final = "COMITY_CONFIG"
KEY_VARIABLE: Final = "COMITY_KEY_FILE"
SOCKET_VARIABLE: Final = "COMITY_SOCKET"

ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE",
        help=f"The node's {SETTINGS_FILE}, or its folder. Else {CONFIG_VARIABLE}, else the"
        " one in this folder.",
        show_default=False,
    ),
]  # fmt: skip
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Give one JSON object, for programs.", show_default=False)
]
KeyOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--key-file", metavar="FILE",
        help="A file (mode 0600) with your access key, if the node does not know you by your"
        f" Unix user. Else {KEY_VARIABLE}.",
        show_default=False,
    ),
]  # fmt: skip
PassphraseOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", metavar="FILE",
        help="A file (mode 0600) that holds the passphrase of the key file.",
        show_default=False,
    ),
]  # fmt: skip


class Failed(Exception):
    """A command cannot go on; the fault is what the person is told."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault."""
        super().__init__(fault.sentence)
        self.fault = fault


def usage(sentence: str) -> Failed:
    """Give the failure of a command that was typed in a way that cannot work."""
    return Failed(Fault("usage", sentence, Exit.USAGE))


def failed(code: str, sentence: str) -> Failed:
    """Give the failure of a command for a reason of its own."""
    return Failed(Fault(code, sentence, Exit.FAILED))


@dataclass(frozen=True, slots=True)
class Shared:
    """What was given before the command's name."""

    config: Path | None = None
    as_json: bool = False
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What one command works with."""

    out: Output
    config: Path | None = None
    told: Shared = field(default_factory=Shared)
    key: Path | None = None

    def key_file(self) -> Path | None:
        """Give the file with the access key of whoever types this, if one is named."""
        named = self.key or self.told.key_file or os.environ.get(KEY_VARIABLE)
        return Path(named) if named else None

    def socket(self) -> Path | None:
        """Give the socket of a node whose settings one need not be able to read, if named."""
        named = os.environ.get(SOCKET_VARIABLE)
        return Path(named) if named else None

    def config_file(self) -> Path:
        """Give the configuration file that was named, or the one that lies here."""
        named = self.config or self.told.config or os.environ.get(CONFIG_VARIABLE)
        path = Path(named) if named else Path(SETTINGS_FILE)
        if not named and not path.exists():
            raise Failed(
                Fault(
                    "configuration",
                    f"Which node? There is no {SETTINGS_FILE} in this folder: name one with "
                    f"--config FILE or {CONFIG_VARIABLE}, or make one with `comity init`.",
                    Exit.CONFIGURATION,
                )
            )
        return path / SETTINGS_FILE if path.is_dir() else path

    def typed(self, *words: str) -> str:
        """Give a command for the same node as a person would type it."""
        named = self.config or self.told.config
        return command_line(*words, config=named)


def command_line(*words: str, config: Path | None = None) -> str:
    """Give a command as a person would type it."""
    given = () if config is None else ("--config", str(config))
    return shlex.join(("comity", *given, *words))


Act: TypeAlias = Callable[..., Exit | None]


def command(app: typer.Typer, name: str) -> Callable[[Act], Act]:
    """Register a function as a command, with the options that all commands have."""

    def register(act: Act) -> Act:
        def run(
            *, context: typer.Context, config: Path | None, as_json: bool,
            key_file: Path | None, **given: object,
        ) -> None:  # fmt: skip
            told = context.find_root().obj or Shared()
            call = Call(Output(as_json=as_json or told.as_json), config, told, key_file)
            ended = act(call, **given)
            if ended:
                raise typer.Exit(int(ended))

        signature = _with_shared(act)
        run.__name__, run.__doc__ = act.__name__, act.__doc__
        run.__signature__ = signature  # type: ignore[attr-defined]  # read by inspect
        run.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
        # A list of commands shows the whole sentence: what is cut at the margin helps nobody.
        said = " ".join((act.__doc__ or "").partition("\n\n")[0].split())
        app.command(name, short_help=said)(run)
        return act

    return register


def _with_shared(act: Act) -> inspect.Signature:
    """Give the signature that typer shall see: the command's own, and the shared options."""
    own = list(inspect.signature(act, eval_str=True).parameters.values())[1:]
    kind = inspect.Parameter.KEYWORD_ONLY
    shared = (
        inspect.Parameter("context", kind, annotation=typer.Context),
        inspect.Parameter("config", kind, default=None, annotation=ConfigOption),
        inspect.Parameter("as_json", kind, default=False, annotation=JsonOption),
        inspect.Parameter("key_file", kind, default=None, annotation=KeyOption),
    )
    return inspect.Signature([*(one.replace(kind=kind) for one in own), *shared])
