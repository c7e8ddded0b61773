"""How the people of a story speak to their node: by typed commands, or by calls of the API.

    told = voice.say(amina, "case.acknowledge", {"case": case, "body": {…}})

A script names verbs and arguments and never knows which voice speaks. `CommandLine` runs the
installed `comity` in a process of its own, as somebody types it; `Api` calls the staff
listener over HTTPS, as a case-management system does. Each has everything that a script needs,
so a case plays from either alone.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import quote, urlencode

from node.api.table import GUARDED, routes
from node.clock import SystemRandom
from node.demo.cases.house import Home
from node.demo.stage import Done, Stage, StepFailed
from node.desk import VERBS
from node.evidence.compare import Verdict, compare
from node.evidence.hashing import manifest_from, walk
from node.evidence.manifest import decode_manifest
from node.exits import Exit
from protocol.lifecycle import EVENTS

Told: TypeAlias = dict[str, Any]
_S_MAX: Final = 30.0
_KEY_BYTES: Final = 16
_SAME: Final = Verdict.SAME

# A word in braces is an argument; an option whose argument is not given is left out.
_COMMANDS: Final = """
draft.create     draft new --to {to} --kind {kind} --body {body} --evidence {evidence}
draft.edit       draft edit {draft} --version {version} --body {body} --evidence {evidence}
draft.check      draft check {draft}
draft.show       draft show {draft}
draft.submit     draft submit {draft} --version {version}
draft.return     draft return {draft} --version {version} --comment {comment}
draft.approve    draft approve {draft} --version {version}
draft.send       draft send {draft}
request.send     request send --to {to} --kind {kind} --body {body} --evidence {evidence}
case.show        case show {case}
case.list        case list
case.search      case search {text}
case.identity    case identity {case}
case.refer       case refer {case} {reference}
case.hand_over   case hand-over {case} {to}
case.let_in      case let-in {case} {login}
case.link        case link {case} {relation} {other}
case.register    case register --side {side} --with {peer} --kind {kind} --channel {channel} --name {name} --body {body}
case.record      case record {case} {event} --channel {channel} --side {side} --body {body}
case.join        case join {case} {wire}
case.bundle      audit bundle {case} --out {out}
case.statistics  statistics
clock.list       work clocks {case}
clock.end        work done {case} {clock}
work.list        work list --group {group}
law.basis        law basis {code}
"""  # noqa: E501  (one command a line)
_SPOKEN: Final[Mapping[str, tuple[str, ...]]] = {
    **{
        f"case.{event}": (
            "case", event.replace("_", "-"), "{case}", "--body", "{body}", "--evidence",
            "{evidence}",
        )
        for event in EVENTS
    },
    **{line.split()[0]: tuple(line.split()[1:]) for line in _COMMANDS.strip().splitlines()},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Actor:
    """One person of a story, at their authority, with their access key."""

    home: Home
    login: str
    key: str = field(repr=False)

    @property
    def key_file(self) -> Path:
        """Where the key is kept."""
        return self.home.folder / f"{self.login}.key"


class Refused(Exception):
    """The node refused what was said; `code` is the stable word for why, `rules` are the law's."""

    def __init__(self, code: str, sentence: str, rules: Iterable[str] = ()) -> None:
        """Keep all."""
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.rules = frozenset(rules)


class Voice(Protocol):
    """One way to speak to a node."""

    name: str

    def say(self, who: Actor, verb: str, arguments: Mapping[str, Any]) -> Told:
        """Say something and give the answer; raises `Refused`."""
        ...

    def bundle(self, who: Actor, case: str, file: Path) -> None:
        """Write the proof bundle of a case into a file; raises `Refused`."""
        ...

    def differing(self, who: Actor, case: str, folder: Path) -> list[str]:
        """Name what is not in a folder as the other side signed it last; raises `Refused`."""
        ...


class CommandLine:
    """Types commands."""

    name = "command line"

    def __init__(self, stage: Stage) -> None:
        """Run them on `stage`."""
        self._stage = stage
        self._files = 0

    def say(self, who: Actor, verb: str, arguments: Mapping[str, Any]) -> Told:
        """Run the command of a verb, its texts in files as a person would have them."""
        given = dict(arguments)
        if "body" in given:
            self._files += 1
            file = who.home.folder / f"text-{self._files}.json"
            file.write_text(json.dumps(given["body"], ensure_ascii=False))
            given["body"] = file
        done = self._type(who, *_words(verb, given))
        if done.status:
            raise _refused(done.out or done.said)
        return done.answer()

    def bundle(self, who: Actor, case: str, file: Path) -> None:
        """Let the command write it."""
        self.say(who, "case.bundle", {"case": case, "out": file})

    def differing(self, who: Actor, case: str, folder: Path) -> list[str]:
        """Let `comity evidence verify` hash and compare."""
        done = self._type(who, "evidence", "verify", case, folder)
        if done.status not in {Exit.DONE, Exit.FALSE}:
            raise _refused(done.out or done.said)
        return [str(one["path"]) for one in done.answer()["items"] if one["verdict"] != _SAME]

    def _type(self, who: Actor, *words: object) -> Done:
        """Run a command at somebody's node, with their key, for a program."""
        return self._stage.comity(
            "--config", who.home.folder, "--key-file", who.key_file, *words, "--json"
        )


def _words(verb: str, given: Mapping[str, Any]) -> list[str]:
    """Put arguments into the words of a command; all must have their place."""
    if verb not in _SPOKEN:
        raise StepFailed(f"no command is known for {verb}")
    spoken = _SPOKEN[verb]
    named = {word[1:-1] for word in spoken if word.startswith("{")}
    if strange := set(given) - named:
        raise StepFailed(f"the command of {verb} takes no {', '.join(sorted(strange))}")
    words: list[str] = []
    for word in spoken:
        if not word.startswith("{"):
            words.append(word)
        elif (value := given.get(word[1:-1])) is not None:
            words.append(str(value))
        elif words[-1].startswith("--"):
            words.pop()
    return words


def _refused(text: str) -> Refused:
    try:
        told = json.loads(text.strip().splitlines()[-1])
        rules = [str(one["rule"]) for one in told.get("findings", ())]
        return Refused(str(told["code"]), str(told["sentence"]), rules)
    except (ValueError, KeyError, TypeError, IndexError) as fault:
        raise StepFailed("a command failed and gave no reason for programs") from fault


class Api:
    """Calls the API."""

    name = "API"

    def __init__(self) -> None:
        """Be ready to call; a connection is made for each call."""
        self._random = SystemRandom()
        self._routes = routes(VERBS)

    def say(self, who: Actor, verb: str, arguments: Mapping[str, Any]) -> Told:
        """Call the path of a verb with the person's key."""
        given = {name: value for name, value in arguments.items() if value is not None}
        if (path := given.pop("evidence", None)) is not None:
            manifest = manifest_from(walk([Path(path)]))
            given["manifest"] = json.loads(manifest.encode())
        route = self._routes.get(verb)
        if route is None:
            raise StepFailed(f"no path is known for {verb}")
        target = route.path
        for place in route.places:
            target = target.replace(f"{{{place}}}", quote(str(given.pop(place)), safe=""))
        headers = {"Authorization": f"Bearer {who.key}", "Accept": "application/json"}
        if (guard := GUARDED.get(verb)) is not None:
            headers["If-Match"] = f'"{given.pop(guard)}"'
        body = None
        if route.method == "GET":
            target += f"?{urlencode(given)}" if given else ""
        else:
            body = json.dumps(given).encode()
            headers["Content-Type"] = "application/json"
            headers["Idempotency-Key"] = self._random(_KEY_BYTES).hex()
        return _call(who.home, route.method, target, headers, body)

    def bundle(self, who: Actor, case: str, file: Path) -> None:
        """Write what the API gives."""
        file.write_bytes(base64.b64decode(self.say(who, "case.bundle", {"case": case})["bundle"]))

    def differing(self, who: Actor, case: str, folder: Path) -> list[str]:
        """Hash the files here and hold them against the manifest that the API gives."""
        told = self.say(who, "case.manifests", {"case": case})["manifests"]
        theirs = [one for one in told if one["from"] != who.home.name]
        if not theirs:
            raise StepFailed(f"no message that came to {who.home.name} lists evidence")
        newest = max(theirs, key=lambda one: int(one["seq"]))
        manifest = decode_manifest(base64.b64decode(newest["manifest"]))
        return [one.path for one in compare(manifest, folder) if one.verdict != _SAME]


def _call(
    home: Home, method: str, target: str, headers: Mapping[str, str], body: bytes | None
) -> Told:
    """Make one call over TLS, trusting only this node's own certificate."""
    context = ssl.create_default_context(cafile=str(home.folder / "tls" / "peers.crt"))
    line = http.client.HTTPSConnection(
        "127.0.0.1", home.staff_port, timeout=_S_MAX, context=context
    )
    try:
        line.request(method, target, body=body, headers=dict(headers))
        answer = line.getresponse()
        raw = answer.read()
    finally:
        line.close()
    told: Told = json.loads(raw) if raw else {}
    if answer.status >= http.client.BAD_REQUEST:
        rules = [str(one.get("rule")) for one in told.get("errors", ())]
        raise Refused(str(told.get("code")), str(told.get("detail")), rules)
    return told
