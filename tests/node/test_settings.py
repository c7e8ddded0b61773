"""Three layers of settings; errors that name the setting, the remedy, and never the value."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from node.cases.completeness.wanted import Wanted
from node.settings import Settings, SettingsError, load_settings, render_default

MINIMAL = 'network = "pacific"\nauthority = "qm.justice"\n'


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in ("COMITY_NETWORK", "COMITY_AUTHORITY"):
        monkeypatch.delenv(name, raising=False)


def load(folder: Path, text: str = MINIMAL, **overrides: object) -> Settings:
    """Load `text` as the file of a node in `folder`."""
    path = folder / "comity.toml"
    path.write_text(text)
    return load_settings(path, {name.replace("__", "."): v for name, v in overrides.items()})


def refusal(folder: Path, text: str, **overrides: object) -> str:
    """Give the sentences with which `text` is refused."""
    with pytest.raises(SettingsError) as caught:
        load(folder, text, **overrides)
    return str(caught.value)


def test_two_names_are_enough_for_a_node(tmp_path: Path) -> None:
    """Everything else has a default, and relative paths are beside the file."""
    settings = load(tmp_path)
    assert (settings.network, settings.authority) == ("pacific", "qm.justice")
    assert settings.folder == tmp_path
    assert settings.database.url.get_secret_value() == f"sqlite:///{tmp_path}/comity.db"
    assert settings.keys.file == tmp_path / "keys/node.key"
    assert settings.keys.passphrase_file is None
    assert settings.control.socket == tmp_path / "run/control.sock"
    assert (settings.peers.listen_host, settings.peers.listen_port) == ("127.0.0.1", 8443)
    assert not settings.peers.allow_private_addresses


def test_paths_follow_the_file_and_not_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file means the same node from wherever it is read."""
    (tmp_path / "elsewhere").mkdir()
    settings = load(tmp_path, MINIMAL + '[keys]\npassphrase_file = "/run/secret"\n')
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = load_settings(Path("../comity.toml"))
    assert settings.keys.passphrase_file == Path("/run/secret")
    assert again.guard.file.resolve() == settings.guard.file


def test_the_environment_wins_over_the_file_and_an_option_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layers are file, environment, command line; an option not given changes nothing."""
    text = MINIMAL + '[log]\nlevel = "error"\nformat = "console"\n'
    monkeypatch.setenv("COMITY_LOG__LEVEL", "warning")
    monkeypatch.setenv("COMITY_CONFIG", "ignored here")
    assert load(tmp_path, text).log.level == "warning"
    settings = load(tmp_path, text, log__level="debug", log__format=None)
    assert (settings.log.level, settings.log.format) == ("debug", "console")


def test_several_urls_stand_in_one_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blanks separate them; numbers and booleans are read as such."""
    monkeypatch.setenv("COMITY_PEERS__URLS", "https://a.example https://b.example:8443/x")
    monkeypatch.setenv("COMITY_PEERS__PULL", "true")
    monkeypatch.setenv("COMITY_LIMITS__REQUESTS_MAX", "7")
    settings = load(tmp_path)
    assert settings.peers.urls == ("https://a.example", "https://b.example:8443/x")
    assert settings.peers.pull
    assert settings.limits.requests_max == 7


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[peers]\nlistn = 1", '"peers.listn" is not a setting; did you mean peers.listen?'),
        ("[pears]\nlisten = 1", '"pears.listen" is not a setting; did you mean peers.listen?'),
        ("[pears]", '"pears" is not a setting'),
        ("[peers.tls]\nx = 1", '"peers.tls" is not a setting'),
        ("peers = 5", '"peers" is not a setting'),
        ("[x]\nqqqqqqqqqq = 1", '"x.qqqqqqqqqq" is not a setting.'),
        ("[log]\nlevel = 'loud'", '"log.level": input should be'),
        ("[limits]\nrequests_max = 0", '"limits.requests_max": input should be'),
        ("[limits]\nbody_s_max = 1e9", '"limits.body_s_max": input should be'),
        ("[peers]\nlisten = '8443'", '"peers.listen": an address is HOST:PORT'),
        ("[peers]\nlisten = '::1:8443'", '"peers.listen": an address is HOST:PORT'),
        ("[peers]\nlisten = 'a:99999'", '"peers.listen": a port is at most 65535'),
        ("[peers]\nurls = ['http://a.b']", '"peers.urls": a URL of a node is https'),
        ("[peers]\nurls = ['https://u:p@a.b']", '"peers.urls": a URL of a node is https'),
        ("[peers]\nurls = ['https://a.b?x']", '"peers.urls": a URL of a node is https'),
        ("[peers]\nurls = ['https://a.b:x']", '"peers.urls": a URL of a node is https'),
        ("[peers]\nurls = 5", '"peers.urls": input should be'),
        ("[database]\nurl = 'mysql://x'", '"database.url": a database is sqlite:///FILE'),
        ("[database]\nurl = 'sqlite:///'", '"database.url": a database is sqlite:///FILE'),
        ("[log", "is not TOML"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    """An unknown name, a value of another kind and a broken file each say what would be right."""
    assert sentence in refusal(tmp_path, MINIMAL + text)


def test_an_unknown_variable_is_an_error_with_the_nearest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt variable is not silently without effect."""
    monkeypatch.setenv("COMITY_PEERS__LISTN", "127.0.0.1:1")
    said = refusal(tmp_path, MINIMAL)
    assert said == "COMITY_PEERS__LISTN is not a setting; did you mean COMITY_PEERS__LISTEN?"


def test_an_unknown_option_is_an_error(tmp_path: Path) -> None:
    """The command line is held to the same names."""
    assert 'the option for "log.levl"' in refusal(tmp_path, MINIMAL, log__levl="info")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """An operator mends a file once, not once for each line."""
    said = refusal(tmp_path, "[peers]\nlisten = 'x'\n")
    assert '"network" is missing' in said
    assert '"authority" is missing' in said
    assert '"peers.listen"' in said


@pytest.mark.parametrize("name", ["QM", "qm justice", "-qm", "qm/x", "a" * 65, ""])
def test_an_id_has_the_grammar_of_the_wire(tmp_path: Path, name: str) -> None:
    """What could not stand in a message cannot stand in the configuration."""
    said = refusal(tmp_path, f'network = "pacific"\nauthority = "{name}"\n')
    assert '"authority": an id has lower-case letters' in said


def test_secrets_are_in_no_error_and_in_no_repr(tmp_path: Path) -> None:
    """A password in a URL is shown by nothing, wrong or right."""
    right = MINIMAL + "[database]\nurl = 'postgresql://comity:hunter22@db/comity'\n"
    settings = load(tmp_path, right)
    assert "hunter22" not in repr(settings)
    assert "hunter22" in settings.database.url.get_secret_value()
    wrong = MINIMAL + "[database]\nurl = 'postgres://comity:hunter22@db/comity'\n"
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, wrong)
    assert "hunter22" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "does not exist. `comity init` makes one"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "is not text in UTF-8"),
        (lambda path: path.write_bytes(b"#" * 300_000), "has more than"),
        (lambda path: path.symlink_to(path), "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, make: object, sentence: str
) -> None:
    """Whatever is in its place, the operator gets no traceback."""
    path = tmp_path / "comity.toml"
    assert callable(make)
    make(path)
    with pytest.raises(SettingsError, match=r"comity\.toml") as caught:
        load_settings(path)
    assert sentence in str(caught.value)


def test_the_text_that_init_writes_says_what_the_defaults_say(tmp_path: Path) -> None:
    """Every setting stands in it, and reading it gives the defaults."""
    text = render_default("pacific", "qm.justice")
    assert load(tmp_path, text) == load(tmp_path)
    assert "# passphrase_file" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_chosen_values_stand_in_the_text_as_toml(tmp_path: Path) -> None:
    """Quotes, backslashes, control characters and other alphabets survive."""
    strange = 'a"b\\c\n\x7f🌴'
    chosen: dict[str, object] = {
        "database.url": f"sqlite:///{strange}",
        "peers.urls": ("https://a.example",),
        "keys.passphrase_file": "pass phrase",
        "peers.pull": True,
    }
    text = render_default("pacific", "qm.justice", chosen)
    assert tomllib.loads(text)["database"]["url"] == chosen["database.url"]
    settings = load(tmp_path, text)
    assert settings.peers.urls == chosen["peers.urls"]
    assert settings.peers.pull
    assert settings.keys.passphrase_file == tmp_path / "pass phrase"


def test_choosing_what_does_not_exist_is_refused() -> None:
    """`init` cannot write a file that `run` would refuse."""
    with pytest.raises(SettingsError, match=r"peers\.listen"):
        render_default("pacific", "qm.justice", {"peers.lisen": "x"})


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    """What was read at start is what holds until the end."""
    settings = load(tmp_path)
    with pytest.raises(ValidationError):
        settings.log.level = "debug"  # type: ignore[misc]  # that it cannot be is the test


def test_what_an_office_wants_becomes_its_declarations(tmp_path: Path) -> None:
    """As the listing has them, and as the validator of a peer reads them."""
    text = render_default("pacific", "fj.justice", {
        "office.languages": ["en", "pt-BR"], "office.country": "QM",
        "office.minimum_value": "5000.00 XTS", "office.accepts_electronic": False,
    })  # fmt: skip
    (tmp_path / "comity.toml").write_text(text)
    office = load_settings(tmp_path / "comity.toml").office
    wanted = Wanted.declared(office.languages, office.declarations())
    assert wanted.languages == ("en", "pt-BR")
    assert (wanted.country, wanted.accepts_electronic) == ("QM", False)
    assert wanted.minimum_value == (Decimal("5000.00"), "XTS")
    assert load(tmp_path).office.declarations() == {}
