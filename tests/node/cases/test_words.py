"""Words: one form for every way to write a name, and none of them in the database in clear."""

from __future__ import annotations

import time
from typing import Final

import pytest

from node.access.roles import Person, Role
from node.audit.erasure import erase_case
from node.cases.search import WordIndex, find
from node.cases.words import WORDS_OF_MESSAGE_MAX, normal, words_asked, words_in, words_of
from node.storage import case_rows, member_rows, standing_rows
from node.storage.member_rows import Member
from node.storage.vault import Vault
from node.storage.word_rows import Seeker
from node.storage.writer import Tx
from protocol.encoding import Json
from tests.support.clock import SeededRandom
from tests.support.pair import FIJI, QUMRAN, Pair

OFFICER: Final = Person("olive", frozenset({Role.OFFICER}), "0a" * 16)
CASE_OFFICER: Final = Person("carl", frozenset({Role.CASE_OFFICER}), "0b" * 16)
AUDITOR: Final = Person("ada", frozenset({Role.AUDITOR}), "0c" * 16)
DRAFTER: Final = Person("dora", frozenset({Role.DRAFTER}), "0d" * 16)

BODY: Final[dict[str, Json]] = {
    "own_ref": "FJ/2026/0042",
    "persons": [
        {"name": "Łukasz Müller-Šimić", "alias": "王小明"},
        {"name": "مُحمّد الأحمد", "account": "GB29 NWBK 6016 1331"},
    ],
    "text": "canaryword was seen with the suspect",
}


@pytest.mark.parametrize(
    ("written", "sought"),
    [
        ("Łukasz Müller", "lukasz MULLER"),
        ("Muller", "Müller"),
        ("José Ñandú", "jose nandu"),
        ("Ærø Ørsted", "aero orsted"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("Ёлкин Андрей", "елкин андреи"),
        ("Σίσυφος", "ΣΙΣΥΦΟΣ"),
        ("مُحَمَّد", "محمد"),
        ("أحمد", "احمد"),
        ("فاطمة", "فاطمه"),
        ("مصطفى", "مصطفي"),
        ("محمـــد", "محمد"),
        ("کریم", "كريم"),
        ("王小明", "小明"),
        ("\uff21\uff23\uff2d\uff25\u3000\uff11\uff12", "acme 12"),
        ("حساب ٠١٢٣", "0123"),
        ("कृष्ण कुमार", "कुमार"),
        ("สมชาย", "สม"),
        ("O\u2019Brien", "o'brien"),
        ("Al\u200d-Rashid\u202e", "al-rashid"),
        ("Tamás\u00adi", "tamasi"),
    ],
)
def test_a_name_is_found_however_it_is_written(written: str, sought: str) -> None:
    """In either direction: the text and the query have the same form."""
    assert set(words_asked(sought)) <= set(words_of(written))
    assert words_asked(sought)


@pytest.mark.parametrize(
    ("written", "joined"),
    [
        ("O'Brien", "obrien"),
        ("CA/2026/0042", "ca20260042"),
        ("6016-1331", "60161331"),
        ("al-Rashid", "alrashid"),
    ],
)
def test_what_signs_part_is_also_found_as_one_word(written: str, joined: str) -> None:
    """As people type it who do not know the signs."""
    assert words_asked(joined) == (joined,)
    assert joined in words_of(written)


def test_an_account_number_is_found_with_and_without_its_blanks() -> None:
    """A short value with digits is one number."""
    words = words_in("transmit", {"account": "GB29 NWBK 6016 1331"})
    assert "gb29nwbk60161331" in words
    assert set(words_asked("gb29 nwbk 6016 1331")) <= set(words)


@pytest.mark.parametrize("text", ["", " ", "-- // !", "a", "\u202e\u200d", "'", "\x00"])
def test_what_holds_no_word_gives_none(text: str) -> None:
    """And a query of it finds nothing, instead of everything."""
    assert words_asked(text) == ()


def test_names_come_before_long_texts() -> None:
    """Of a message that is too long, the end of its texts is left out and no name."""
    long = " ".join(f"word{number}" for number in range(2 * WORDS_OF_MESSAGE_MAX))
    words = words_in("transmit", {"description": long, "persons": [{"name": "Zofia Zając"}]})
    assert len(words) == WORDS_OF_MESSAGE_MAX
    assert {"zofia", "zajac", "word0"} <= set(words)


def test_a_protected_identity_leaves_no_word() -> None:
    """Else every reader of the case could find out whether a name is that of the witness."""
    assert words_in("protected_identity", {"identity": {"name": "Real Name"}}) == ()


def test_lists_of_hashes_leave_no_word() -> None:
    """A manifest has thousands, and nobody searches by them."""
    assert words_in("send_final_result", {"evidence": {"items": ["x" * 64]}, "text": "all"}) == (
        "all",
    )


def test_hostile_texts_take_little_time() -> None:
    """The largest text that a message can hold, of what is dearest to take apart."""
    start = time.process_time()
    for text in ("\ufdfa" * 20_000, "a\u0301" * 100_000, "王" * 100_000, "-a" * 100_000):
        words_in("note", {"text": text, "list": [text[:99]] * 300})
    assert time.process_time() - start < 4


def test_normal_is_its_own_normal_form() -> None:
    """So a word can be taken from either side."""
    for text in ("Łukasz MÜLLER", "مُحَمَّد", "İ", "ΣΊΣΥΦΟΣ", "ﷺ", "ǅ"):
        assert normal(normal(text)) == normal(text)


def test_digests_need_the_key() -> None:
    """The same word has another digest under another storage key, and the index shows none."""
    one, other = (WordIndex(Vault(key * 32, SeededRandom())) for key in (b"k", b"q"))
    assert one.digest("müller") == WordIndex(Vault(b"k" * 32, SeededRandom())).digest("müller")
    assert one.digest("müller") != other.digest("müller")
    assert repr(one) == "WordIndex()"


# --- in a node --------------------------------------------------------------------------


def found(pair: Pair, name: str, text: str, person: Person = OFFICER) -> list[str]:
    """Search at one node."""
    node = pair[name].node
    seeker = Seeker(person, pair.clock.now(), 20)
    return pair[name].read(lambda conn: find(conn, WordIndex(node.register.vault), text, seeker))


async def opened(pair: Pair) -> str:
    """Open the case of this file's request, delivered."""
    case = (await pair.request(BODY)).case
    await pair[FIJI].send_to(QUMRAN)
    return case


@pytest.mark.parametrize(
    "text",
    ["lukasz muller", "simic", "小明", "محمد", "gb29nwbk60161331", "canaryword", "fj/2026/0042",
     "FJ/2026", QUMRAN, "canaryword suspect muller"],
)  # fmt: skip
async def test_a_case_is_found_by_its_words_and_references(light_pair: Pair, text: str) -> None:
    """By any of them, and by several at once."""
    case = await opened(light_pair)
    assert found(light_pair, FIJI, text) == [case]
    assert found(light_pair, FIJI, case) == [case]


@pytest.mark.parametrize(
    "text", ["muller nobody", "mull", "2026/0042/77", "%", "F%", "F_/", "to.justice"]
)
async def test_what_does_not_stand_there_finds_nothing(light_pair: Pair, text: str) -> None:
    """All words must occur, whole, and no sign stands for others."""
    await opened(light_pair)
    assert found(light_pair, FIJI, text) == []


async def test_words_of_later_messages_are_found_on_both_sides(pair: Pair) -> None:
    """And the peer's reference."""
    case = await opened(pair)
    await pair.event(case, sender=QUMRAN, body={"text": "about Zofia Zając"})
    await pair[QUMRAN].send_to(FIJI)
    intake = Person("ines", frozenset({Role.INTAKE}), "0e" * 16)
    assert found(pair, FIJI, "zajac") == found(pair, QUMRAN, "zajac", intake) == [case]
    assert found(pair, QUMRAN, "FJ/2026/0042", intake) == [case]


async def test_nobody_finds_words_of_a_case_that_they_may_not_read(light_pair: Pair) -> None:
    """Whether a name occurs is content; that a case is there, those may see who see all rows."""
    pair, case = light_pair, await opened(light_pair)
    assert [found(pair, FIJI, "simic", one) for one in (CASE_OFFICER, DRAFTER, AUDITOR)] == [
        [], [], [],
    ]  # fmt: skip
    assert found(pair, FIJI, "FJ/2026/0042", AUDITOR) == [case]
    assert found(pair, FIJI, "FJ/2026/0042", CASE_OFFICER) == []

    def let_in(tx: Tx) -> None:
        member_rows.put_member(tx.conn, Member(case, DRAFTER.id or "", "reader", None, tx.now))
        standing_rows.change_standing(tx.conn, case, officer=CASE_OFFICER.id)

    await pair[FIJI].write(let_in)
    assert found(pair, FIJI, "simic", DRAFTER) == found(pair, FIJI, "simic", CASE_OFFICER) == [case]
    assert found(pair, FIJI, "simic", OFFICER) == []  # it is in somebody's charge now


async def test_no_word_stands_in_the_database(pair: Pair) -> None:
    """Nor a digest that could be made without the key."""
    await opened(pair)
    dumped = repr(pair[FIJI].dump()).lower() + repr(pair[QUMRAN].dump()).lower()
    for word in ("canaryword", "łukasz", "lukasz", "muller", "王小明", "nwbk6016"):
        assert word not in dumped
        assert repr(word.encode())[2:-1].lower() not in dumped


async def test_the_words_of_an_erased_case_are_gone(pair: Pair) -> None:
    """And with them every way to find it but its references."""
    case = await opened(pair)
    assert pair[QUMRAN].rows("case_words")

    def erase(tx: Tx) -> None:
        row = case_rows.read_case(tx.conn, case, lock=True)
        assert row is not None
        erase_case(tx, "pacific", row, reason="retention-ended")

    await pair[QUMRAN].write(erase)
    assert pair[QUMRAN].rows("case_words") == []
    assert found(pair, QUMRAN, "canaryword") == []
    assert found(pair, QUMRAN, "FJ/2026/0042") == [case]
