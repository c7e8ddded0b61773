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

from node.ask import NoNode, Told, ask_node
from node.control import serve_desk
from node.exits import Exit
from node.run import desk_of
from node.settings import SettingsError
from protocol.encoding import Json
from tests.support.pair import FIJI, QUMRAN, Pair

NOBODY = 65_534
SEND: dict[str, Json] = {"to": QUMRAN, "kind": "mla", "body": {}, "manifest": None}


async def test_the_socket_is_for_the_owner_only_and_goes_with_the_node(light_pair: Pair) -> None:
    """Mode 0600 while it listens; afterwards nobody is there."""
    path = light_pair.folder / "run" / "control.sock"
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
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
syswrite($s, "POST /v1/case.list HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
sysread($s, my $answer, 12); print $answer;
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv") or not shutil.which("perl"),
    reason="speaking as another user needs root, setpriv and perl",
)
@pytest.mark.parametrize(
    ("mode", "user", "heard"),
    [(0o600, NOBODY, "no way in"), (0o666, NOBODY, "HTTP/1.1 403"), (0o600, 0, "HTTP/1.1 200")],
)
async def test_another_user_is_not_heard_even_if_the_mode_would_let_him(
    light_pair: Pair, open_folder: Path, mode: int, user: int, heard: str
) -> None:
    """The kernel says who is at the other end; the mode is only the first door."""
    path = open_folder / "s"
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        path.chmod(mode)
        speaking = await asyncio.create_subprocess_exec(
            "setpriv", f"--reuid={user}", "--clear-groups", "perl", "-e", CONNECT, str(path),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        answer, _ = await speaking.communicate()
    assert answer.decode() == heard


async def ask(path: Path, verb: str, arguments: dict[str, Json]) -> dict[str, Json]:
    """Ask the node as the command line does."""
    return await asyncio.to_thread(ask_node, path, verb, arguments)


async def test_a_verb_is_done_by_the_running_node(light_pair: Pair) -> None:
    """Arguments and results are JSON; what was written is there."""
    path = light_pair.folder / "run" / "control.sock"
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        sent = await ask(
            path,
            "request.send",
            {"to": QUMRAN, "kind": "mla_evidence", "body": {"text": "please"}, "manifest": None},
        )
        listed = await ask(path, "case.list", {})
    assert (sent["schema"], sent["state"]) == ("comity.request/1", "queued")
    assert str(sent["case"]) in str(listed["cases"])


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
        ("request.send", {"to": "NOT AN ID", "kind": "mla", "body": {}}, "malformed"),
        (
            "request.send",
            {"to": "xx.justice", "kind": "mla", "body": {}, "manifest": None},
            "not-permitted",
        ),
        ("request.send", {"to": QUMRAN, "kind": "two words", "body": {}}, "malformed"),
        ("request.send", {"to": QUMRAN, "kind": "mla", "body": []}, "malformed"),
        ("request.send", {"to": QUMRAN, "kind": "m", "body": {}, "manifest": {}}, "malformed"),
        ("case.event", {"case": "x", "event": "note", "body": {}, "manifest": None}, "not-found"),
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
    before = light_pair[FIJI].counts()
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        with pytest.raises(Told) as told:
            await ask(path, verb, arguments)
    fault = told.value.fault
    assert (fault.code, fault.exit) == (code, Exit.FAILED)
    assert fault.sentence.endswith((".", "!")) or "`" in fault.sentence
    assert light_pair[FIJI].counts() == before


def send_raw(path: Path, body: bytes, target: str = "/v1/case.list", method: str = "POST") -> int:
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
        (b"", "/v1/case.list", "POST", 422),
        (b"{", "/v1/case.list", "POST", 422),
        (b"[]", "/v1/case.list", "POST", 422),
        (b'{"a":1,"a":2}', "/v1/case.list", "POST", 422),
        (b"\xff\xfe", "/v1/case.list", "POST", 422),
        (b"[" * 100_000, "/v1/case.list", "POST", 422),
        (b"{}", "/v1/%2e%2e%2f", "POST", 422),
        (b"{}", "/v1/case.list/more", "POST", 404),
        (b"{}", "/", "POST", 404),
        (b"{}", "/v1/case.list", "GET", 405),
        (b"{}", "/v1/case.list", "POST", 200),
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
        assert (await ask(path, "case.list", {}))["cases"] == []


async def test_a_request_over_the_limit_has_a_sentence_too(light_pair: Pair) -> None:
    """Seventeen megabytes: refused while they are read, and the command can say why."""
    path = light_pair.folder / "run" / "control.sock"
    body: dict[str, Json] = {"text": "x" * (17 * 1024 * 1024)}
    before = light_pair[FIJI].counts()
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        with pytest.raises(Told) as told:
            await ask(path, "request.send", {"to": QUMRAN, "kind": "mla", "body": body})
        assert (await ask(path, "case.list", {}))["cases"] == []
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
        monkeypatch.setattr(wired.node.register, "send_request", broken)
        with pytest.raises(Told) as told:
            await ask(path, "request.send", SEND)
        assert told.value.fault.exit == Exit.FAILED
        assert "canary" not in told.value.fault.sentence
        assert (await ask(path, "case.list", {}))["cases"] == []
    assert "canary" not in lines.getvalue()
