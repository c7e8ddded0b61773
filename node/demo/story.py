"""The demo's story: three authorities, two requests, one outage, three frauds that fail.

`STEPS` is the story in its order. A step runs commands as a person would type them and
gives what it saw in a sentence; it raises `StepFailed` if anything is otherwise. What steps
hand on to each other stands in `Company`. Knows nothing of how the page looks.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from keys.fingerprint import Fingerprint, document_fingerprint
from node.clock import Clock, Random
from node.demo import files, fraud
from node.demo.network import STEWARDS, THRESHOLD, introduce
from node.demo.ports import free_ports
from node.demo.stage import Stage, StepFailed

T = TypeVar("T")

NETWORK: Final = "demo.region"
ASKING: Final = "qm.justice"
ASKED: Final = "qn.prosecution"
THIRD: Final = "qp.fiu"
AUTHORITIES: Final = (ASKING, ASKED, THIRD)
_WAIT_S_MAX: Final = 25.0
_OFFICER: Final = "officer"
OFFICER_KEY, _FIRST_KEY = "officer.key", "first.key"
_OF_CASES: Final = frozenset({"request", "case", "evidence"})
_LOOPBACK: Final = "127.0.0.1"
_PACE_S: Final = 0.1
_UNLOCKED_BY: Final = "passphrase"
_UNLOCKING_BYTES: Final = 16


@dataclass(slots=True)
class Company:
    """Who plays, where, and what the steps so far have left for the next."""

    folder: Path
    stage: Stage
    clock: Clock
    random: Random
    case: str = ""
    second_case: str = ""
    tries: int = 0
    document: Fingerprint | None = None
    receipt: str = ""
    log_sizes: dict[str, int] = field(default_factory=dict)

    def home(self, authority: str) -> Path:
        """Give an authority's folder."""
        return self.folder / authority

    @property
    def received(self) -> Path:
        """Where the files of the answer arrive, by whatever way files travel today."""
        return self.home(ASKING) / "received"

    @property
    def offered(self) -> Path:
        """Where the files lie that go with the request."""
        return self.home(ASKING) / "offered"

    @property
    def produced(self) -> Path:
        """Where the files lie that go with the answer."""
        return self.home(ASKED) / "produced"

    @property
    def receipts(self) -> Path:
        """Where the exported receipts lie."""
        return self.home(ASKING) / "receipts"

    @property
    def note(self) -> Path:
        """A text that the newcomer may send in the case."""
        return self.folder / "note.txt"

    @property
    def altered_log(self) -> Path:
        """The copy of an authority's folder in which one byte of the log is another."""
        return self.folder / "altered" / ASKED

    @property
    def altered_files(self) -> Path:
        """The copy of the answer's files in which one byte is another."""
        return self.folder / "altered" / "received"

    @property
    def altered_receipt(self) -> Path:
        """The copy of a receipt in which one byte is another."""
        return self.folder / "altered" / "receipt.json"

    def comity(self, authority: str, *words: object) -> dict[str, Any]:
        """Run a command of an authority that must succeed; gives its JSON."""
        home = self.home(authority)
        key = ("--key-file", home / OFFICER_KEY) if words[0] in _OF_CASES else ()
        return self.stage.comity("--config", home, *key, *words, "--json").must().answer()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a step saw: a sentence for people, and below it the words of a command or a number."""

    sentence: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name for programs, what it is for people, and what it does."""

    name: str
    title: str
    play: Callable[[Company], Seen]


def _make(company: Company) -> Seen:
    """Make the three nodes, each with a passphrase in a file, so that it starts unattended."""
    ports = free_ports(len(AUTHORITIES), company.random)
    commands = []
    for authority, port in zip(AUTHORITIES, ports, strict=True):
        home = company.home(authority)
        home.mkdir(mode=0o700)
        secret = home / _UNLOCKED_BY
        secret.touch(mode=0o600)
        secret.write_text(company.random(_UNLOCKING_BYTES).hex() + "\n")
        commands.append((
            "init", "--network", NETWORK, "--authority", authority, "--dir", home,
            "--listen", f"{_LOOPBACK}:{port}", "--url", f"https://{_LOOPBACK}:{port}",
            "--passphrase-file", secret, "--json",
        ))  # fmt: skip
    for done in company.stage.comity_each(*commands):
        done.must()
    return Seen(f"made {', '.join(AUTHORITIES)}: each has its keys and its log")


def _introduce(company: Company) -> Seen:
    """Sign the network document, and install it with all listings at all three."""
    listings = [company.home(one) / f"{one}.listing" for one in AUTHORITIES]
    statement = introduce(
        NETWORK, [one.read_bytes() for one in listings],
        random=company.random, now=company.clock.now(),
    )  # fmt: skip
    document = company.folder / "network.document"
    document.write_bytes(statement.encode())
    company.document = found = document_fingerprint(statement.identity)
    for done in company.stage.comity_each(*(
        ("--config", company.home(one), "network", "install", document, *listings,
         "--fingerprint", found.hex, "--json")
        for one in AUTHORITIES
    )):  # fmt: skip
        done.must()
    company.stage.serve({one: company.home(one) for one in AUTHORITIES})
    _employ(company)
    signed = f"{THRESHOLD} of {len(STEWARDS)} stewards signed who is who; nodes run"
    return Seen(f"{signed}; its digits, to compare:", found.digits)


def _employ(company: Company) -> None:
    """Give each authority one officer with an access key: who runs a node reads no case."""
    homes = [company.home(one) for one in AUTHORITIES]
    roles = [f"--role={one}" for one in ("intake-officer", "case-officer", "decision-officer")]
    for words in (
        lambda _: ("user", "add", _OFFICER, *roles),
        lambda home: ("key", "make", "--for", _OFFICER, "--out", home / _FIRST_KEY),
        lambda home: ("--key-file", home / _FIRST_KEY, "key", "make", "--out", home / OFFICER_KEY),
    ):
        commands = [("--config", home, *words(home), "--json") for home in homes]
        for done in company.stage.comity_each(*commands):
            done.must()


def _ask(company: Company) -> Seen:
    """Send a request with a folder of files as evidence; wait for its receipt."""
    files.write_request_files(company.offered)
    body = company.home(ASKING) / "request.json"
    files.write_body(body, files.REQUEST)
    sent = company.comity(
        ASKING, "request", "send", "--to", ASKED, "--kind", files.REQUEST_KIND,
        "--body", body, "--evidence", company.offered,
    )  # fmt: skip
    company.case = str(sent["case"])
    _wait_delivered(company, company.case)
    count = sum(one.is_file() for one in company.offered.rglob("*"))
    return Seen(f"{ASKING} asks {ASKED} for bank records, with {count} files: receipted")


def _answer(company: Company) -> Seen:
    """Read the request at the other side, and answer it with files."""
    shown = company.comity(ASKED, "case", "show", company.case)
    request = shown["messages"][0]["body"]
    if request.get("title") != files.REQUEST["title"]:
        raise StepFailed("the request that was read is not the one that was written")
    files.write_answer_files(company.produced)
    body = company.home(ASKED) / "answer.json"
    files.write_body(body, files.ANSWER)
    company.note.write_text(files.NOTE)
    company.comity(
        ASKED, "case", "answer", company.case, "--body", body, "--evidence", company.produced
    )
    _wait_delivered(company, company.case, at=ASKED)
    return Seen(f"{ASKED} reads the request and answers, with files: receipted")


def _check_files(company: Company) -> Seen:
    """Hold the files that arrived against what the answer signed."""
    shutil.copytree(company.produced, company.received)
    found = company.comity(ASKING, "evidence", "verify", company.case, company.received)
    count = sum(one["verdict"] == "same" for one in found["items"])
    return Seen(f"{ASKING} has the files: all {count} are, byte for byte, what was signed")


def _outage(company: Company) -> Seen:
    """Kill the third node, and write to it."""
    company.stage.kill(THIRD)
    body = company.home(ASKING) / "second-request.json"
    files.write_body(body, files.NOTICE)
    sent = company.comity(
        ASKING, "request", "send", "--to", THIRD, "--kind", files.REQUEST_KIND, "--body", body
    )
    company.second_case = str(sent["case"])
    waiting = _wait(
        company, lambda: [one for one in _waiting(company) if one["attempts"]],
        f"{ASKING} never tried to reach {THIRD}",
    )  # fmt: skip
    company.tries = int(waiting[0]["attempts"])
    return Seen(f"{THIRD} is killed (kill -9); a request to it waits: {waiting[0]['why']}")


def _waiting(company: Company) -> list[dict[str, Any]]:
    """Give what waits for the third node."""
    waiting: list[dict[str, Any]] = company.comity(ASKING, "outbox")["waiting"]
    return [one for one in waiting if one["to"] == THIRD]


def _return(company: Company) -> Seen:
    """Start the third node again, and wait until the message has arrived."""
    company.stage.serve({THIRD: company.home(THIRD)})

    def gone() -> bool:
        waiting = _waiting(company)
        company.tries = max([company.tries, *(int(one["attempts"]) for one in waiting)])
        return not waiting

    _wait(company, gone, f"what waited for {THIRD} did not leave")
    _wait_delivered(company, company.second_case)
    found = company.comity(THIRD, "case", "list")["cases"]
    if [one["id"] for one in found] != [company.second_case]:
        raise StepFailed(f"{THIRD} does not hold exactly the one case that was sent to it")
    tries = company.tries + 1
    return Seen(f"{THIRD} is back; the request arrives, once, at try {tries}: receipted")


def _check_logs(company: Company) -> Seen:
    """Re-derive all three logs from storage."""
    for one, done in zip(
        AUTHORITIES,
        company.stage.comity_each(
            *(("--config", company.home(one), "audit", "verify", "--json") for one in AUTHORITIES)
        ),
        strict=True,
    ):
        company.log_sizes[one] = int(done.must().answer()["size"])
    counted = " + ".join(str(count) for count in company.log_sizes.values())
    return Seen(f"the three logs, derived again from storage, hold: {counted} entries")


def _alter_log(company: Company) -> Seen:
    """Change one byte of a record in a copy of an authority's folder."""
    fraud.copy_node(company.home(ASKED), company.altered_log)
    fraud.alter_acceptance(company.altered_log / "comity.db")
    done = company.stage.comity("--config", company.altered_log, "audit", "verify", "--json").must(
        3
    )
    sentence = f"one byte changed in a copy of {ASKED}'s log: caught, status 3"
    return Seen(sentence, _finding(done.answer()))


def _finding(report: dict[str, Any]) -> str:
    found = report["findings"][0]
    return f"{found['place']}: {found['sentence']}"


def _alter_file(company: Company) -> Seen:
    """Change one byte of a bank statement in a copy of the files."""
    shutil.copytree(company.received, company.altered_files)
    fraud.alter_text(company.altered_files / files.STATEMENT, b"31990.00", b"31090.00")
    home = company.home(ASKING)
    done = company.stage.comity(
        "--config", home, "--key-file", home / OFFICER_KEY, "evidence", "verify", company.case,
        company.altered_files, "--json",
    ).must(3)  # fmt: skip
    bad = [one for one in done.answer()["items"] if one["verdict"] != "same"]
    if [one["path"] for one in bad] != [files.STATEMENT]:
        raise StepFailed("evidence verify accuses another file than the one that was altered")
    sentence = "one byte changed in a copy of a bank statement: caught, status 3"
    return Seen(sentence, f"{bad[0]['verdict']}: {files.STATEMENT}")


def _check_receipt(company: Company) -> Seen:
    """Export a receipt, verify it with no node and no configuration, then alter it."""
    given = company.comity(ASKING, "case", "receipts", company.case, "--out", company.receipts)
    receipt = next(str(one["file"]) for one in given["receipts"] if one["issuer"] == ASKED)
    company.receipt = receipt
    company.stage.comity("verify", receipt, "--fingerprint", company.document, "--json").must()
    shutil.copyfile(receipt, company.altered_receipt)
    fraud.alter_receipt(company.altered_receipt)
    company.stage.comity("verify", company.altered_receipt, "--json").must(3)
    return Seen(f"{ASKED}'s receipt verifies offline; with one byte changed: caught")


def _wait_delivered(company: Company, case: str, *, at: str = ASKING) -> None:
    """Wait until all that `at` sent in a case has its receipt."""

    def delivered() -> bool:
        messages = company.comity(at, "case", "show", case)["messages"]
        ours = [one for one in messages if one["from"] == at]
        return bool(ours) and all(one["receipted"] for one in ours)

    _wait(company, delivered, f"no receipt came for what {at} sent")


def _wait(company: Company, look: Callable[[], T], otherwise: str) -> T:
    """Look until there is something to see, and give it; raises `StepFailed` in the end."""
    until = company.clock.monotonic() + _WAIT_S_MAX
    pace = threading.Event()  # never set: it only paces the looking
    while not (found := look()):
        if company.clock.monotonic() > until:
            raise StepFailed(f"{otherwise} within {_WAIT_S_MAX:.0f} seconds")
        pace.wait(_PACE_S)
    return found


STEPS: Final = (
    Step("make", "Three authorities", _make),
    Step("introduce", "A network document", _introduce),
    Step("request", "A request with evidence", _ask),
    Step("answer", "An answer with evidence", _answer),
    Step("evidence", "The evidence checked", _check_files),
    Step("outage", "An outage", _outage),
    Step("return", "The end of the outage", _return),
    Step("logs", "The logs checked", _check_logs),
    Step("altered-log", "An altered log", _alter_log),
    Step("altered-file", "An altered file", _alter_file),
    Step("receipt", "A receipt offline", _check_receipt),
)
"""The story in its order; names are for programs and stay as they are."""
