"""What this node trusts: network document, own listing, and each peer as seen from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from keys.directory import Directory
from keys.ring import KeyRing
from node.doctor.check import Check, day, expiring, failed, ok, warning, worst
from node.settings import Settings
from node.storage.health_rows import WaitingFor
from node.storage.queue_rows import QueueState
from node.transport.errors import HINTS
from protocol.errors import REFUSALS, Rejected
from protocol.listing import Listing

_INSTALL: Final = "Install the network document that the stewards signed."
_PUBLISH: Final = "Type `comity keys publish`; peers that run fetch it."
_FETCH: Final = "Let the node run, which fetches it, or install the file that it sends you."


def own_listing(directory: Directory, authority: str) -> Listing | None:
    """Give our newest listing, or None."""
    try:
        return directory.listing(authority).listing
    except Rejected:
        return None


def check_document(directory: Directory, settings: Settings, now: int) -> list[Check]:
    """Look at the network document: installed, in its time, whole, and with us in it."""
    name = "network"
    if not directory.chain:
        return [failed(name, "No network document is installed.", _INSTALL)]
    found = []
    if directory.refused:
        first = directory.refused[0]
        sentence = f"{len(directory.refused)} stored statements do not verify ({first.code})."
        advice = "Somebody changed the database: `comity audit verify` says where."
        found.append(failed("trust", sentence, advice))
    if directory.split_authorities or directory.splits:
        about = ", ".join(sorted(directory.split_authorities)) or "nobody in particular"
        sentence = f"The stewards signed two documents of one version, which differ about {about}."
        advice = "Ask the stewards for the document that heals it; nothing is sent to those."
        found.append(failed("split", sentence, advice))
    document = directory.document.document
    what = f"Network document {document.version} of {document.network}"
    advice = "Ask the stewards for the next document: without one nothing is sent or accepted."
    found.append(expiring(name, what, document.expires, now, advice))
    found.append(_check_entry(directory, settings.authority))
    return found


def _check_entry(directory: Directory, authority: str) -> Check:
    try:
        directory.permit(authority)
    except Rejected as fault:
        advice = "Ask the stewards: peers accept nothing from this authority."
        return failed("membership", f"{fault.detail}.", advice)
    return ok("membership", f"{authority} is active in the network document.")


def check_own_listing(
    directory: Directory, settings: Settings, ring: KeyRing | None, now: int
) -> list[Check]:
    """Look at our own listing: installed, in its time, and with the keys and URLs in use."""
    name, listing = "listing", own_listing(directory, settings.authority)
    if listing is None:
        advice = "Install this node's listing here, and send it to the peers."
        return [failed(name, "Our own listing is not installed.", advice)]
    found = [expiring(name, f"Our listing {listing.serial}", listing.expires, now, _PUBLISH)]
    if not settings.peers.pull and tuple(listing.urls) != tuple(settings.peers.urls):
        sentence = "Our listing gives other URLs than [peers] urls: requests will not verify."
        found.append(failed("listing-urls", sentence, _PUBLISH))
    said = (listing.languages, dict(listing.declarations))
    if said != (settings.office.languages, settings.office.declarations()):
        sentence = "Our listing says otherwise than [office] what we want of requests."
        found.append(warning("listing-wants", sentence, _PUBLISH))
    if ring is not None:
        found.append(_check_keys(directory, settings.authority, ring, listing))
    return found


def _check_keys(directory: Directory, authority: str, ring: KeyRing, listing: Listing) -> Check:
    held = {entry.public().key_id for entry in ring.entries}
    foreign = [one.key for one in listing.keys if one.key.key_id not in held]
    lasting = {
        key_id for purpose in ("sign", "log", "witness") for key_id in ring.signers(purpose).key_ids
    }
    try:
        unlisted = lasting - directory.entry(authority).key_ids()
    except Rejected:
        unlisted = set()  # said with the membership
    if unlisted:
        sentence = "The network document does not list the keys of our key file."
        return failed("listed-keys", sentence, "Check which key file it is; ask the stewards.")
    lasts = [key for key in foreign if key.purpose in {"sign", "log", "witness"}]
    if lasts:
        sentence = f"Our listing shows a {lasts[0].purpose} key that we do not hold."
        advice = "Somebody speaks under our name: tell the stewards and revoke it."
        return failed("listed-keys", sentence, advice)
    current = {entry.public().key_id for entry in ring.entries if entry.retired is None}
    if not current <= {one.key.key_id for one in listing.keys}:
        sentence = "Our listing does not show the newest keys of our key file."
        return failed("listed-keys", sentence, _PUBLISH)
    return ok("listed-keys", "Our listing shows the keys of our key file.")


def check_peer(
    directory: Directory, peer: str, now: int, queue: QueueState, waiting: WaitingFor | None
) -> Check:
    """Look at one peer as it is seen from here; gives the worst that there is to say."""
    name = f"peer {peer}"
    found = [_check_waiting(name, queue, waiting)]
    if directory.needs_comparison(peer):
        sentence = f"{peer} has new sign keys that its old ones did not sign: nothing is sent."
        advice = "Compare the safety number with it by telephone, two officers, and confirm it."
        return failed(name, sentence, advice)
    try:
        listing = directory.listing(peer).listing
        directory.seal_key(peer, now)
    except Rejected as fault:
        return failed(name, f"Nothing can be sent to it: {fault.detail}.", _FETCH)
    found.append(expiring(name, f"The listing of {peer}", listing.expires, now, _FETCH))
    return worst(found)


def _check_waiting(name: str, queue: QueueState, waiting: WaitingFor | None) -> Check:
    heard = (
        "it has given no signed word yet"
        if queue.last_word_at is None
        else f"it last gave a signed word on {day(queue.last_word_at)}"
    )
    if waiting is None:
        return ok(name, f"Nothing waits; {heard}.")
    code = waiting.last_code or queue.last_code
    sentence = (
        f"Waiting since {day(waiting.since)}: {waiting.count}; {heard}"
        f"{f', and the last answer was {code}' if code else ''}."
    )
    if queue.failures == 0 and code is None:
        return ok(name, sentence)
    return warning(name, sentence, advice_of(code))


def advice_of(code: str | None) -> str:
    """Say what to do about the word of a peer, or of the way to it."""
    if code in HINTS:
        return HINTS[code]
    if code in REFUSALS:
        return REFUSALS[code].hint
    return "It is tried again by itself; `comity outbox` says when."


def shown_peers(directory: Directory, own: str) -> Mapping[str, str]:
    """Give every other authority of the newest document with its status."""
    listed = directory.document.document.authorities if directory.chain else ()
    return {one.id: one.status for one in listed if one.id != own and one.status != "removed"}


def suspended(peer: str) -> Check:
    """Say that a peer is suspended."""
    sentence = f"{peer} is suspended in the network document: nothing is sent to it."
    return warning(f"peer {peer}", sentence, "Ask the stewards why.")
