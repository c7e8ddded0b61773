"""Policies: which log, which witnesses, and how many of them (C2SP tlog-policy, SPEC 6.10).

    log <key of the log>
    witness <name> <key of a witness>
    group <name> all <names>
    group quorum 2 <names>
    quorum quorum

Written for one log of ours, or by hand for whatever its writer trusts. What a policy cannot
say is that *both* keys of a log must have signed, so that stays a rule of the reader; that
both keys of a witness must have is a group of two. A policy is trusted because of where it
came from: nothing in it proves anything. Knows no network document and no bundle.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from protocol.checkpoint import (
    LogKeys,
    SignedCheckpoint,
    claimed_checkpoint,
    verify_checkpoint,
    verify_timed_line,
)
from protocol.errors import KeyUnknown, Malformed, Misuse, NotAuthentic, TooLarge, Unproven
from protocol.identity import PublicKey
from protocol.limits import POLICY_BYTES_MAX
from protocol.note import (
    ED25519,
    ED25519_COSIGNATURE,
    ML_DSA_44,
    VerifierKey,
    decode_verifier_key,
)

NO_QUORUM: Final = "none"

_FORBIDDEN: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_GAP: Final = re.compile(r"[ \t]+")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,4}")
_QUORUM_NAME: Final = "quorum"
_LOG_KINDS: Final = frozenset({ED25519, ML_DSA_44})
_WITNESS_KINDS: Final = frozenset({ED25519_COSIGNATURE, ML_DSA_44})


@dataclass(frozen=True, slots=True)
class Group:
    """Names of which at least `threshold` must have witnessed: witnesses, or other groups."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a checkpoint needs to be believed, in the order in which the text defines it.

    `quorum` names a witness or a group; None asks for no witness.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey]
    groups: tuple[Group, ...]
    quorum: str | None

    def log_keys(self, origin: str) -> LogKeys:
        """Give the two keys of a log; `KeyUnknown` unless the policy has exactly both."""
        kinds = {key.kind: key.raw for key in self.logs if key.name == origin}
        count = sum(key.name == origin for key in self.logs)
        if kinds.keys() != _LOG_KINDS or count != len(kinds):
            raise KeyUnknown("the policy does not name both keys of the log, and no others")
        return LogKeys(
            PublicKey("log", "ed25519", kinds[ED25519]),
            PublicKey("log", "ml-dsa-44", kinds[ML_DSA_44]),
        )

    def fulfilled(self, witnesses: Iterable[str]) -> frozenset[str]:
        """Give all names, of witnesses and groups, that these witnesses fulfil."""
        found = set(witnesses)
        for group in self.groups:
            if len(found.intersection(group.members)) >= group.threshold:
                found.add(group.name)
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class PolicyWord:
    """A checkpoint that a policy believes, and the times of the witnesses that cosigned it."""

    signed: SignedCheckpoint
    cosigned: Mapping[str, int] = field(repr=False)


def log_vkeys(origin: str, keys: LogKeys) -> tuple[str, str]:
    """Give the verifier keys of a log as tools of C2SP take them: one a line in `log.vkey`."""
    return (
        VerifierKey(origin, ED25519, keys.ed25519.raw).encode(),
        VerifierKey(origin, ML_DSA_44, keys.ml_dsa.raw).encode(),
    )


def witness_vkeys(name: str, keys: LogKeys) -> tuple[str, str]:
    """Give the verifier keys of a witness."""
    return (
        VerifierKey(name, ED25519_COSIGNATURE, keys.ed25519.raw).encode(),
        VerifierKey(name, ML_DSA_44, keys.ml_dsa.raw).encode(),
    )


def encode_policy(
    origin: str, keys: LogKeys, *, witnesses: Sequence[tuple[str, LogKeys]], quorum: int
) -> bytes:
    """Give the policy of one log: its keys, its witnesses by name, and k of them (SPEC 6.10)."""
    if not (quorum == 0 or 0 < quorum <= len(witnesses)):
        raise Misuse("a quorum of more witnesses than there are")
    lines = [
        "# Both keys of the log must have signed: a checkpoint with one of the two lines is none."
    ]
    lines += [f"log {key}" for key in log_vkeys(origin, keys)]
    for name, pair in witnesses:
        first, second = witness_vkeys(name, pair)
        lines += [
            "",
            f"witness {name}:ed25519 {first}",
            f"witness {name}:ml-dsa-44 {second}",
            f"group {name} all {name}:ed25519 {name}:ml-dsa-44",
        ]
    lines.append("")
    if quorum:
        lines.append(f"group {_QUORUM_NAME} {quorum} " + " ".join(name for name, _ in witnesses))
    lines.append(f"quorum {_QUORUM_NAME if quorum else NO_QUORUM}")
    return "".join(f"{line}\n" for line in lines).encode()


def decode_policy(raw: bytes) -> Policy:
    """Decode a policy as C2SP has it, with comments, any white space, and names of any kind.

    Raises `Malformed` or `TooLarge`. There is no one form to compare with: people write it.
    """
    if len(raw) > POLICY_BYTES_MAX:
        raise TooLarge(f"a policy of {len(raw)} bytes, at most {POLICY_BYTES_MAX}")
    if _FORBIDDEN.search(raw) is not None or not raw.endswith(b"\n"):
        raise Malformed("a policy is lines of text, each with its end")
    reader = _PolicyReader()
    # Names are opaque bytes there: what is no UTF-8 stays distinct and is carried along.
    for line in raw.decode("utf-8", "surrogateescape").split("\n"):
        words = _GAP.split(line.strip(" \t"))
        if words[0] and not words[0].startswith("#"):
            reader.take(words)
    return reader.policy()


class _PolicyReader:
    """A policy as far as it has been read; a line can only name what stands above it."""

    __slots__ = ("_groups", "_logs", "_members", "_quorum", "_witnesses")

    def __init__(self) -> None:
        self._logs: list[VerifierKey] = []
        self._witnesses: dict[str, VerifierKey] = {}
        self._groups: dict[str, Group] = {}
        self._members: set[str] = set()
        self._quorum: list[str] = []

    def take(self, words: Sequence[str]) -> None:
        match words:
            case ("log", key) | ("log", key, _):
                self._logs.append(_new_key(key, _LOG_KINDS, self._logs))
            case ("witness", name, key) | ("witness", name, key, _):
                found = _new_key(key, _WITNESS_KINDS, self._witnesses.values())
                self._witnesses[self._new_name(name)] = found
            case ("group", name, count, *members) if members:
                self._groups[name] = self._group(self._new_name(name), count, members)
            case ("quorum", name) if name == NO_QUORUM or self._is_known(name):
                self._quorum.append(name)
            case _:
                raise Malformed("a line of a policy that says nothing known")

    def policy(self) -> Policy:
        if len(self._quorum) != 1:
            raise Malformed("a policy has exactly one quorum")
        quorum = None if self._quorum == [NO_QUORUM] else self._quorum[0]
        groups = tuple(self._groups.values())
        return Policy(tuple(self._logs), MappingProxyType(self._witnesses), groups, quorum)

    def _is_known(self, name: str) -> bool:
        return name in self._witnesses or name in self._groups

    def _new_name(self, name: str) -> str:
        if name == NO_QUORUM or self._is_known(name):
            raise Malformed("a name of a policy that is taken")
        return name

    def _group(self, name: str, count: str, members: Sequence[str]) -> Group:
        # A name is a member of one group only, so that each witness counts in one way.
        for member in members:
            if not self._is_known(member) or member in self._members:
                raise Malformed("a member of a group that is not known, or a member already")
            self._members.add(member)
        threshold = {"all": len(members), "any": 1}.get(count)
        if threshold is None:
            threshold = int(count) if _COUNT.fullmatch(count) else 0
        if not 1 <= threshold <= len(members):
            raise Malformed("a group of a policy that nobody can fulfil, or everybody")
        return Group(name, threshold, tuple(members))


def _new_key(text: str, kinds: Iterable[int], taken: Iterable[VerifierKey]) -> VerifierKey:
    key = decode_verifier_key(text)
    if key.kind not in kinds:
        raise Malformed("a key of a kind that is not for this")
    if any(one.raw == key.raw for one in taken):
        raise Malformed("a key that stands twice")
    return key


def verify_by_policy(raw: bytes, policy: Policy) -> PolicyWord:
    """Verify a checkpoint by a policy alone (SPEC 6.10).

    Raises `KeyUnknown` if it is of a log that the policy does not name, `NotAuthentic` if a
    line of a key that the policy names does not hold, and `Unproven` if too few witnesses
    have cosigned it. Lines of other keys are nobody's.
    """
    origin = claimed_checkpoint(raw).origin
    signed = verify_checkpoint(raw, origin=origin, keys=policy.log_keys(origin))
    cosigned: dict[str, int] = {}
    for name, key in policy.witnesses.items():
        marked = (key.name, key.key_hash)
        lines = [one for one in signed.other_signatures if (one.name, one.key_hash) == marked]
        if len(lines) > 1:
            raise NotAuthentic("two lines of one key of a witness")
        for line in lines:
            cosigned[name] = verify_timed_line(signed.checkpoint, line, key)
    if policy.quorum is not None and policy.quorum not in policy.fulfilled(cosigned):
        raise Unproven("too few witnesses of the policy have cosigned the checkpoint")
    return PolicyWord(signed, MappingProxyType(cosigned))
