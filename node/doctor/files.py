"""The machine and the files: disk space, key file, keys' ages, certificate. Reads only."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Final

from cryptography import x509

from keys.ring import KeyEntry, KeyRing
from node.doctor.check import DAY_S, Check, day, expiring, failed, ok, warning
from node.settings import Settings
from node.transport.tls import pin_of, server_context
from protocol.errors import Malformed
from protocol.limits import SEAL_KEY_LIFETIME_S
from protocol.listing import Listing

_MIB: Final = 1024 * 1024
_FREE_MIN: Final = 256 * _MIB  # less, and a batch of large messages may not fit any more
_FREE_WANTED: Final = 2_048 * _MIB
_ROTATE: Final = "Type `comity keys rotate seal`; peers that run fetch the new listing."
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def check_disk(folder: Path, free: int | None = None) -> Check:
    """Look at the free space where the node keeps its files; `free` is for tests."""
    if free is None:
        free = shutil.disk_usage(folder).free
    sentence = f"{free // _MIB:,} MiB are free at {folder}."
    advice = "Make room: a node whose disk is full stops, and peers' messages wait."
    if free < _FREE_MIN:
        return failed("disk", sentence, advice)
    if free < _FREE_WANTED:
        return warning("disk", sentence, advice)
    return ok("disk", sentence)


def check_key_file(settings: Settings, ring: KeyRing | None) -> Check:
    """Look at the key file: there, for its owner alone, and this node's."""
    path, name = settings.keys.file, "key-file"
    try:
        found = os.lstat(path)
    except OSError as fault:
        advice = "Restore it from its copy; without it nothing can be opened or signed."
        return failed(name, f"{path} cannot be read ({fault.strerror}).", advice)
    if not stat.S_ISREG(found.st_mode):
        return failed(name, f"{path} is not a regular file.", "Put the key file itself there.")
    if found.st_mode & _OTHERS:
        return failed(name, f"{path} can be used by others.", f"Run  chmod 600 {path}")
    if ring is None:
        return ok(name, f"{path} is there, for its owner alone; it was not opened.")
    if (ring.network, ring.authority) != (settings.network, settings.authority):
        sentence = f"{path} holds the keys of {ring.authority} in {ring.network}."
        return failed(name, sentence, "Name this node's key file in [keys] file.")
    return ok(name, f"{path} is there, for its owner alone, and opens.")


def check_seal_key(ring: KeyRing | None, listing: Listing | None, now: int) -> Check:
    """Look at the age of the key that opens envelopes, and at those that are over."""
    name = "seal-key"
    if ring is None:
        return _listed_seal_key(listing, now)
    seals = [entry for entry in ring.entries if entry.purpose == "seal"]
    expired = [entry for entry in seals if entry.expired(now)]
    if expired:
        sentence = f"{len(expired)} seal keys are still held that should have been destroyed."
        return failed(name, sentence, "Let the node drop them: what they opened is over.")
    return _aged(name, _current(seals).created, now, _ROTATE)


def _listed_seal_key(listing: Listing | None, now: int) -> Check:
    """Without the key file, the listing says since when its newest key is in use."""
    starts = [] if listing is None else [
        one.start for one in listing.keys if one.key.purpose == "seal" and one.covers(now)
    ]  # fmt: skip
    if not starts:
        advice = "Publish a listing with a seal key: nobody can send to this authority."
        return failed("seal-key", "No listing of ours shows a seal key in use.", advice)
    return _aged("seal-key", max(starts), now, _ROTATE)


def _aged(name: str, since: int, now: int, advice: str) -> Check:
    age = (now - since) // DAY_S
    sentence = f"The seal key is {age} days old; {SEAL_KEY_LIFETIME_S // DAY_S} are its time."
    if now - since > SEAL_KEY_LIFETIME_S:
        return warning(name, sentence, advice)
    return ok(name, sentence)


def _current(seals: list[KeyEntry]) -> KeyEntry:
    return next(entry for entry in seals if entry.retired is None)


def check_certificate(settings: Settings, listing: Listing | None, now: int) -> Check:
    """Look at the TLS certificate: whole, in its time, and the one that the listing pins."""
    name, peers = "certificate", settings.peers
    advice = 'Make one as deploy/RUNBOOK.md says under "Keys", and a listing that pins it.'
    if peers.pull:
        return ok(name, "No peer connects to this node, so it shows no certificate.")
    try:
        pem = peers.certificate.read_bytes()
        server_context(pem, peers.private_key.read_bytes())
        pin = pin_of(pem)
        certificate = x509.load_pem_x509_certificate(pem)
    except OSError as fault:
        return failed(name, f"{fault.filename} cannot be read ({fault.strerror}).", advice)
    except (Malformed, ValueError):
        sentence = f"{peers.certificate} and {peers.private_key} are no certificate and its key."
        return failed(name, sentence, advice)
    if listing is not None and not listing.any_ca and pin not in listing.pins:
        sentence = "Our listing pins another certificate: peers refuse to connect."
        return failed(name, sentence, "Type `comity keys publish`, or put the pinned one back.")
    start = int(certificate.not_valid_before_utc.timestamp())
    if now < start:
        sentence = f"The certificate is valid from {day(start)} on."
        return failed(name, sentence, "Compare this machine's clock; else make a certificate.")
    end = int(certificate.not_valid_after_utc.timestamp())
    return expiring(name, "The certificate", end, now, advice)
