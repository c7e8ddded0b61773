"""Asking a node: its sentence comes through, and one that dies is never taken for success."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from node.ask import NoNode, Told, ask_node, reachable
from node.exits import Exit


@contextmanager
def _node(path: Path, answer: bytes) -> Iterator[None]:
    """Listen as a node does, read one request, give these bytes and hang up."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with reachable(path) as name:
        listening.bind(name)
    listening.listen()

    def serve() -> None:
        conn, _ = listening.accept()
        with conn, conn.makefile("rb") as asked:
            lines = list(iter(asked.readline, b"\r\n"))
            declared = next(one for one in lines if one.lower().startswith(b"content-length:"))
            asked.read(int(declared.split()[1]))
            conn.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        listening.close()


def _response(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


def test_a_node_of_another_user_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel refuses, and the sentence says as whom to type the command."""

    def refuse(path: Path) -> Iterator[str]:
        raise PermissionError(path)

    monkeypatch.setattr("node.ask.reachable", contextmanager(refuse))
    with pytest.raises(Told, match=r"\[control\] socket"):
        ask_node(tmp_path / "control.sock", "case.list", {})


def test_an_answer_comes_back_as_it_is(tmp_path: Path) -> None:
    """One object."""
    path = tmp_path / "control.sock"
    with _node(path, _response("200 OK", b'{"schema":"comity.x/1"}')):
        assert ask_node(path, "case.list", {}) == {"schema": "comity.x/1"}


def test_a_failure_comes_back_with_its_sentence_and_status(tmp_path: Path) -> None:
    """What the node says is what the person reads."""
    path = tmp_path / "control.sock"
    body = b'{"code":"malformed","exit":2,"sentence":"Look again."}'
    with _node(path, _response("422 No", body)), pytest.raises(Told) as told:
        ask_node(path, "case.list", {})
    assert (told.value.fault.code, told.value.fault.exit) == ("malformed", Exit.USAGE)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"code":"x","exit":77,"sentence":"y"}'])
def test_a_failure_without_a_sentence_is_still_a_failure(tmp_path: Path, body: bytes) -> None:
    """A bug in the node is said to be in its log."""
    path = tmp_path / "control.sock"
    with _node(path, _response("500 Oh", body)), pytest.raises(Told) as told:
        ask_node(path, "case.list", {})
    assert told.value.fault.code == "node-failed"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
def test_a_node_that_ends_before_it_answers_is_not_believed(tmp_path: Path, answer: bytes) -> None:
    """Whether the verb was done is unknown, and that is what is said."""
    path = tmp_path / "control.sock"
    with _node(path, answer), pytest.raises(Told) as told:
        ask_node(path, "request.send", {})
    assert (told.value.fault.code, told.value.fault.exit) == ("node-gone", Exit.LATER)


def test_where_nobody_listens_there_is_no_node(tmp_path: Path) -> None:
    """No folder, no socket, or one that a killed node left."""
    with pytest.raises(NoNode):
        ask_node(tmp_path / "run" / "control.sock", "case.list", {})
    with pytest.raises(NoNode):
        ask_node(tmp_path / "control.sock", "case.list", {})
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(tmp_path / "control.sock"))
    left.close()
    with pytest.raises(NoNode):
        ask_node(tmp_path / "control.sock", "case.list", {})


def test_a_path_longer_than_the_kernel_takes_is_reached(tmp_path: Path) -> None:
    """An authority's folder may lie deep."""
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    with _node(folder / "control.sock", _response("200 OK", b"{}")):
        assert ask_node(folder / "control.sock", "case.list", {}) == {}
