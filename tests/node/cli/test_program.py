"""What all commands have in common: options, errors, exit statuses, and how fast they start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from node.exits import Exit
from tests.support.commands import comity
from tests.support.exchanged import FIJI
from tests.support.people import KEY_FILE

SHOWN = ("--help", "case --help", "network --help", "init --help", "evidence verify --help")
HEAVY = ("sqlalchemy", "aiohttp", "pydantic", "structlog", "cryptography", "rich")


@pytest.mark.parametrize("words", SHOWN)
def test_help_is_there_for_every_command(words: str) -> None:
    """It ends well and says how the command is used."""
    done = comity(*words.split())
    assert done.status is Exit.DONE
    assert done.out.startswith("Usage: comity")


def test_help_loads_nothing_heavy() -> None:
    """Neither database nor server nor a library of ciphers: it must come at once."""
    code = (
        "import sys; from node.cli.program import run; run(['--help']); "
        f"sys.exit(' '.join(one for one in {HEAVY!r} if one in sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, text=True
    )
    assert ended.stderr.strip() == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("case list --nonsense", "--nonsense"),
        ("request send", "Missing option"),
        ("case nonsense", '"nonsense" is no event'),
        ("evidence verify x", "Missing argument"),
    ],
)
def test_what_cannot_be_typed_is_a_usage_error(words: str, said: str) -> None:
    """Exit status 2, one sentence, and where help is; with --json one object."""
    done = comity(*words.split())
    assert (done.status, done.out) == (Exit.USAGE, "")
    assert done.err.startswith("Error: ")
    assert said in done.err
    told = comity(*words.split(), "--json")
    assert told.status is Exit.USAGE
    assert told.err == ""
    assert told.json["schema"] == "comity.error/1"
    assert (told.json["code"], told.json["exit"]) == ("usage", 2)
    assert said in told.json["sentence"]


@pytest.mark.parametrize("words", ["", "case", "network"])
def test_a_group_without_a_command_gives_its_help(words: str) -> None:
    """Who types half of a command reads what the other half can be."""
    done = comity(*words.split())
    assert (done.status, done.err) == (Exit.USAGE, "")
    assert done.out.startswith(f"Usage: comity {words}".rstrip())


def test_a_guess_is_offered_as_one_sentence() -> None:
    """No full stop behind a question mark."""
    said = "Did you mean 'case'? `comity --help` shows"
    assert said in comity("casee").err


def test_an_unknown_event_names_those_that_are_known() -> None:
    """`comity case EVENT` takes event words, and says which."""
    said = comity("case", "rejoice", "x").err
    assert "answer" in said
    assert "note" in said


def test_the_configuration_may_be_named_before_or_after_the_command(nodes: Path) -> None:
    """The file or its folder, as an option anywhere or in the environment."""
    folder = nodes / FIJI
    ways: list[tuple[str | Path, ...]] = [
        ("--config", folder, "user", "me", "--json"),
        ("--json", "user", "me", "--config", folder / "comity.toml"),
        ("--json", "--config", folder / "comity.toml", "user", "me"),
    ]
    for way in ways:
        done = comity(*way)
        assert done.status is Exit.DONE
        assert (done.json["schema"], done.json["built_in"]) == ("comity.me/1", True)


def test_the_access_key_may_be_named_before_or_after_the_command(
    nodes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an option anywhere or in the environment; the file is its owner's alone."""
    folder, key = nodes / FIJI, nodes / FIJI / KEY_FILE
    ways: list[tuple[str | Path, ...]] = [
        ("--config", folder, "--key-file", key, "user", "me", "--json"),
        ("--config", folder, "user", "me", "--key-file", key, "--json"),
    ]
    for way in ways:
        assert comity(*way).json["login"] == "anna"
    monkeypatch.setenv("COMITY_KEY_FILE", str(key))
    assert comity("--config", folder, "user", "me", "--json").json["login"] == "anna"
    key.chmod(0o640)
    done = comity("--config", folder, "user", "me", "--json")
    assert (done.status, done.json["code"]) == (Exit.CONFIGURATION, "configuration")
    other = tmp_path / "other"
    other.touch(mode=0o600)
    other.write_text("comity_" + "B" * 43)
    done = comity("--config", folder, "--key-file", other, "user", "me", "--json")
    assert (done.status, done.json["code"]) == (Exit.FAILED, "not-known")


def test_a_socket_that_is_named_needs_no_settings_and_says_when_nobody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For people who cannot read the folder of the node."""
    monkeypatch.setenv("COMITY_SOCKET", str(tmp_path / "s"))
    done = comity("user", "me", "--json")
    assert (done.status, done.json["code"]) == (Exit.FAILED, "no-node")


def test_the_environment_or_the_folder_says_which_node(
    nodes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COMITY_CONFIG, else the comity.toml that lies here, else a sentence and status 78."""
    done = comity("case", "list")
    assert done.status is Exit.CONFIGURATION
    assert "--config FILE" in done.err
    with monkeypatch.context() as here:
        here.chdir(nodes / FIJI)
        assert comity("outbox").status is Exit.DONE
    monkeypatch.setenv("COMITY_CONFIG", str(nodes / FIJI))
    assert comity("outbox").status is Exit.DONE


def test_a_wrong_configuration_is_one_sentence_and_its_own_status(nodes: Path) -> None:
    """A misspelt setting never passes, and the nearest real one is named."""
    path = nodes / FIJI / "comity.toml"
    path.write_text(path.read_text().replace("listen =", "lisen ="))
    done = comity("--config", path, "case", "list", "--json")
    assert (done.status, done.json["code"]) == (Exit.CONFIGURATION, "configuration")
    assert "did you mean" in done.json["sentence"]


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """No traceback, and the name that was typed."""
    done = comity("verify", tmp_path / "nothing")
    assert (done.status, done.out) == (Exit.FAILED, "")
    assert done.err == f"Error: {tmp_path / 'nothing'}: No such file or directory.\n"


def test_the_version_is_that_of_the_distribution() -> None:
    """One line for a bug report."""
    assert comity("--version").out.startswith("comity 0.")


def test_without_colour_there_is_none(nodes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gets no escape sequence, with or without NO_COLOR."""
    for value in ("1", ""):
        monkeypatch.setenv("NO_COLOR", value)
        assert "\x1b" not in comity("--config", nodes / FIJI, "outbox").out


def test_ctrl_c_is_a_sentence_and_no_traceback(
    nodes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a prompt, or while something large is hashed."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("node.cli.files.hash_paths", interrupted)
    monkeypatch.setattr("node.cli.evidence.hash_paths", interrupted)
    done = comity("evidence", "hash", nodes, "--json")
    assert (done.status, done.json["code"]) == (Exit.FAILED, "stopped")


def test_a_reader_that_goes_away_is_no_failure_to_speak_of(nodes: Path) -> None:
    """`comity … | head` ends without a word on standard error."""
    command = Path(sys.executable).parent / "comity"
    with subprocess.Popen(
        [command, "--config", nodes / FIJI, "outbox"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_a_bug_keeps_its_traceback(nodes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is foreseen becomes a sentence."""

    def wrong(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("node.cli.evidence.hash_paths", wrong)
    with pytest.raises(ZeroDivisionError):
        comity("evidence", "hash", nodes)
