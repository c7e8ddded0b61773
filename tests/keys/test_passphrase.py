"""Where a passphrase may come from, in which order, and what is not one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from keys.keyfile import KeyFileError, read_access_key, read_passphrase
from protocol.errors import Misuse


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what systemd may have given the test run out of it."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def keep(path: Path, raw: bytes, mode: int = 0o600) -> Path:
    """Write a passphrase file that nobody else can read."""
    path.write_bytes(raw)
    path.chmod(mode)
    return path


def never(_: str) -> str:
    """Fail the test: nobody must be asked."""
    pytest.fail("asked for a passphrase")


def test_the_file_comes_before_the_credential_and_that_before_the_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was configured on purpose wins; somebody is asked only if nothing else is there."""
    file = keep(tmp_path / "passphrase", b"from the file")
    keep(tmp_path / "comity", b"from systemd")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_passphrase(file=file, credential="comity", prompt=never) == b"from the file"
    assert read_passphrase(credential="comity", prompt=never) == b"from systemd"
    assert read_passphrase(credential="other", prompt=lambda _: "from a person") == b"from a person"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    typed = read_passphrase(credential="comity", prompt=lambda _: "from a person")
    assert typed == b"from a person"


def test_without_any_source_the_sentence_names_all_of_them() -> None:
    """A service that starts without one says how to give it one."""
    with pytest.raises(KeyFileError, match=r"passphrase_file.*systemd.*terminal"):
        read_passphrase()
    with pytest.raises(KeyFileError, match="No passphrase"):
        read_passphrase(credential="comity")


def test_a_named_file_that_is_missing_is_not_replaced_by_something_else(tmp_path: Path) -> None:
    """Asking instead would hide a wrong configuration until the next unattended start."""
    with pytest.raises(KeyFileError, match="is not there"):
        read_passphrase(file=tmp_path / "nothing", prompt=never)


def test_the_prompt_is_asked_with_a_question() -> None:
    """Whoever is asked sees for what."""
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "correct horse"

    assert read_passphrase(prompt=answer) == b"correct horse"
    assert asked == ["Passphrase of the key file: "]


@pytest.mark.parametrize(
    ("raw", "passphrase"),
    [
        (b"correct horse", b"correct horse"),
        (b"correct horse\n", b"correct horse"),
        (b"correct horse\n\n", b"correct horse\n"),
        (b" correct horse ", b" correct horse "),
        (b"12345678", b"12345678"),
        (b"12345678\n", b"12345678"),
        (b"\xff" * 32, b"\xff" * 32),  # random bytes are a good passphrase
        (b"x" * 1_024 + b"\n", b"x" * 1_024),
    ],
)
def test_exactly_one_newline_at_the_end_is_not_part_of_it(
    tmp_path: Path, raw: bytes, passphrase: bytes
) -> None:
    """Editors add one; everything else was meant."""
    assert read_passphrase(file=keep(tmp_path / "passphrase", raw)) == passphrase


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"1234567", "too short"),
        (b"1234567\n", "too short"),
        ("ééééééé".encode(), "too short"),  # 14 bytes, 7 characters
        (b"\xff" * 7, "too short"),
        (b"x" * 1_025, "longer than"),
        (b"x" * 10_000, "too large"),
    ],
)
def test_what_is_empty_short_or_absurd_is_refused(
    tmp_path: Path, raw: bytes, sentence: str
) -> None:
    """Wherever it comes from, the sentence never repeats it."""
    with pytest.raises(KeyFileError, match=sentence) as caught:
        read_passphrase(file=keep(tmp_path / "passphrase", raw))
    assert "1234567" not in str(caught.value)


@pytest.mark.parametrize("typed", ["", "1234567", "x" * 1_025])
def test_the_prompt_is_held_to_the_same_rules(typed: str) -> None:
    """A person can mistype as well as a file."""
    with pytest.raises(KeyFileError):
        read_passphrase(prompt=lambda _: typed)


def test_the_same_letters_from_two_keyboards_are_the_same_passphrase(tmp_path: Path) -> None:
    """Accents may come as one character or two: both sides of a copy must agree."""
    composed = read_passphrase(prompt=lambda _: "l\u00e9galit\u00e9s")
    file = keep(tmp_path / "passphrase", "le\u0301galite\u0301s\n".encode())
    assert read_passphrase(file=file) == composed == "l\u00e9galit\u00e9s".encode()


def test_bytes_that_a_terminal_could_not_decode_come_through() -> None:
    """They are the bytes that a file would hold; what no terminal gives is refused."""
    assert read_passphrase(prompt=lambda _: "caf\udce9 sans nom") == b"caf\xe9 sans nom"
    with pytest.raises(KeyFileError, match="not text"):
        read_passphrase(prompt=lambda _: "\ud800 no such thing")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_passphrase_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    """The sentence says how to mend it; a credential is systemd's to guard."""
    file = keep(tmp_path / "passphrase", b"correct horse", mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_passphrase(file=file)


def test_a_credential_may_have_the_group_bits_of_an_acl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Systemd gives a service its credentials by an ACL, which shows as mode 0440."""
    keep(tmp_path / "comity", b"from systemd\n", 0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_passphrase(credential="comity") == b"from systemd"


def test_a_passphrase_file_is_a_file(tmp_path: Path) -> None:
    """Neither a pipe, nor a folder, nor a link to somewhere."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    link = tmp_path / "link"
    link.symlink_to(keep(tmp_path / "passphrase", b"correct horse"))
    for path in (pipe, tmp_path, link):
        with pytest.raises(KeyFileError, match=r"regular file|symbolic link"):
            read_passphrase(file=path)


@pytest.mark.parametrize("name", ["../passphrase", "a/b", "", ".hidden"])
def test_the_name_of_a_credential_leads_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It is a name in one folder, fixed in our code."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(Misuse):
        read_passphrase(credential=name)


# --- access keys -------------------------------------------------------------


def test_an_access_key_is_one_line_of_a_file_of_its_owner(tmp_path: Path) -> None:
    """Line ends do not belong to it."""
    for name, raw in (("a", b"comity_abc"), ("b", b"comity_abc\n"), ("c", b" comity_abc \r\n")):
        assert read_access_key(keep(tmp_path / name, raw)) == "comity_abc"
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_access_key(keep(tmp_path / "open", b"comity_abc", 0o640))


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"two words", b"two\nlines", b"\xff\xfe", b"a\0b", b"x" * 257]
)
def test_a_file_that_holds_no_access_key_is_refused(tmp_path: Path, raw: bytes) -> None:
    """What is in it is not repeated: it may be another secret."""
    with pytest.raises(KeyFileError) as refused:
        read_access_key(keep(tmp_path / "key", raw))
    assert "words" not in str(refused.value)
