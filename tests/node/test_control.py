"""The control socket: who may speak, what it makes and removes, and how it says no."""

from __future__ import annotations

import asyncio
import http.client
import io
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.access import people
from node.ask import NoNode, Told, ask_node
from node.control import serve_desk
from node.desk import act
from node.exits import Exit
from node.run import desk_of
from node.settings import SettingsError
from protocol.encoding import Json
from tests.support.pair import FIJI, QUMRAN, Pair
from tests.support.people import ADMIN, KEY, settle_in

OTHER = 54_321
ADD: dict[str, Json] = {"login": "ben", "roles": ["drafter"]}


async def test_the_socket_lets_all_speak_whom_its_folder_lets_through(light_pair: Pair) -> None:
    """The folder can be passed through and not listed; afterwards nobody is there."""
    path = light_pair.folder / "run" / "control.sock"
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o711
    with pytest.raises(NoNode):
        ask_node(path, "case.list", {})


async def test_a_socket_that_a_killed_node_left_is_replaced(light_pair: Pair) -> None:
    """Nothing listens on it: it is in nobody's way."""
    path = light_pair.folder / "control.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        assert stat.S_ISSOCK(path.stat().st_mode)


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
async def test_what_is_no_socket_is_never_removed(light_pair: Pair, kind: str) -> None:
    """The settings name the key file by mistake: the node does not start, and it is still there."""
    path = light_pair.folder / "node.key"
    target: Path = path
    match kind:
        case "file":
            path.write_bytes(b"all keys")
        case "link":
            target = light_pair.folder / "elsewhere"
            target.write_bytes(b"all keys")
            path.symlink_to(target)
        case _:
            path.mkdir()
    with pytest.raises(SettingsError, match=r"node\.key"):
        async with serve_desk(desk_of(light_pair[FIJI].node), path):
            pass
    assert path.is_symlink() == (kind == "link")
    assert kind == "folder" or target.read_bytes() == b"all keys"


# --- who may speak, and what is said --------------------------------------------------------


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that any user of the machine can enter, with a short name."""
    folder = Path(tempfile.mkdtemp(prefix="comity-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


CONNECT = r"""
use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
connect($s, sockaddr_un($ARGV[0])) or do { print "no way in"; exit };
syswrite($s, "POST /v1/user.me HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
sysread($s, my $answer, 12); print $answer;
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv") or not shutil.which("perl"),
    reason="speaking as another user needs root, setpriv and perl",
)
@pytest.mark.parametrize(
    ("mapped", "user", "heard"),
    [(None, OTHER, "HTTP/1.1 403"), (OTHER, OTHER, "HTTP/1.1 200"), (None, 0, "HTTP/1.1 200")],
)
async def test_another_user_of_the_machine_is_heard_if_they_are_one_of_our_people(
    light_pair: Pair, open_folder: Path, mapped: int | None, user: int, heard: str
) -> None:
    """The kernel says who is at the other end, and nobody can say otherwise."""
    path = open_folder / "s"
    desk = desk_of(light_pair[FIJI].node)
    if mapped is not None:
        act(desk, "user.add", {"login": "x", "roles": ["drafter"], "uid": mapped}, person=ADMIN)
    async with serve_desk(desk, path):
        speaking = await asyncio.create_subprocess_exec(
            "setpriv", f"--reuid={user}", "--clear-groups", "perl", "-e", CONNECT, str(path),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        answer, _ = await speaking.communicate()
    assert answer.decode() == heard


async def test_a_key_says_who_speaks_before_the_unix_user_does(light_pair: Pair) -> None:
    """So that somebody without a user of their own can type commands."""
    path = light_pair.folder / "run" / "control.sock"
    settle_in(light_pair[FIJI].node.settings, light_pair[FIJI].node)
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        mine = await asyncio.to_thread(ask_node, path, "user.me", {}, key=KEY)
        assert (mine["login"], mine["built_in"]) == ("anna", False)
        assert (await asyncio.to_thread(ask_node, path, "user.me", {}))["built_in"] is True


@pytest.mark.parametrize(
    "sent",
    ["comity_" + "B" * 43, "", "a b", "x" * 8_000, "ü".encode().decode("latin-1"), "comity_"],
    ids=["another", "empty", "two words", "long", "letters", "prefix"],
)
async def test_a_key_that_opens_nothing_is_nobody_and_not_the_unix_user(
    light_pair: Pair, sent: str
) -> None:
    """A mistyped key never makes somebody the administrator."""
    path = light_pair.folder / "run" / "control.sock"
    before = light_pair[FIJI].counts()
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        with pytest.raises(Told) as told:
            await asyncio.to_thread(ask_node, path, "user.me", {}, key=sent)
    assert told.value.fault.code == "not-known"
    assert sent not in told.value.fault.sentence or not sent
    assert light_pair[FIJI].counts() == before


async def ask(path: Path, verb: str, arguments: dict[str, Json]) -> dict[str, Json]:
    """Ask the node as the command line does, as Anna where it is about cases."""
    key = KEY if verb.startswith(("case.", "request.")) else None
    return await asyncio.to_thread(ask_node, path, verb, arguments, key=key)


async def test_a_verb_is_done_by_the_running_node(light_pair: Pair) -> None:
    """Arguments and results are JSON; what was written is there."""
    path = light_pair.folder / "run" / "control.sock"
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        added = await ask(path, "user.add", ADD)
        listed = await ask(path, "user.list", {})
    assert (added["schema"], added["state"]) == ("comity.user/1", "active")
    assert "ben" in str(listed["users"])


@pytest.mark.parametrize(
    ("verb", "arguments", "code"),
    [
        ("no.such", {}, "malformed"),
        ("case.list", {"more": 1}, "malformed"),
        ("case.show", {}, "malformed"),
        ("case.show", {"case": 7}, "malformed"),
        ("case.show", {"case": "fj.justice/unknown"}, "not-found"),
        ("case.show", {"case": "%"}, "not-found"),
        ("case.show", {"case": "_" * 32}, "not-found"),
        ("case.show", {"case": "x" * 257}, "malformed"),
        ("case.note", {"case": "x", "body": {}}, "not-found"),
        ("case.note", {"case": "x", "body": []}, "malformed"),
        ("case.note", {"case": "x", "manifest": {}, "body": {}}, "not-found"),
        ("request.send", {"to": "NOT AN ID", "kind": "m", "body": {}}, "malformed"),
        ("request.send", {"to": QUMRAN, "kind": "two words", "body": {}}, "malformed"),
        ("request.send", {"to": QUMRAN, "kind": "mla", "body": []}, "malformed"),
        ("request.send", {"to": QUMRAN, "kind": "mla", "body": {}, "manifest": {}}, "malformed"),
        ("keys.rotate", {"purpose": "log"}, "malformed"),
        ("user.add", {"login": "NOT ONE", "roles": ["drafter"]}, "malformed"),
        ("user.add", {"login": "x", "roles": ["captain"]}, "malformed"),
        ("user.confirm", {"code": "00" * 8}, "not-found"),
        (
            "network.install",
            {"documents": ["AAAA"], "listings": [], "revocations": []},
            "malformed",
        ),
    ],
)
async def test_a_verb_that_fails_has_a_code_a_sentence_and_an_exit_status(
    light_pair: Pair, verb: str, arguments: dict[str, Json], code: str
) -> None:
    """The same that the command would have shown by itself; and nothing was written."""
    path = light_pair.folder / "run" / "control.sock"
    settle_in(light_pair[FIJI].node.settings, light_pair[FIJI].node)
    before = light_pair[FIJI].counts()
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        with pytest.raises(Told) as told:
            await ask(path, verb, arguments)
    fault = told.value.fault
    assert (fault.code, fault.exit) == (code, Exit.FAILED)
    assert fault.sentence.endswith((".", "!")) or "`" in fault.sentence
    assert light_pair[FIJI].counts() == before


def send_raw(path: Path, body: bytes, target: str = "/v1/outbox", method: str = "POST") -> int:
    """Send anything, and give the status of the answer."""
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(path))
        head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        raw.sendall(head.encode() + body)
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        return answer.status


@pytest.mark.parametrize(
    ("body", "target", "method", "status"),
    [
        (b"", "/v1/outbox", "POST", 422),
        (b"{", "/v1/outbox", "POST", 422),
        (b"[]", "/v1/outbox", "POST", 422),
        (b'{"a":1,"a":2}', "/v1/outbox", "POST", 422),
        (b"\xff\xfe", "/v1/outbox", "POST", 422),
        (b"[" * 100_000, "/v1/outbox", "POST", 422),
        (b"{}", "/v1/%2e%2e%2f", "POST", 422),
        (b"{}", "/v1/outbox/more", "POST", 404),
        (b"{}", "/", "POST", 404),
        (b"{}", "/v1/outbox", "GET", 405),
        (b"{}", "/v1/outbox", "POST", 200),
    ],
    ids=lambda one: str(one)[:24],
)
async def test_a_request_that_is_none_is_refused_and_the_node_goes_on(
    open_folder: Path, light_pair: Pair, body: bytes, target: str, method: str, status: int
) -> None:
    """Whatever comes through the socket, it is one answer, and the next one is heard."""
    path = open_folder / "s"
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        assert await asyncio.to_thread(send_raw, path, body, target, method) == status
        assert (await ask(path, "user.list", {}))["users"] == []


async def test_a_request_over_the_limit_has_a_sentence_too(light_pair: Pair) -> None:
    """Seventeen megabytes: refused while they are read, and the command can say why."""
    path = light_pair.folder / "run" / "control.sock"
    body: dict[str, Json] = {"text": "x" * (17 * 1024 * 1024)}
    before = light_pair[FIJI].counts()
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        with pytest.raises(Told) as told:
            await ask(path, "network.install", body)
        assert (await ask(path, "user.list", {}))["users"] == []
    assert told.value.fault.exit == Exit.FAILED
    assert "arge" in told.value.fault.sentence
    assert light_pair[FIJI].counts() == before


async def test_a_bug_in_a_verb_is_one_failed_answer(
    light_pair: Pair, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text stays inside, the command is told that it failed, and the node goes on."""
    wired = light_pair[FIJI]
    path = light_pair.folder / "run" / "control.sock"

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a-canary-in-a-bug")

    desk = desk_of(wired.node)
    async with serve_desk(desk, path):
        monkeypatch.setattr(people, "add_user", broken)
        with pytest.raises(Told) as told:
            await ask(path, "user.add", ADD)
        assert told.value.fault.exit == Exit.FAILED
        assert "canary" not in told.value.fault.sentence
        assert (await ask(path, "user.list", {}))["users"] == []
    assert "canary" not in lines.getvalue()
