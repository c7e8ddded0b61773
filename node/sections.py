"""The sections of the configuration: every setting, its form, its meaning and its default.

A value of a wrong form raises `ValueError` with a sentence that does not repeat the value:
a database URL can hold a password. This module reads no file and no environment; how the
layers are joined is the business of `node.settings`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import NoDecode

from protocol.document import LANGUAGE
from protocol.encoding import Json
from protocol.identity import AUTHORITY_ID

_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = "postgresql://"
_PORT_MAX: Final = 65_535
_URL_CHARS_MAX: Final = 512
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

MAIL_ADDRESS: Final = re.compile(
    r"(?=.{3,254}$)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
)
"""An address that can stand in the header of a mail as it is."""

Seconds = Annotated[float, Field(gt=0, le=3_600)]
Count = Annotated[int, Field(ge=1, le=100_000)]


def authority_id(text: str) -> str:
    """Take an id of an authority or a network."""
    if AUTHORITY_ID.fullmatch(text) is None:
        raise ValueError("an id has lower-case letters, digits, '.' and '-', at most 64 of them")
    return text


def database_url(url: SecretStr) -> SecretStr:
    """Take the URL of a database in a file, or of a PostgreSQL server."""
    text = url.get_secret_value()
    if not text.startswith((_SQLITE, _POSTGRESQL)) or text == _SQLITE:
        raise ValueError(f"a database is {_SQLITE}FILE or {_POSTGRESQL}USER@HOST/NAME")
    return url


def rooted_url(folder: Path, url: str) -> str:
    """Make the file of an SQLite URL absolute, beside the configuration."""
    if not url.startswith(_SQLITE):
        return url
    return f"{_SQLITE}{folder / url.removeprefix(_SQLITE)}"


def listen_address(text: str) -> str:
    """Take ADDRESS:PORT, an IPv6 address in brackets."""
    split_address(text)
    return text


def split_address(text: str) -> tuple[str, int]:
    """Split ADDRESS:PORT; the brackets of an IPv6 address fall off."""
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not bare or (":" in bare) is (bare == host) or not (port.isascii() and port.isdigit()):
        raise ValueError("an address is HOST:PORT, or [IPV6]:PORT")
    if int(port) > _PORT_MAX:
        raise ValueError(f"a port is at most {_PORT_MAX}")
    return bare, int(port)


def timestamp_url(url: str | None) -> str | None:
    """Take the http or https URL of a timestamp authority: what it answers is signed."""
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError("a timestamp authority is at an http or https URL, without a user")
    return url


def _urls(value: object) -> object:
    """Take a list of https URLs, or one string with blanks between them."""
    urls = value.split() if isinstance(value, str) else value
    for url in urls if isinstance(urls, (list, tuple)) else ():
        if not isinstance(url, str) or not _is_plain_https(url):
            raise ValueError(
                "a URL of a node is https://HOST[:PORT][/PATH], without user, query or fragment,"
                f" of at most {_URL_CHARS_MAX} characters"
            )
    return urls


def _words(value: object) -> object:
    """Take a list of words, or one string with blanks between them."""
    return tuple(value.split()) if isinstance(value, str) else value


def _is_plain_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme == "https"
        and bool(parts.hostname)
        and port != 0
        and "@" not in parts.netloc
        and not set("?#\\").intersection(url)
        and url.isascii()
        and url.isprintable()
        and len(url) <= _URL_CHARS_MAX
    )


class Section(BaseModel):
    """One table of the file; closed, and never changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class DatabaseSettings(Section):
    """Where state is kept."""

    url: Annotated[SecretStr, AfterValidator(database_url)] = Field(
        SecretStr("sqlite:///comity.db"),
        description="sqlite:///FILE, or postgresql://USER@HOST/NAME (15 or later).",
    )


class KeysSettings(Section):
    """Where this authority's keys are kept."""

    file: Path = Field(
        Path("keys/node.key"), description="The key file, sealed under a passphrase."
    )
    passphrase_file: Path | None = Field(
        None,
        description="A file with the passphrase. Without it: systemd's credential, or a prompt.",
    )


class PeersSettings(Section):
    """How other authorities' nodes reach this one, and how it reaches them."""

    listen: Annotated[str, AfterValidator(listen_address)] = Field(
        "127.0.0.1:8443", description="Where to listen for peers."
    )
    urls: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_urls)] = Field(
        (), description="This node's own URLs as peers see them, as in its listing."
    )
    certificate: Path = Field(
        Path("tls/peers.crt"), description="The TLS certificate that the listing pins."
    )
    private_key: Path = Field(Path("tls/peers.key"), description="Its private key.")
    allow_private_addresses: bool = Field(
        default=False, description="Reach peers at loopback, private and link-local addresses."
    )
    pull: bool = Field(
        default=False, description="Fetch from peers, since none of them can connect to this node."
    )

    @property
    def listen_host(self) -> str:
        """The address part of `listen`."""
        return split_address(self.listen)[0]

    @property
    def listen_port(self) -> int:
        """The port of `listen`; 0 lets the system choose."""
        return split_address(self.listen)[1]


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (OSError, ValueError):
        raise ValueError("a time zone is named like Africa/Maputo or UTC") from None
    return text


def _mail_address(text: str | None) -> str | None:
    if text is not None and MAIL_ADDRESS.fullmatch(text) is None:
        raise ValueError("an address is NAME@HOST, in ASCII, and stands alone")
    return text


def _time_of_day(text: str) -> str:
    if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text) is None:
        raise ValueError("a time of day is written like 07:30")
    return text


def _address_or_none(text: str | None) -> str | None:
    return None if text is None else listen_address(text)


class StaffSettings(Section):
    """How this authority's own people and programs reach the node: the API, over HTTPS."""

    listen: Annotated[str | None, AfterValidator(_address_or_none)] = Field(
        None, description='Where to listen for them, as "127.0.0.1:8444"; unset: not at all.'
    )
    urls: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_urls)] = Field(
        (), description="The URLs they use; others than these and loopback are refused."
    )
    certificate: Path | None = Field(
        None, description="The TLS certificate for them. Without it: the one that peers see."
    )
    private_key: Path | None = Field(None, description="Its private key.")
    rate_per_s_max: Count = Field(50, description="Requests a second of one access key.")
    connections_max: Count = Field(256, description="Open connections of staff and programs.")
    webhook_private_addresses: bool = Field(
        default=False, description="Send webhooks to loopback, private and link-local addresses."
    )
    webhook_authorities: Path | None = Field(
        None, description="A file of certificates (PEM) that webhooks trust beside the system's."
    )

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port to listen at; None while the listener is off."""
        return None if self.listen is None else split_address(self.listen)


class OfficeSettings(Section):
    """What this authority wants of requests to it, as its listing tells the others."""

    languages: Annotated[
        tuple[Annotated[str, Field(pattern=f"^{LANGUAGE.pattern}$")], ...],
        NoDecode,
        BeforeValidator(_words),
    ] = Field(
        ("en",), description="Languages in which requests are taken, best first, as en or pt-BR."
    )
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(
        None, description="Its State's code (ISO 3166-1)."
    )
    accepts_electronic: bool | None = Field(
        None, description="false: a paper original is wanted too."
    )
    legal_channels: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = Field(
        (), description="Codes of the channels that are accepted, as DIPLOMATIC; none: any."
    )
    minimum_value: (
        Annotated[str, Field(pattern=r"^[0-9]{1,15}(\.[0-9]{1,4})? [A-Z]{3}$")] | None
    ) = Field(None, description='Less is not worth a request, as "5000.00 XTS".')
    evidence_standard: Annotated[str, Field(max_length=500)] | None = Field(
        None, description="In a few words, as: prima facie case for coercive measures."
    )
    uncac_44_6: Literal["yes", "no", "undeclared"] | None = Field(
        None, description="Is the Convention a basis of extradition here? yes, no or undeclared."
    )
    dual_criminality: Literal["always", "coercive", "not required"] | None = Field(
        None, description="Where dual criminality is asked for: always, coercive, not required."
    )
    extradites_nationals: bool | None = Field(None, description="Are own nationals extradited?")

    def declarations(self) -> dict[str, Json]:
        """Give what is declared, as a listing has it (node.cases.completeness.wanted)."""
        given: dict[str, Json] = self.model_dump(mode="json", exclude={"languages"})
        said: dict[str, Json] = {one: it for one, it in given.items() if it not in (None, [])}
        if self.minimum_value is not None:
            amount, currency = self.minimum_value.split()
            said["minimum_value"] = {"amount": amount, "currency": currency}
        return said


class ClocksSettings(Section):
    """How time is shown to the people here; due dates follow the States of a case."""

    zone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description="The time zone of this office, as Europe/Lisbon."
    )


class MailSettings(Section):
    """How people are told that something waits; a mail says only that, and never of what."""

    host: str | None = Field(None, description="The SMTP server. Without it no mail is sent.")
    port: Annotated[int, Field(ge=1, le=_PORT_MAX)] = Field(
        587, description="Its port: usually 587 for starttls, 465 for tls."
    )
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls or tls; none only for a server on this machine."
    )
    authorities: Path | None = Field(
        None, description="A file of certificates (PEM) to trust beside the system's."
    )
    user: str | None = Field(None, description="The name under which the node logs in.")
    password_file: Path | None = Field(
        None, description="A file (mode 0600) that holds the password."
    )
    sender: Annotated[str | None, AfterValidator(_mail_address)] = Field(
        None, description="The address from which mails come."
    )
    daily_at: Annotated[str, AfterValidator(_time_of_day)] = Field(
        "07:30", description="When those who want one mail a day get it, in the office's zone."
    )
    second_contact: Annotated[str | None, AfterValidator(_mail_address)] = Field(
        None,
        description="Who is told of what is overdue; else the central authority's officers.",
    )

    @model_validator(mode="after")
    def _can_send(self) -> MailSettings:
        if self.host is not None and self.sender is None:
            raise ValueError("with a host, sender says from which address mails come")
        if self.host is not None and self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError("security = none is only for a server on this machine (127.0.0.1)")
        return self


class LogSettings(Section):
    """The operator's log on standard error: no case content, ever."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error."
    )
    format: Literal["json", "console"] = Field(
        "json", description="json: one object a line. console: for a person."
    )


class GuardSettings(Section):
    """What keeps the log from forking when a database is restored."""

    file: Path = Field(
        Path("guard/checkpoint"),
        description="The newest checkpoint, outside the database and outside every backup.",
    )


class TimestampsSettings(Section):
    """Who says, if somebody asks, what time it was (RFC 3161)."""

    url: Annotated[str | None, AfterValidator(timestamp_url)] = Field(
        None, description="A timestamp authority, for `comity audit timestamp`."
    )


class ControlSettings(Section):
    """How the command line reaches a running node."""

    socket: Path = Field(
        Path("run/control.sock"), description="A Unix socket; whoever can reach its folder may ask."
    )


class LawSettings(Section):
    """What this authority adds to the law that the node brings."""

    folder: Path | None = Field(
        None,
        description="Your own kinds, bases, limits, holidays. Without it: law/, if it is there.",
    )


class LimitsSettings(Section):
    """What one peer, and all peers together, may take of this node."""

    connections_max: Count = Field(256, description="Open connections in all.")
    connections_per_peer_max: Count = Field(8, description="Open connections of one peer.")
    requests_max: Count = Field(64, description="Requests in work in all.")
    requests_per_peer_max: Count = Field(4, description="Requests in work of one peer.")
    handshake_s_max: Seconds = Field(10.0, description="For the TLS handshake, in seconds.")
    header_s_max: Seconds = Field(10.0, description="For a request's header, in seconds.")
    body_s_max: Seconds = Field(60.0, description="For a request's body, in seconds.")
    body_bytes_per_s_min: Count = Field(4_096, description="A body slower than this is cut off.")
    write_s_max: Seconds = Field(30.0, description="For taking our answer, in seconds.")
    idle_s_max: Seconds = Field(75.0, description="Between two requests, in seconds.")
    connect_s_max: Seconds = Field(10.0, description="For reaching a peer, in seconds.")
    answer_s_max: Seconds = Field(90.0, description="For a peer's whole answer, in seconds.")
