"""An exported log and what it proves: every entry and tile against the signed checkpoint.

    judged = judge_export(folder, policy)

Derives the tree from the entries, compares each tile on the way, and holds the root against
the checkpoint, whose log and witnesses a policy names: the reader's own, or the one in the
folder, which the log's owner wrote. Constant memory. Shares no code with what exports, and
whoever trusts neither may use any other C2SP client. Opens the files of one folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from node.audit.fsck.tree import TILE_HASHES, Peaks
from node.audit.judged import Judgement, Verdict
from node.audit.tiles import TilePath
from protocol.encoding import Json
from protocol.errors import Malformed, NotAuthentic, Rejected, TooLarge, Unproven
from protocol.limits import NOTE_BYTES_MAX, POLICY_BYTES_MAX
from protocol.policy import Policy, PolicyWord, decode_policy, verify_by_policy
from protocol.summary import show_time

KIND: Final = "exported log"

_ENTRY_BYTES: Final = 33
_LENGTH: Final = _ENTRY_BYTES.to_bytes(2, "big")
_STEP: Final = len(_LENGTH) + _ENTRY_BYTES
_FILE_BYTES_MAX: Final = TILE_HASHES * _STEP


def is_export(folder: Path) -> bool:
    """Say whether a folder is, or is meant to be, an exported log."""
    return (folder / "checkpoint").is_file()


def judge_export(folder: Path, policy: Policy | None = None) -> Judgement:
    """Judge an exported log by the reader's policy, or by the one that lies in it."""
    own = policy is not None
    try:
        asked = policy or decode_policy(_read(folder, "policy", POLICY_BYTES_MAX))
        raw = _read(folder, "checkpoint", NOTE_BYTES_MAX)
        word, enough = _word(raw, asked)
        _compare(folder, word)
    except Rejected as fault:
        said = f"This {KIND} does not hold: {fault.detail}."
        fields: dict[str, Json] = {"code": fault.code, "fault": fault.detail}
        return Judgement(Verdict.FALSE, KIND, (said,), (_NOTHING,), fields)
    return _told(word, asked, own=own, enough=enough)


_NOTHING: Final = "Nothing that it says is proved: it was altered, damaged or made up."


def _told(word: PolicyWord, policy: Policy, *, own: bool, enough: bool) -> Judgement:
    head = word.signed.checkpoint
    witnesses = _witnesses(word, policy)
    signed = f"{head.origin} signed at {show_time(word.signed.time)}"
    said = (
        f"Its {head.size} entries and all its tiles give the root that {signed}.",
        f"It is witnessed by {', '.join(witnesses) or 'nobody'}.",
    )
    left = ["Not what the entries say: that takes their records.", "Not that nothing came later."]
    if not own:
        left.insert(0, _OWN_POLICY)
    if not enough:
        left.insert(0, _TOO_FEW)
    fields: dict[str, Json] = {
        "origin": head.origin, "size": head.size, "root": head.root.hex(),
        "signed_at": word.signed.time, "witnesses": list[Json](witnesses),
        "enough_witnesses": enough, "quorum": policy.quorum is not None,
    }  # fmt: skip
    return Judgement(Verdict.TRUE, KIND, said, tuple(left), fields)


_OWN_POLICY: Final = (
    "Not whose keys these are: the policy in the folder names them. Bring your own: --policy."
)
_TOO_FEW: Final = (
    "Not that the log shows everybody the same: fewer have witnessed it than the policy asks for."
)


def _witnesses(word: PolicyWord, policy: Policy) -> list[str]:
    """Name the witnesses whose word is whole: all keys that the policy groups under a name."""
    whole = policy.fulfilled(word.cosigned)
    groups = {one.name for one in policy.groups} - {policy.quorum}
    grouped = {member for one in policy.groups if one.name in groups for member in one.members}
    return sorted((groups | (set(word.cosigned) - grouped)) & whole)


def _word(raw: bytes, policy: Policy) -> tuple[PolicyWord, bool]:
    """Verify the checkpoint; too few witnesses are told, and refuse nothing."""
    try:
        return verify_by_policy(raw, policy), True
    except Unproven:
        return verify_by_policy(raw, replace(policy, quorum=None)), False


def _compare(folder: Path, word: PolicyWord) -> None:
    head = word.signed.checkpoint

    def compare(level: int, index: int, hashes: bytes) -> None:
        path = TilePath(level, index, len(hashes) // 32).encode()
        if _read(folder, path, len(hashes)) != hashes:
            raise NotAuthentic(f"{path} is not what the entries give")

    peaks = Peaks(compare)
    for leaves in _leaves(folder, head.size):
        peaks.extend(leaves)
    peaks.end()
    if peaks.root() != head.root:
        raise NotAuthentic("the entries do not give the signed root")


def _leaves(folder: Path, size: int) -> Iterator[list[bytes]]:
    """Give the hashes of all entries, a bundle at a time."""
    for index in range(-(-size // TILE_HASHES)):
        width = min(TILE_HASHES, size - index * TILE_HASHES)
        path = TilePath(None, index, width).encode()
        raw = _read(folder, path, _FILE_BYTES_MAX)
        entries = [raw[at : at + _STEP] for at in range(0, len(raw), _STEP)]
        whole = all(len(one) == _STEP and one.startswith(_LENGTH) for one in entries)
        if len(entries) != width or not whole:
            raise Malformed(f"{path} does not hold {width} entries of {_ENTRY_BYTES} bytes")
        yield [hashlib.sha256(b"\0" + one[len(_LENGTH) :]).digest() for one in entries]


def _read(folder: Path, name: str, bytes_max: int) -> bytes:
    try:
        with (folder / name).open("rb") as file:
            raw = file.read(bytes_max + 1)
    except FileNotFoundError:
        raise NotAuthentic(f"{name} is missing") from None
    if len(raw) > bytes_max:
        raise TooLarge(f"{name} has more than {bytes_max} bytes")
    return raw
