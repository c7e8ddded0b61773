"""What an operator may choose, read once at start from one TOML file.

Three layers, the later wins: the file (`comity.toml`), the environment
(`COMITY_SECTION__KEY`), and what was given on the command line. A name that is no setting
is an error in each of them, with the nearest real one: a misspelt limit must not leave a
node without it. Relative paths mean: beside the file.

No setting turns a verification off, and none will be added. This module opens no database
and reads no key; it does not know what the settings are used for. Values that may hold a
secret never appear in an error or in a `repr`.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from node.sections import (
    ClocksSettings,
    ControlSettings,
    DatabaseSettings,
    GuardSettings,
    KeysSettings,
    LawSettings,
    LimitsSettings,
    LogSettings,
    MailSettings,
    OfficeSettings,
    PeersSettings,
    Section,
    StaffSettings,
    TimestampsSettings,
    authority_id,
    rooted_url,
)

ENV_PREFIX: Final = "COMITY_"
CONFIG_VARIABLE: Final = "COMITY_CONFIG"  # says which file; the command line reads it
_OF_COMMANDS: Final = frozenset({CONFIG_VARIABLE, "COMITY_KEY_FILE", "COMITY_SOCKET"})
CREDENTIAL: Final = "comity-passphrase"  # under which systemd hands over the passphrase
_FILE_BYTES_MAX: Final = 256 * 1024

S = TypeVar("S", bound=Section)


class SettingsError(Exception):
    """The configuration cannot be used; each problem is a sentence for the operator."""

    def __init__(self, *problems: str) -> None:
        """Take one or more sentences that say what is wrong and what would be right."""
        super().__init__("\n".join(problems))
        self.problems = problems


class _Layers(BaseSettings):
    """The three layers as pydantic-settings joins them; `Settings` is what others see."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    network: Annotated[str, AfterValidator(authority_id)] = Field(
        description="The network's id, as in its network document."
    )
    authority: Annotated[str, AfterValidator(authority_id)] = Field(
        description="This authority's id in that network."
    )
    database: DatabaseSettings = DatabaseSettings()
    keys: KeysSettings = KeysSettings()
    peers: PeersSettings = PeersSettings()
    staff: StaffSettings = StaffSettings()
    office: OfficeSettings = OfficeSettings()
    clocks: ClocksSettings = ClocksSettings()
    mail: MailSettings = MailSettings()
    log: LogSettings = LogSettings()
    guard: GuardSettings = GuardSettings()
    timestamps: TimestampsSettings = TimestampsSettings()
    control: ControlSettings = ControlSettings()
    limits: LimitsSettings = LimitsSettings()
    law: LawSettings = LawSettings()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one node, with absolute paths."""

    folder: Path
    """The folder of the configuration file: the authority's own."""
    network: str
    authority: str
    database: DatabaseSettings
    keys: KeysSettings
    peers: PeersSettings
    staff: StaffSettings
    office: OfficeSettings
    clocks: ClocksSettings
    mail: MailSettings
    log: LogSettings
    guard: GuardSettings
    timestamps: TimestampsSettings
    control: ControlSettings
    limits: LimitsSettings
    law: LawSettings

    @property
    def law_folder(self) -> Path | None:
        """The authority's own folder of law: the one that is named, or `law/` if it is there."""
        beside = self.folder / "law"
        return self.law.folder or (beside if beside.is_dir() else None)


def load_settings(path: Path, overrides: Mapping[str, object] | None = None) -> Settings:
    """Read the settings of the node whose file is `path`, or raise `SettingsError`.

    `overrides` are what the command line says, by dotted name (`{"log.level": "debug"}`);
    None means that the flag was not given.
    """
    from_file = _read(path)
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    problems = [
        *_strangers(_dotted(from_file), f'{path.name}: "%s"'),
        *_strangers(_environment_names(), "%s", environment=True),
        *_strangers(given, 'the option for "%s"'),
    ]
    if problems:
        raise SettingsError(*problems)
    try:
        layers = _layer(from_file, _nested(given))
    except ValidationError as fault:
        # `from None`: the chain would print pydantic's own text, which can quote values.
        raise SettingsError(*_sentences(path, fault)) from None
    return _rooted(path.absolute().parent, layers)


def render_default(network: str, authority: str, chosen: Mapping[str, object] | None = None) -> str:
    """Give the text of a new `comity.toml`: every setting, its meaning, and its default.

    `chosen` are values that differ from the defaults, by dotted name.
    """
    values: dict[str, object] = {**(chosen or {}), "network": network, "authority": authority}
    if problems := list(_strangers(values, 'the option for "%s"')):
        raise SettingsError(*problems)
    lines = [
        "# The settings of one Comity node. Relative paths mean: beside this file.",
        "# The environment (COMITY_SECTION__KEY) and options on the command line win over it.",
        "",
    ]
    for name in ("network", "authority"):
        lines += _setting_lines(name, _Layers.model_fields[name].description, values[name])
    for name, section in _sections().items():
        lines += ["", f"# {(section.__doc__ or '').strip()}", f"[{name}]"]
        for key, field in section.model_fields.items():
            value = values.get(f"{name}.{key}", field.default)
            lines += _setting_lines(key, field.description, value)
    return "\n".join(lines) + "\n"


def _read(path: Path) -> dict[str, Any]:
    """Read the file as TOML; every way in which that can fail is a sentence."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise SettingsError(
            f"{path} does not exist. `comity init` makes one; --config or {CONFIG_VARIABLE}"
            " says which to use."
        ) from None
    except IsADirectoryError:
        raise SettingsError(f"{path} is a folder; name the file in it (comity.toml).") from None
    except OSError as fault:
        raise SettingsError(f"{path} cannot be read: {fault.strerror}.") from fault
    if len(raw) > _FILE_BYTES_MAX:
        raise SettingsError(f"{path} has more than {_FILE_BYTES_MAX} bytes; is it the right file?")
    try:
        return tomllib.loads(raw.decode())
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not text in UTF-8.") from None
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError(f"{path} is not TOML: {fault}.") from None


def _layer(from_file: dict[str, Any], given: dict[str, Any]) -> _Layers:
    """Join the layers: what was given, then the environment, then the file."""

    class FromFile(_Layers):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the library's signature; no .env files)
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the library's signature)
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            file_settings = InitSettingsSource(settings_cls, init_kwargs=from_file)
            return init_settings, env_settings, file_settings

    return FromFile(**given)


def _sections() -> dict[str, type[Section]]:
    """Give the sections by name."""
    return {
        name: field.annotation
        for name, field in _Layers.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }


def _known() -> list[str]:
    """Give the dotted name of every setting."""
    sections = _sections()
    inner = [f"{name}.{key}" for name, section in sections.items() for key in section.model_fields]
    return [name for name in _Layers.model_fields if name not in sections] + inner


def _dotted(tree: Mapping[str, Any]) -> Iterator[str]:
    """Give the dotted names of what a file sets; an empty section that exists sets nothing."""
    for name, value in tree.items():
        if isinstance(value, dict) and (value or name in _sections()):
            yield from (f"{name}.{key}" for key in value)
        else:
            yield name


def _nested(given: Mapping[str, object]) -> dict[str, Any]:
    """Turn dotted names into the tree that the model reads."""
    tree: dict[str, Any] = {}
    for name, value in given.items():
        section, _, key = name.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[key] = value
    return tree


def _environment_names() -> Iterator[str]:
    """Give the dotted names that the environment sets."""
    for variable in os.environ:
        if variable.upper().startswith(ENV_PREFIX) and variable.upper() not in _OF_COMMANDS:
            yield variable[len(ENV_PREFIX) :].lower().replace("__", ".")


def _strangers(names: Iterable[str], form: str, *, environment: bool = False) -> Iterator[str]:
    """Give a sentence for each name that is no setting, with the nearest one that is."""
    known = _known()
    for name in names:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        found, meant = name, near[0] if near else ""
        if environment:
            found, meant = (ENV_PREFIX + one.replace(".", "__").upper() for one in (name, meant))
        hint = f"; did you mean {meant}?" if near else "."
        yield f"{form % found} is not a setting{hint}"


def _sentences(path: Path, fault: ValidationError) -> list[str]:
    """Say what pydantic found, by name and without any value."""
    sentences = []
    for error in fault.errors(include_input=False, include_url=False, include_context=False):
        name = ".".join(str(part) for part in error["loc"])
        if error["type"] == "missing":
            sentences.append(f'{path.name}: "{name}" is missing.')
        else:
            message = error["msg"].removeprefix("Value error, ").removesuffix(".")
            sentences.append(f'"{name}": {message[0].lower()}{message[1:]}.')
    return sentences


def _rooted(folder: Path, layers: _Layers) -> Settings:
    """Make every path absolute, beside the file."""
    url = SecretStr(rooted_url(folder, layers.database.url.get_secret_value()))
    return Settings(
        folder=folder,
        network=layers.network,
        authority=layers.authority,
        database=layers.database.model_copy(update={"url": url}),
        keys=_with_paths(folder, layers.keys),
        peers=_with_paths(folder, layers.peers),
        staff=_with_paths(folder, layers.staff),
        office=layers.office,
        clocks=layers.clocks,
        mail=_with_paths(folder, layers.mail),
        log=layers.log,
        guard=_with_paths(folder, layers.guard),
        timestamps=layers.timestamps,
        control=_with_paths(folder, layers.control),
        limits=layers.limits,
        law=_with_paths(folder, layers.law),
    )


def _with_paths(folder: Path, section: S) -> S:
    found = {name: folder / value for name, value in section if isinstance(value, Path)}
    return section.model_copy(update=found)


def _setting_lines(name: str, description: str | None, value: object) -> list[str]:
    """Write one setting as TOML under its meaning; one without a value is commented out."""
    shown = value.get_secret_value() if isinstance(value, SecretStr) else value
    line = f'# {name} = ""' if shown is None else f"{name} = {_toml(shown)}"
    return [f"# {description}", line]


def _toml(value: object) -> str:
    """Write a value as TOML; its strings have JSON's escapes, and DEL besides."""
    plain = list(value) if isinstance(value, tuple) else value
    text = json.dumps(plain, ensure_ascii=False, default=str)
    return text.replace("\x7f", "\\u007f")
