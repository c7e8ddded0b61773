"""Words of witnesses on our own log: only true ones count, and missing ones stop nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from node.quorum import Quorum
from node.transport.c2sp import TEXT, WitnessAnswer
from protocol.checkpoint import Checkpoint, cosign, witness_name
from protocol.identity import Signer
from protocol.note import ED25519_COSIGNATURE, ML_DSA_44, NoteSignature, VerifierKey
from protocol.witness_wire import SIZE_TYPE, decode_cosignatures, encode_cosignatures
from tests.support.clones import exchanged
from tests.support.pair import FIJI, NAMES, QUMRAN, TONGA, Pair

Lines = Sequence[NoteSignature]


async def push(pair: Pair, name: str = QUMRAN) -> None:
    """Bring a node's newest head to its witnesses."""
    await pair[name].watch.witnessing.push()


def words(pair: Pair, name: str = QUMRAN) -> dict[int, int]:
    """Give the kept checkpoints of a node: their sizes, and how many witnesses each has."""
    return {int(str(row["size"])): int(str(row["witnesses"])) for row in
            pair[name].rows("checkpoints")}  # fmt: skip


def signers(pair: Pair, name: str) -> tuple[Signer, Signer]:
    """Give the witness keys of a node."""
    ed25519, ml_dsa = pair.trust.rings[name].signers("witness")
    return ed25519, ml_dsa


# --- true words -----------------------------------------------------------------------------


async def test_all_witnesses_that_can_be_reached_cosign_the_newest_head(light_pair: Pair) -> None:
    """One push, two words: as many as the network asks for."""
    assert Quorum.of(light_pair[QUMRAN].node.office.directory, QUMRAN) == Quorum(
        (FIJI, TONGA), 0, 2
    )
    await push(light_pair)
    size = len(light_pair[QUMRAN].records())
    assert words(light_pair) == {size: 2}
    await push(light_pair)  # nothing new: nobody is asked
    assert words(light_pair) == {size: 2}
    await exchanged(light_pair)
    await push(light_pair)
    assert words(light_pair)[len(light_pair[QUMRAN].records())] == 2
    for name in NAMES:
        assert light_pair[name].alarms() == []
    light_pair.assert_sound()


async def test_a_witness_that_was_away_gives_its_word_later(light_pair: Pair) -> None:
    """To the same head, beside the word that is there."""
    light_pair.link(QUMRAN, TONGA).down = True
    await push(light_pair)
    assert list(words(light_pair).values()) == [1]
    light_pair.link(QUMRAN, TONGA).down = False
    await push(light_pair)
    assert list(words(light_pair).values()) == [2]
    light_pair.assert_sound()


async def test_a_restarted_node_learns_what_its_witnesses_know(light_pair: Pair) -> None:
    """It remembers no sizes: a 409 tells it, and it asks again from there."""
    await push(light_pair)
    await exchanged(light_pair)
    light_pair.close(QUMRAN)
    await push(light_pair)
    assert words(light_pair)[len(light_pair[QUMRAN].records())] == 2


async def test_an_idle_log_is_signed_again_once_a_day(light_pair: Pair) -> None:
    """The same tree with a new time, and new words on it."""
    await push(light_pair)
    (before,) = light_pair[QUMRAN].rows("checkpoints")
    head = light_pair[QUMRAN].node.log.published
    light_pair.clock.advance(86_000)
    await push(light_pair)
    unchanged = light_pair[QUMRAN].node.log.published == head
    assert unchanged
    light_pair.clock.advance(400)
    await push(light_pair)
    (after,) = light_pair[QUMRAN].rows("checkpoints")
    renewed = light_pair[QUMRAN].node.log.published != head
    assert renewed
    assert (after["size"], after["witnesses"]) == (before["size"], 2)
    assert after["raw"] != before["raw"]
    light_pair.close()
    light_pair[QUMRAN].assert_sound()


# --- anything else is "not cosigned" --------------------------------------------------------


def with_lines(change: Callable[[Lines], Lines]) -> Callable[[WitnessAnswer], WitnessAnswer]:
    """Change the lines of an answer."""

    def changed(answer: WitnessAnswer) -> WitnessAnswer:
        if answer.status != 200:
            return answer
        lines = change(decode_cosignatures(answer.body))
        return WitnessAnswer(200, answer.content_type, encode_cosignatures(lines))

    return changed


def flipped(line: NoteSignature) -> NoteSignature:
    """Turn one bit of a signature."""
    return NoteSignature(line.name, line.key_hash, line.raw[:-1] + bytes([line.raw[-1] ^ 1]))


FALSE_WORDS: dict[str, Callable[[WitnessAnswer], WitnessAnswer]] = {
    "garbage": lambda _: WitnessAnswer(200, TEXT, b"\xff\xfe garbage"),
    "nothing": lambda _: WitnessAnswer(200, TEXT, b""),
    "an error": lambda _: WitnessAnswer(500, TEXT, b"oops\n"),
    "unknown origin": lambda _: WitnessAnswer(404, TEXT, b""),
    "not signed": lambda _: WitnessAnswer(403, TEXT, b""),
    "not consistent": lambda _: WitnessAnswer(422, TEXT, b""),
    "a number that is ahead": lambda _: WitnessAnswer(409, SIZE_TYPE, b"1000000\n"),
    "a number that is none": lambda _: WitnessAnswer(409, SIZE_TYPE, b"many\n"),
    "the wrong order": with_lines(lambda lines: lines[::-1]),
    "one line of two": with_lines(lambda lines: lines[:1]),
    "the other line of two": with_lines(lambda lines: lines[1:]),
    "a line twice": with_lines(lambda lines: (lines[0], *lines)),
    "a turned bit": with_lines(lambda lines: (lines[0], flipped(lines[1]))),
    "another turned bit": with_lines(lambda lines: (flipped(lines[0]), lines[1])),
}  # fmt: skip


@pytest.mark.parametrize("what", FALSE_WORDS)
async def test_an_answer_that_is_no_word_counts_for_nothing(light_pair: Pair, what: str) -> None:
    """The other witness's word is kept, the log goes on, and nobody is accused."""
    light_pair.link(QUMRAN, TONGA).word = FALSE_WORDS[what]
    await push(light_pair)
    await push(light_pair)
    assert list(words(light_pair).values()) == [1]
    assert light_pair[QUMRAN].node.log.halted is None
    await exchanged(light_pair)
    assert light_pair[QUMRAN].alarms() == []
    light_pair.assert_sound()


async def test_the_word_of_another_witness_counts_for_nothing(light_pair: Pair) -> None:
    """Tonga answers with Fiji's lines; Tonga's own on another checkpoint; and of no time."""
    head = light_pair[QUMRAN].node.log.published
    assert head is not None
    checkpoint = Checkpoint(head.origin, head.size, head.root)
    other = Checkpoint(head.origin, head.size, bytes(32))
    now = light_pair.clock.now()

    def by(name: str, of: Checkpoint) -> Lines:
        ed25519, ml_dsa = signers(light_pair, name)
        own = witness_name("pacific", name)
        return cosign(of, name=own, ed25519=ed25519, ml_dsa=ml_dsa, now=now)

    for lines in (by(FIJI, checkpoint), by(TONGA, other), timeless(light_pair, checkpoint)):
        light_pair.link(QUMRAN, TONGA).word = with_lines(lambda _, lines=lines: lines)  # type: ignore[misc]  # mypy cannot type it
        await push(light_pair)
        assert list(words(light_pair).values()) == [1]
    light_pair.link(QUMRAN, TONGA).word = with_lines(lambda _: by(TONGA, checkpoint))
    await push(light_pair)
    assert list(words(light_pair).values()) == [2]


def timeless(pair: Pair, checkpoint: Checkpoint) -> Lines:
    """Sign a checkpoint as Tonga at the time 0, which C2SP lets stand for no time at all."""
    name, origin = f"pacific/{TONGA}/witness", checkpoint.origin.encode()
    ed25519, ml_dsa = signers(pair, TONGA)
    first = ed25519.sign(f"cosignature/v1\ntime 0\n{checkpoint.body()}".encode())
    second = ml_dsa.sign(b"".join((
        b"subtree/v1\n\0", bytes([len(name)]), name.encode(), bytes(8), bytes([len(origin)]),
        origin, bytes(8), checkpoint.size.to_bytes(8, "big"), checkpoint.root,
    )))  # fmt: skip
    marks = [
        VerifierKey(name, ED25519_COSIGNATURE, ed25519.public.raw).key_hash,
        VerifierKey(name, ML_DSA_44, ml_dsa.public.raw).key_hash,
    ]
    return tuple(
        NoteSignature(name, mark, bytes(8) + raw)
        for mark, raw in zip(marks, (first, second), strict=True)
    )


# --- missing ones ---------------------------------------------------------------------------


async def test_missing_witnesses_are_alarmed_once_and_stop_nothing(light_pair: Pair) -> None:
    """After an hour, until there are enough again; and once more when they go again."""
    for peer in (FIJI, TONGA):
        light_pair.link(QUMRAN, peer).down = True
    light_pair.clock.jump(3_590)
    await push(light_pair)
    assert light_pair[QUMRAN].alarms() == []
    light_pair.clock.jump(20)
    for _ in range(3):
        await push(light_pair)
        assert light_pair[QUMRAN].alarms() == ["witnesses-missing"]
    await light_pair.request(sender=QUMRAN, to=FIJI)  # recording goes on
    light_pair.link(QUMRAN, FIJI).down = False
    await push(light_pair)  # one of two is not enough
    light_pair.link(QUMRAN, TONGA).down = False
    await push(light_pair)
    await light_pair.request(sender=QUMRAN, to=FIJI)
    for peer in (FIJI, TONGA):
        light_pair.link(QUMRAN, peer).down = True
    light_pair.clock.jump(3_601)
    await push(light_pair)
    assert light_pair[QUMRAN].alarms() == ["witnesses-missing"] * 2


# --- what the monitor sees ------------------------------------------------------------------


async def test_a_log_gone_stale_is_alarmed_once(light_pair: Pair) -> None:
    """Two days without a signature, asked or away; a new one ends it."""
    await exchanged(light_pair)
    monitor = light_pair[FIJI].watch.monitor
    light_pair.clock.jump(48 * 3_600 + 1)
    for down in (False, True):
        light_pair.link(FIJI, QUMRAN).down = down
        (finding,) = await monitor.look(QUMRAN)
        assert finding.verdict == "stale"
    light_pair.link(FIJI, QUMRAN).down = False
    await push(light_pair)
    (finding,) = await monitor.look(QUMRAN)
    assert finding.verdict == "ok"
    assert light_pair[FIJI].alarms() == ["log-stale"]


async def test_every_peer_s_log_is_followed_without_an_exchange(light_pair: Pair) -> None:
    """The first look cosigns what there is; later ones what has grown."""
    found = await light_pair[FIJI].watch.monitor.look_at_all()
    assert [(one.peer, one.verdict) for one in found] == [(QUMRAN, "ok"), (TONGA, "ok")]
    assert len(light_pair[FIJI].rows("witnessed")) == 2
    await exchanged(light_pair, sender=TONGA)
    await light_pair[FIJI].watch.monitor.look_at_all()
    sizes = {str(row["origin"]): row["size"] for row in light_pair[FIJI].rows("witnessed")}
    assert sizes[f"pacific/{QUMRAN}/1"] == len(light_pair[QUMRAN].records())


async def test_a_log_that_nobody_proves_for_a_day_is_alarmed(light_pair: Pair) -> None:
    """Its receipts count, nobody is accused of a fork, and a person hears of it."""
    light_pair.link(FIJI, QUMRAN).next("withhold the log")
    await exchanged(light_pair)
    light_pair.link(FIJI, QUMRAN).file = lambda raw: raw and raw[:-1]
    monitor = light_pair[FIJI].watch.monitor
    (finding,) = await monitor.look(QUMRAN)
    assert finding.verdict == "ok"
    light_pair.clock.advance(86_401)
    for _ in range(2):
        (finding,) = await monitor.look(QUMRAN)
        assert finding.verdict == "unproven"
    assert light_pair[FIJI].alarms() == ["log-unproven"]
    light_pair.link(FIJI, QUMRAN).file = lambda raw: raw
    (finding,) = await monitor.look(QUMRAN)
    assert finding.verdict == "ok"
    assert light_pair[FIJI].rows("unproven") == []
