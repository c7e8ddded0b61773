"""Vectors of what goes between a log and its witnesses, and of policies (SPEC 6.10 and 8.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from protocol.checkpoint import LogKeys, witness_name
from protocol.encoding import to_base64
from protocol.limits import INTEGER_MAX, NOTE_SIGNATURES_MAX
from protocol.merkle import EMPTY_ROOT
from protocol.note import NoteSignature
from protocol.policy import encode_policy, log_vkeys, witness_vkeys
from protocol.witness_wire import encode_add_checkpoint, encode_cosignatures
from tests.vectors.form import Vector
from tests.vectors.makers.histories import ORIGIN, SIZE, WITNESS, cosigned, head, link, words
from tests.vectors.makers.world import FJ_WITNESS, NETWORK, QM_LOG, pair, vector

KEYS = LogKeys(QM_LOG.first.public, QM_LOG.second.public)
WITNESS_KEYS = LogKeys(FJ_WITNESS.first.public, FJ_WITNESS.second.public)
_HASH = to_base64(EMPTY_ROOT)

Case = tuple[str, str, bytes]


# --- add-checkpoint ------------------------------------------------------------------------


def _requests() -> Iterator[Vector]:
    path = link(5).path
    good = encode_add_checkpoint(5, path, head())
    foreign = b"example.org/log\n7\n" + _HASH.encode() + b"\nmore\n\n"
    foreign += NoteSignature("example.org/log", b"abcd", b"signed").line().encode()
    fine = {
        "ok": ("From 5 to 13.", good, ORIGIN, 5, SIZE, len(path)),
        "ok-from-nothing": ("The first one.", encode_add_checkpoint(0, (), head()),
                            ORIGIN, 0, SIZE, 0),
        "ok-same-size": ("To be cosigned anew.", encode_add_checkpoint(SIZE, (), cosigned()),
                         ORIGIN, SIZE, SIZE, 0),
        "ok-foreign-log": ("Of a log that is none of Comity's, with a line more.",
                           encode_add_checkpoint(0, (), foreign), "example.org/log", 0, 7, 0),
        "ok-false-path": ("No path is verified here.",
                          encode_add_checkpoint(5, path[:1], head()), ORIGIN, 5, SIZE, 1),
    }  # fmt: skip
    for name, (comment, body, origin, old, size, hashes) in fine.items():
        yield vector(f"add-checkpoint/{name}", "ok", comment, body, origin=origin,
                     old_size=str(old), size=str(size), hashes=str(hashes))  # fmt: skip
    for name, (expect, comment, body) in _bad_requests(good).items():
        yield vector(f"add-checkpoint/{name}", expect, comment, body)


def _bad_requests(good: bytes) -> Mapping[str, Case]:
    many = (EMPTY_ROOT,) * 64
    first, _, rest = good.partition(b"\n")
    malformed = {
        "no-old": ("An old size stands first.", rest),
        "old-leading-zero": ("A size has one form.", b"old 05\n" + rest),
        "old-negative": ("A size is no less than 0.", b"old -5\n" + rest),
        "old-above": ("An old size above that of the checkpoint.",
                      encode_add_checkpoint(SIZE + 1, (), head())),
        "old-two-spaces": ("One space.", b"old  5\n" + rest),
        "hash-short": ("A hash has 32 bytes.", first + b"\n" + to_base64(EMPTY_ROOT[:31]).encode()
                       + b"\n" + rest),
        "hash-no-base64": ("A hash in base64.", first + b"\n!\n" + rest),
        "crlf": ("Lines end in a newline alone.", good.replace(b"\n", b"\r\n")),
        "no-empty-line": ("An empty line parts path and checkpoint.",
                          good.replace(b"\n\n", b"\n", 1)),
        "no-checkpoint": ("A checkpoint follows.", good.partition(b"\n\n")[0] + b"\n\n"),
        "no-lines": ("A checkpoint has signature lines.", good.partition(b"\n\n\xe2")[0] + b"\n"),
        "size-leading-zero": ("That of the checkpoint too.",
                              good.replace(b"\n13\n", b"\n013\n")),
        "size-too-large": ("At most 2^53 - 1.",
                           good.replace(b"\n13\n", b"\n%d\n" % (INTEGER_MAX + 1))),
    }  # fmt: skip
    return {
        **{name: ("malformed", comment, body) for name, (comment, body) in malformed.items()},
        "hashes-too-many": ("too-large", "At most 63.", encode_add_checkpoint(5, many, head())),
        "too-long": ("too-large", "At most 64 KiB.", good + b"\n" * 65_536),
    }


# --- cosignatures --------------------------------------------------------------------------


def _answers() -> Iterator[Vector]:
    made = words()
    other = replace(made[0], name="witness.example/w1", key_hash=b"\0\1\2\3")
    fine = {
        "ok": ("Both lines of a witness.", made),
        "ok-one": ("Verifying says that one is missing.", made[:1]),
        "ok-unknown-key": ("Lines of keys that nobody knows are ignored later.", (other, *made)),
    }
    for name, (comment, lines) in fine.items():
        marks = " ".join(line.key_hash.hex() for line in lines)
        yield vector(f"cosignatures/{name}", "ok", comment, encode_cosignatures(lines),
                     lines=str(len(lines)), marks=marks)  # fmt: skip
    good = encode_cosignatures(made)
    many = encode_cosignatures([other] * (NOTE_SIGNATURES_MAX + 1))
    cases = {
        "empty": ("malformed", "One line at least.", b""),
        "empty-line": ("malformed", "Every line is a signature.", b"\n" + good),
        "no-newline": ("malformed", "A line ends in a newline.", good[:-1]),
        "dash-wrong": ("malformed", "The dash is an em dash.", good.replace("— ".encode(), b"- ")),
        "not-utf8": ("malformed", "UTF-8.", b"\xff" + good),
        "no-signature": ("malformed", "A mark alone.", "— w AAAAAA==\n".encode()),
        "not-base64": ("malformed", "Base64.", "— w ?\n".encode()),
        "words": ("malformed", "Not an error in words.", b"Not Found\n"),
        "too-many": ("too-large", "At most 64.", many),
    }
    for name, (expect, comment, body) in cases.items():
        yield vector(f"cosignatures/{name}", expect, comment, body)


# --- policies ------------------------------------------------------------------------------


def _policies() -> Iterator[Vector]:
    pairs = {name: pair(name, "witness") for name in ("ni.justice", "to.justice", "ws.justice")}
    witnesses = [
        (witness_name(NETWORK, name), LogKeys(one.first.public, one.second.public))
        for name, one in pairs.items()
    ]
    good = encode_policy(ORIGIN, KEYS, witnesses=witnesses, quorum=2)
    alone = encode_policy(ORIGIN, KEYS, witnesses=(), quorum=0)
    one, other = witness_vkeys(WITNESS, WITNESS_KEYS)
    by_hand = (
        f"#a comment\n\n \t# another\nwitness A\t{one} https://a.example/\n"
        f"  witness B {other}  \ngroup Ä any A B\nquorum Ä\n"
        f"log {log_vkeys(ORIGIN, KEYS)[0]} https://log.example/\n"
    ).encode()
    fine = {
        "ok": ("Two of three witnesses.", good, 2, 6, "2/2 2/2 2/2 2/3", "quorum"),
        "ok-no-witnesses": ("None are asked for.", alone, 2, 0, "none", "none"),
        "ok-by-hand": ("As people write it.", by_hand, 1, 2, "1/2", "Ä"),
        "ok-one-witness": ("A quorum may be a witness.",
                           f"witness A {one}\nquorum A\n".encode(), 0, 1, "none", "A"),
        "ok-quorum-none": ("Nothing but that.", b"quorum none\n", 0, 0, "none", "none"),
    }  # fmt: skip
    for name, (comment, body, logs, count, groups, quorum) in fine.items():
        yield vector(f"policy/{name}", "ok", comment, body, logs=str(logs), witnesses=str(count),
                     groups=groups, quorum=quorum)  # fmt: skip
    two = f"witness A {one}\nwitness B {other}\n"
    for name, (comment, text) in _bad_policies(two).items():
        yield vector(f"policy/{name}", "malformed", comment, text.encode())


def _bad_policies(two: str) -> Mapping[str, tuple[str, str]]:
    log = log_vkeys(ORIGIN, KEYS)[0]
    cosigning = witness_vkeys(WITNESS, WITNESS_KEYS)[0]
    end = "quorum none\n"
    return {
        "no-quorum": ("Exactly one.", two),
        "two-quorums": ("Exactly one.", two + end + end),
        "quorum-unknown": ("It must be defined.", two + "quorum C\n"),
        "quorum-before": ("It must be defined above.", "quorum A\n" + two),
        "member-unknown": ("Members are defined above.", two + "group G all A C\n" + end),
        "member-twice": ("A name counts once.", two + "group G all A A\n" + end),
        "member-of-two": ("In one group.", two + "group G all A\ngroup H all A B\n" + end),
        "member-none": ("none is no member.", two + "group G all none\n" + end),
        "no-members": ("At least one.", two + "group G all\n" + end),
        "threshold-zero": ("Everybody would do.", two + "group G 0 A B\n" + end),
        "threshold-above": ("Nobody could.", two + "group G 3 A B\n" + end),
        "threshold-leading-zero": ("A decimal has one form.", two + "group G 01 A B\n" + end),
        "name-none": ("A word that is taken.", f"witness none {cosigning}\n" + end),
        "name-twice": ("One name for one.", two + "group A all B\n" + end),
        "key-twice": ("A key stands once.", two + f"witness C {cosigning}\n" + end),
        "log-key-twice": ("A key stands once.", f"log {log}\nlog {log}\n" + end),
        "log-with-witness-key": ("Kind 04 is no log's.", f"log {cosigning}\n" + end),
        "witness-with-log-key": ("Kind 01 has no time.", f"witness A {log}\n" + end),
        "key-wrong": ("The hash is not its own.",
                      f"log {log.replace('/1+', '/2+', 1)}\n" + end),
        "unknown-line": ("Lines are log, witness, group, quorum.", "logs x\n" + end),
        "words-too-many": ("Nothing follows a URL.", f"log {log} https://a.example/ more\n" + end),
        "control-character": ("Tabs and newlines alone.", "#\x07\n" + end),
        "no-newline": ("A line has its end.", end[:-1]),
    }  # fmt: skip


def vectors() -> Iterator[Vector]:
    """Give all vectors of this module."""
    yield from _requests()
    yield from _answers()
    yield from _policies()
