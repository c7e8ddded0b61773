"""`comity audit recover`: after a restored backup, a promoted replica or a resumed clone.

The node must not run. Everybody is asked first, and nothing is changed unless all have
answered, or were left out by name. Knows nothing of how it is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.access import open_ring, settings_of
from node.cli.call import Call, Failed, PassphraseOption, failed
from node.cli.output import plural
from protocol.encoding import Json

if TYPE_CHECKING:
    from node.recovery import PeersAway, Recovered


def recover(
    call: Call,
    *,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", metavar="PEER", show_default=False,
            help="Go on although this peer cannot be asked now; ask it later, by recovering again.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Close the log without asking.")] = False,
    passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Fetch from the peers what this node has lost, close its log and open the next."""
    from node.logs import configure
    from node.recovery import NobodyAsked, NothingLost, PeersAway
    from node.recovery import recover as recover_node
    from node.storage.engine import exclusive_lock

    configure("error", "console")
    settings, left_out = settings_of(call), without or []
    ring = open_ring(settings, passphrase_file)
    if not yes and not call.out.as_json:
        call.out.line(
            "If the log was set back, it is closed for good, and the next one opens. Use this"
            " after a\nrestored backup or copied machine, not to silence a warning."
        )
        typer.confirm("Go on?", abort=True)
    with exclusive_lock(settings.folder):
        try:
            done = recover_node(settings, ring, without=left_out)
        except NothingLost:
            _say_nothing(call)
            return
        except PeersAway as away:
            raise _away(call, away) from None
        except NobodyAsked:
            raise failed("nobody-asked", _NOBODY) from None
    _say(call, done)


_NOBODY = (
    "Nothing was changed: there is no guard here, so a peer must say which log of this authority"
    " was the last; opening one that was open before would fork it. Leave out no more peers than"
    " you must, and try again when one of them can be reached."
)


def _say_nothing(call: Call) -> None:
    result: dict[str, Json] = {"schema": "comity.recovery/1", "recovered": False}
    if not call.out.result(result):
        call.out.verdict("Nothing is lost: this log is what its peers know.", good=True)


def _away(call: Call, away: PeersAway) -> Failed:
    away_names = [word for peer in sorted(away.away) for word in ("--without", peer)]
    again = call.typed("audit", "recover", *away_names)
    return failed(
        "peers-away",
        f"Nothing was changed: these peers cannot be asked: {away}. What they hold would be "
        f"missed. Try again later, or leave them out now and ask them later: `{again}`.",
    )


def _say(call: Call, done: Recovered) -> None:
    closed, installed = done.closed, done.installed
    result: dict[str, Json] = {
        "schema": "comity.recovery/1", "recovered": True, "closed": closed.origin,
        "size": closed.size, "root": closed.root.hex(), "opened": done.origin,
        "messages": installed.messages, "known": installed.known, "refused": installed.refused,
        "left": list(done.left),
    }  # fmt: skip
    if call.out.result(result):
        return
    call.out.verdict(f"{plural(installed.messages, 'message')} came back.", good=True)
    call.out.line(f"  closed  {closed.origin} at {closed.size:,} entries")
    call.out.line(f"  opened  {done.origin}")
    if installed.known:
        call.out.line(f"  {plural(installed.known, 'message')} that came were here already.")
    if installed.refused:
        call.out.warn(
            f"{plural(installed.refused, 'message')} did not prove themselves and were left out."
        )
    for peer in done.left:
        call.out.line(f"  not asked yet: {peer}; `{call.typed('audit', 'recover')}` does it later.")
    call.out.line(f"Start the node: `{call.typed('run')}` tells the peers by itself.")
