"""`comity init`: make a node in a folder of its own, and say what to type next."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.access import new_passphrase
from node.cli.call import Call, PassphraseOption, command, command_line, usage
from protocol.encoding import Json

if TYPE_CHECKING:
    from keys.fingerprint import Fingerprint
    from node.setup import MadeNode
    from protocol.listing import Contact

_LISTEN = "127.0.0.1:8443"


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "init")(init)


def init(
    call: Call,
    *,
    network: Annotated[str, typer.Option(metavar="ID", help="The network's id.")],
    authority: Annotated[str, typer.Option(metavar="ID", help="This authority's id.")],
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="The node's new folder.")],
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="sqlite:///FILE, or postgresql://USER@HOST/NAME."),
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Where peers reach this node; may be given again."),
    ] = None,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to listen for peers.")
    ] = _LISTEN,
    pull: Annotated[
        bool, typer.Option("--pull", help="Nobody can connect to this node: it fetches.")
    ] = False,
    contact_name: Annotated[str, typer.Option(metavar="TEXT", help="Whom to telephone.")] = "",
    contact_email: Annotated[str, typer.Option(metavar="TEXT", help="Where to write.")] = "",
    contact_phone: Annotated[str, typer.Option(metavar="TEXT", help="The number.")] = "",
    passphrase_file: PassphraseOption = None,
) -> None:
    """Make a node: keys, database, certificate, configuration, and its listing."""
    from keys.fingerprint import fingerprint
    from node.clock import SystemClock, SystemRandom
    from node.logs import configure
    from node.setup import make_node

    configure("error", "console")
    chosen = _chosen(listen, [] if pull else url or [], pull=pull)
    if database is not None:
        chosen["database.url"] = database
    if passphrase_file is not None:
        chosen["keys.passphrase_file"] = str(passphrase_file.absolute())
    contacts = _contacts(contact_name, contact_email, contact_phone)
    _check_new(folder, network, authority, chosen)
    passphrase = new_passphrase(passphrase_file, f"the keys of {authority}")
    with _nothing_half_made(folder):
        made = make_node(
            folder.absolute(), network=network, authority=authority, passphrase=passphrase,
            clock=SystemClock(), random=SystemRandom(), chosen=chosen, contacts=contacts,
        )  # fmt: skip
    _say(call, made, folder, fingerprint(made.ring.signers("sign").key_ids))


def _chosen(listen: str, urls: list[str], *, pull: bool) -> dict[str, object]:
    """Give the settings that follow from where the node listens."""
    chosen: dict[str, object] = {"peers.listen": listen, "peers.pull": pull}
    if pull:
        return chosen
    host = listen.rpartition(":")[0]
    if not urls and host in {"0.0.0.0", "[::]", ""}:  # noqa: S104  (compared, not bound)
        raise usage("Peers must know where to reach this node: give --url https://HOST:PORT.")
    chosen["peers.urls"] = urls or [f"https://{listen.removesuffix(':443')}"]
    # Whoever is reached at such an address has peers at such addresses: a trial, or a VPN.
    if any(_is_private(one) for one in urls or [f"https://{listen}"]):
        chosen["peers.allow_private_addresses"] = True
    return chosen


def _is_private(url: str) -> bool:
    import ipaddress
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost"


def _contacts(name: str, email: str, phone: str) -> tuple[Contact, ...]:
    from protocol.listing import Contact

    if not (name or email or phone):
        return ()
    if not name:
        raise usage("A contact has a name: give --contact-name.")
    return (Contact(name, email, phone, ("en",)),)


def _check_new(folder: Path, network: str, authority: str, chosen: dict[str, object]) -> None:
    """Refuse before anything is made what would fail when half of it is."""
    from node.settings import load_settings, render_default
    from node.setup import SETTINGS_FILE, AlreadyThere
    from protocol.listing import check_url

    if (folder / SETTINGS_FILE).exists():
        raise AlreadyThere(f"{folder} already holds a node: choose another folder, or remove it.")
    with tempfile.TemporaryDirectory() as trial:
        path = Path(trial) / SETTINGS_FILE
        path.write_text(render_default(network, authority, chosen), encoding="utf-8")
        settings = load_settings(path)
    for url in settings.peers.urls:
        check_url(url)


@contextlib.contextmanager
def _nothing_half_made(folder: Path) -> Iterator[None]:
    """Clear away a node that could not be finished, if the folder was ours to fill.

    Once there is a guard the log has begun, and nothing of it is ever removed by us.
    """
    ours = not folder.exists() or not any(folder.iterdir())
    try:
        yield
    except Exception:
        if ours and not (folder / "guard").exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _say(call: Call, made: MadeNode, folder: Path, found: Fingerprint) -> None:
    config = folder / made.settings_file.name
    listing = folder / made.listing_file.name
    settings = made.settings
    following = (
        ("Hand the listing to the stewards, and read the fingerprint to them by telephone.", ()),
        (
            "They add it to the network document and give you that, with the other listings:",
            ("network", "install", "network.json", "PEER.listing"),
        ),
        ("Then start the node:", ("run",)),
    )
    result: dict[str, Json] = {
        "schema": "comity.init/1",
        "network": settings.network,
        "authority": settings.authority,
        "config": str(config),
        "listing": str(listing),
        "fingerprint": found.digits,
        "sha256": found.hex,
        "next": [command_line(*words, config=config) for _, words in following if words],
    }
    out = call.out
    if out.result(result):
        return
    out.verdict(f"Made the node of {settings.authority} in {folder}.", good=True)
    out.line(f"  configuration  {config}")
    out.line(f"  listing        {listing}")
    out.line(f"  fingerprint    {' '.join(found.groups[:6])}")
    out.line(f"                 {' '.join(found.groups[6:])}")
    out.line(f"  as hex         {found.hex}")
    if settings.peers.allow_private_addresses:
        out.line("  It is reached at a private address, so it may reach peers at such, too.")
    out.line()
    out.line("Keep copies of the key file and of its passphrase, apart from each other.")
    out.line("Next:")
    for number, (sentence, words) in enumerate(following, 1):
        out.line(f"  {number}. {sentence}")
        if words:
            out.line(f"     {command_line(*words, config=config)}")
