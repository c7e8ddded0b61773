"""Canaries: words planted in every field of a case, and looked for wherever they must not be.

Two whole nodes exchange over TLS what the commands gave them; an auditor with a token and a
stranger ask over HTTPS; the log is exported, searched, proved and bundled. Plain, in base64,
in hex, in UTF-16: a canary is found in the opened case and in the full bundle, and nowhere
else.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import ssl
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from node.exits import Exit
from node.logs import configure
from tests.support.commands import Done, comity
from tests.support.exchanged import FIJI, QUMRAN
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import RunningNode, make_network
from tests.support.people import settle_in
from tests.support.requests import good_request

CANARY = "Xq7CanaryKestrel"
LEFT_BEHIND = ("keys", "ev", "passphrase")
"""What holds content or passphrases because a person put it there."""


def forms(word: bytes) -> list[bytes]:
    """Give what a word looks like, however it is written, wherever it begins."""
    found = [word.lower(), word.hex().encode(), word.decode().encode("utf-16-le").lower()]
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + word)
        inner = encoded[(shift * 4 + 2) // 3 + 1 : -4]  # what does not depend on its neighbours
        found += [inner, base64.urlsafe_b64encode(base64.b64decode(inner[: len(inner) // 4 * 4]))]
    return found


def holds(raw: bytes, word: bytes = CANARY.encode()) -> bool:
    """Say whether a word is in some bytes, in any of its forms."""
    low = raw.lower()
    return any(one in raw or one in low for one in forms(word))


@dataclass(slots=True)
class Seen:
    """Everything that somebody without the keys of the case can see, and where it was."""

    where: dict[str, bytes] = field(default_factory=dict)

    def command(self, *arguments: str | Path, status: Exit = Exit.DONE) -> Done:
        """Run a command whose words may be seen by anybody."""
        done = comity(*arguments)
        assert done.status is status, (arguments, done.out, done.err)
        self.where[" ".join(map(str, arguments[1:]))] = (done.out + done.err).encode()
        return done

    def folder(self, folder: Path) -> None:
        """See all files of a folder, and what they are called."""
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if name.parts[0] in LEFT_BEHIND or not path.is_file():
                continue
            self.where[f"{folder.name}/{name}"] = path.read_bytes() + str(name).encode()

    def canaries(self) -> list[str]:
        """Give where a canary or the passphrase was found."""
        words = (CANARY.encode(), PASSPHRASE)
        return [name for name, raw in self.where.items() if any(holds(raw, one) for one in words)]


async def ask(port: int, path: str, *headers: str) -> bytes:
    """Ask a node over TLS as any client does, and give its answer with everything in it."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    lines = (f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", *headers)
    writer.write("\r\n".join((*lines, "", "")).encode())
    await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


async def exchange(nodes: dict[str, RunningNode], seen: Seen, token: str) -> None:
    """Let both nodes run until nothing waits, while others ask them things."""
    for node in nodes.values():
        await node.start()
    try:
        for node in nodes.values():
            await node.until(
                lambda conn: not conn.exec_driver_sql("SELECT 1 FROM outbox LIMIT 1").all()
            )
        auditor, port = f"Authorization: Bearer {token}", nodes[FIJI].port
        for path in (
            "log/1/checkpoint", "log/1/tile/0/000.p/4", "log/1/tile/entries/000.p/4",
            "log/1/witnessed", "log/1/tile/0/999", f"log/1/tile/{CANARY}", f"{CANARY}?{CANARY}",
        ):  # fmt: skip
            for name, headers in (("auditor", [auditor]), ("stranger", [])):
                answer = await ask(port, f"/comity/v1/{path}", *headers)
                assert answer.startswith(b"HTTP/1.1 ")
                seen.where[f"{name} asks {path}".replace(CANARY, "?")] = answer
        assert b"200" in seen.where["auditor asks log/1/tile/0/000.p/4"][:16]
        assert b"401" in seen.where["stranger asks log/1/tile/0/000.p/4"][:16]
    finally:
        for node in nodes.values():
            await node.stop()


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Give the operator's log from here on, down to its finest lines."""
    stream = io.StringIO()
    configure("debug", "json", stream)
    yield stream
    configure("info", "json")


def content(folder: Path, name: str) -> tuple[Path, Path]:
    """Give a body and a folder of evidence with canaries in all that a person can write."""
    evidence = folder / "ev" / name
    inner = evidence / f"{CANARY} folder"
    inner.mkdir(parents=True)
    (inner / f"{CANARY}.pdf").write_text(f"{CANARY} in a file")
    body = folder / "ev" / f"{name}.json"
    written: dict[str, object] = {
        **(good_request("INFORMAL_INQUIRY") if name == "request" else {}),
        "text": f"{CANARY} text", f"{CANARY} key": [CANARY, {"deep": CANARY}],
        "names": {"suspect": f"{CANARY} O'Kestrel"}, "contact": f"{CANARY}@example.org",
    }  # fmt: skip
    body.write_text(json.dumps(written))
    return body, evidence


def a_case(root: Path, nodes: dict[str, RunningNode], seen: Seen) -> str:
    """Send a request and its answer, with evidence, by commands and over TLS."""
    at = {name: ("--config", root / name) for name in nodes}
    made = seen.command(*at[FIJI], "audit", "token", "make", "court", "--days", "9", "--json")
    token = made.json["token"]
    body, evidence = content(root, "request")
    sent = seen.command(
        *at[FIJI], "request", "send", "--to", QUMRAN, "--kind", "informal_inquiry",
        "--body", body, "--evidence", evidence, "--json",
    )  # fmt: skip
    case = str(sent.json["case"])
    asyncio.run(exchange(nodes, seen, token))
    body, evidence = content(root, "answer")
    seen.command(*at[QUMRAN], "case", "answer", case, "--body", body, "--evidence", evidence)
    asyncio.run(exchange(nodes, seen, token))
    body.write_text(json.dumps({"text": CANARY}))
    seen.command(*at[FIJI], "case", "note", case, "--body", body)
    return case


def look_everywhere(root: Path, nodes: dict[str, RunningNode], case: str, seen: Seen) -> None:
    """Let an auditor and an operator see all that they may."""
    for name in nodes:
        way, out = ("--config", root / name), root / f"exported-{name}"
        seen.command(*way, "audit", "export", "--dir", out)
        seen.command(*way, "audit", "bundle", case, "-o", out / "proofs", "--proofs-only")
        for form in ("jsonl", "csv"):
            found = out / f"found.{form}"
            seen.command(*way, "audit", "search", "--format", form, "--out", found)
        seen.command(*way, "audit", "search", "--json", "--case", case)
        seen.command(*way, "audit", "verify", "--json")
        seen.command(*way, "case", "list", "--json")
        seen.command(*way, "audit", "prove", "2", "-o", out / "record")
        seen.command(*way, "outbox", "--json")
        for words in (("status",), ("status", "--json"), ("doctor", "--json")):
            done = comity(*way, *words)  # which may well say that something is to be done
            seen.where[f"{name} {' '.join(words)}"] = (done.out + done.err).encode()
        seen.folder(out)
        seen.folder(root / name)


def mistakes(root: Path, case: str, seen: Seen) -> None:
    """Type canaries where they do not belong; what is said back does not repeat content."""
    way = ("--config", root / FIJI)
    body = root / "ev" / "broken.json"
    body.write_text(f'{{"{CANARY}": "{CANARY}" "{CANARY}"}}')
    for arguments in (
        ("case", "note", case, "--body", body),
        ("case", "erase", case, "--reason", f"because of {CANARY}", "--yes"),
        ("audit", "erase", "3", "--reason", f"because of {CANARY}", "--yes"),
        ("evidence", "verify", case, root / "ev"),
    ):
        done = comity(*way, *arguments)
        assert done.status is not Exit.DONE
        if arguments[0] != "evidence":  # which is for those who may see the case
            seen.where[" ".join(map(str, arguments[:2])) + " badly"] = (
                done.out + done.err
            ).encode()


def test_a_canary_is_found_in_the_opened_case_and_nowhere_else(
    tmp_path: Path, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries, records, tiles, exports, logs, answers, errors, files and their names: none."""
    secret = tmp_path / "passphrase"
    secret.touch(mode=0o600)
    secret.write_bytes(PASSPHRASE + b"\n")
    monkeypatch.setenv("COMITY_KEYS__PASSPHRASE_FILE", str(secret))
    root, seen = tmp_path / "nodes", Seen()
    nodes = make_network(root, (FIJI, QUMRAN))
    for one in nodes.values():
        settle_in(one.settings)
    case = a_case(root, nodes, seen)
    look_everywhere(root, nodes, case, seen)
    mistakes(root, case, seen)
    seen.where["the operator's log"] = lines.getvalue().encode()
    assert len(seen.where) > 60
    assert seen.canaries() == []
    for name in nodes:
        shown = comity("--config", root / name, "case", "show", case, "--json")
        assert shown.out.count(CANARY) > 10
        full = tmp_path / f"{name}.comity"
        made = comity("--config", root / name, "audit", "bundle", case, "-o", full)
        assert made.status is Exit.DONE
        with zipfile.ZipFile(full) as opened:
            parts = [one for one in opened.namelist() if holds(opened.read(one))]
        assert {one.partition("/")[0] for one in parts} >= {"messages", "manifests"}


@pytest.mark.parametrize("around", [b"", b"a", b"ab", b"abc", b"{'x': '"])
def test_the_search_finds_what_is_hidden_in_an_encoding(around: bytes) -> None:
    """A search that cannot find proves nothing."""
    raw = around + CANARY.encode() + around
    hidden = (raw, raw.upper(), raw.hex().encode(), base64.b64encode(raw))
    for one in (*hidden, base64.urlsafe_b64encode(raw), raw.decode().encode("utf-16-le")):
        assert holds(b"before " + one + b" after")
    assert not holds(b"before " + around + b" after")
