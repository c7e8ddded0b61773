"""The whole node: nothing of a case is readable outside, and a node that must not run does not."""

from __future__ import annotations

import io
import json
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.app import open_node
from node.evidence.manifest import Item, Manifest
from node.logs import unlisted_total
from node.storage.engine import NodeRuns, StorageFailed, exclusive_lock
from protocol.encoding import Json
from protocol.errors import Rejected
from protocol.messages import Attachment
from tests.support.forge import flipped
from tests.support.pair import FIJI, NAMES, QUMRAN, TONGA, Pair, Wired, fresh_message, sealed

CANARY = "Xq7CanaryKestrel"


def canary(number: int) -> str:
    """Give one of the words that must not be found anywhere."""
    return f"{CANARY}{number:03}"


BODY: dict[str, Json] = {
    "text": canary(1),
    canary(2): canary(3),
    "list": [canary(4), {canary(5): [canary(6)]}],
    "names": {"suspect": f"{canary(7)} O'{canary(8)}", "born": "1970-01-01"},
    "request_kind_note": canary(9),
}
MANIFEST = Manifest((Item(f"{canary(10)}/{canary(11)}.pdf", "application/pdf", 9, "ab" * 32),))


async def a_story(pair: Pair) -> str:
    """Let canaries go everywhere that a message goes, well and badly; gives the case."""
    register = pair[FIJI].node.register
    posted = await pair[FIJI].write(
        lambda tx: register.send_request(
            tx, to=QUMRAN, request_kind="MLA_EVIDENCE", body=BODY, manifest=MANIFEST
        )
    )
    pair.link(FIJI, QUMRAN).next("corrupt the envelopes", "corrupt the receipts")
    for _ in range(3):
        await pair[FIJI].send_to(QUMRAN)
    await pair.event(posted.case, sender=QUMRAN, kind="answer", body=BODY)
    await pair[QUMRAN].send_to(FIJI)
    await pair.event(posted.case, sender=FIJI, body={"waits": canary(12)})
    await offer_badly(pair)
    return posted.case


async def offer_badly(pair: Pair) -> None:
    """Offer Qumran messages with canaries in every field that is wrong."""
    attachment = Attachment(canary(13), "text/plain", 1, "ab" * 32, 1, "cd" * 32)
    body: dict[str, Json] = {"request_kind": f"not a word: {canary(14)}"}
    good = fresh_message(pair, body=body, attachments=(attachment,))
    parts = pair.forge(good)
    texts = [
        parts.with_text(kind=canary(15)),
        parts.with_text(case=canary(16)),
        parts.with_text(network=canary(17)),
        parts.with_text(**{canary(18): canary(19)}),
        parts.with_text(skips=[canary(20)]),
        parts.with_text(body=canary(21)),
        parts.with_text(seq=2, prev="ab" * 32),
        parts.with_header(suite=canary(22)),
        parts.with_header(network=canary(23).lower()),
        parts.with_header(**{canary(24): canary(25)}),
    ]
    batch = [one.encode() for one in texts]
    batch += [canary(26).encode() * 40, b"COMITY-1" + canary(27).encode() * 99]
    verdicts = await pair.offer(*batch)
    assert all(one.receipt is None for one in verdicts)
    await pair.offer(parts.encode())
    (other,) = sealed(pair, [fresh_message(pair, body={"text": canary(28)})])
    await pair.offer(other, flipped(other, -30))  # a second message for the first number


def stored(wired: Wired) -> Iterator[bytes]:
    """Give everything that is in a database, cell by cell."""
    for rows in wired.dump().values():
        for row in rows:
            for value in row.values():
                yield value if isinstance(value, bytes) else str(value).encode()


async def test_case_content_is_readable_nowhere_but_by_its_authorities(
    pair: Pair, lines: io.StringIO
) -> None:
    """Not in logs, rows, files, envelopes, answers or records; only in the opened case."""
    case = await a_story(pair)
    register = pair[QUMRAN].node.register
    shown = pair[QUMRAN].read(lambda conn: register.show(conn, case))
    assert canary(8) in str(shown.messages[0].message.body)
    seen: list[bytes] = [lines.getvalue().encode()]
    for link in pair.links.values():
        seen += [one.encode() for one in link.carried]
        seen += [one.encode() for one in link.answered]
    for name in (FIJI, QUMRAN):
        seen += stored(pair[name])
    pair.assert_sound()
    pair.close()
    seen += [path.read_bytes() for path in pair.folder.rglob("*") if path.is_file()]
    assert len(seen) > 100
    found = [one[:60] for one in seen if CANARY.lower().encode() in one.lower()]
    assert found == []


async def test_the_operators_log_is_json_by_lines_with_listed_fields_only(
    light_pair: Pair, lines: io.StringIO
) -> None:
    """Whatever a peer sends, each line parses, and no field was left out of one."""
    before = unlisted_total()
    await a_story(light_pair)
    parsed = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert {"refused", "settled", "unsent"} & {one["event"] for one in parsed}
    assert unlisted_total() == before


async def test_representations_and_faults_hold_no_case_content(light_pair: Pair) -> None:
    """What ends up in a traceback by accident is without content too."""
    case = await a_story(light_pair)
    node = light_pair[FIJI].node
    shown = light_pair[FIJI].read(lambda conn: node.register.show(conn, case))
    assert CANARY not in repr(shown)
    assert CANARY not in repr(light_pair[FIJI].waiting())
    fault = None
    try:
        await light_pair.request({"text": canary(30) * 400_000})
    except Rejected as found:
        fault = found
    assert fault is not None
    assert CANARY not in "".join(traceback.format_exception(fault))


async def test_a_message_with_a_text_of_another_row_is_not_shown(light_pair: Pair) -> None:
    """Rows that somebody swapped in the database: refused, not shown as if they were right."""
    posted = await light_pair.request({"text": "one"})
    await light_pair.event(posted.case, sender=FIJI, body={"text": "two"})
    first, second = light_pair[FIJI].rows("messages")
    light_pair[FIJI].node.database.transact(
        lambda conn: conn.exec_driver_sql(
            "UPDATE messages SET sealed_text = ? WHERE identity = ?",
            (first["sealed_text"], second["identity"]),
        )
    )
    register = light_pair[FIJI].node.register
    with pytest.raises(Rejected, match="altered"):
        light_pair[FIJI].read(lambda conn: register.show(conn, posted.case))


async def test_what_waits_is_delivered_and_everything_holds_over_many_restarts(pair: Pair) -> None:
    """Both nodes go down and up between all steps of a case."""
    posted = await pair.request()
    pair.close()
    await pair[FIJI].send_to(QUMRAN)
    pair.close()
    await pair.event(posted.case, sender=QUMRAN, kind="answer")
    pair.close()
    await pair[QUMRAN].send_to(FIJI)
    pair.close()
    states = {str(row["state"]) for row in pair[FIJI].rows("messages")}
    states |= {str(row["state"]) for row in pair[QUMRAN].rows("messages")}
    assert states == {"delivered", "accepted"}
    pair.assert_sound()


def test_one_process_at_a_time_writes_for_a_folder(light_pair: Pair) -> None:
    """The second one hears who does."""
    folder = light_pair.folder / FIJI
    with (
        exclusive_lock(folder),
        pytest.raises(NodeRuns, match="runs already"),
        exclusive_lock(folder),
    ):
        pass
    with exclusive_lock(folder):
        pass


def test_a_database_that_is_no_database_does_not_open(light_pair: Pair) -> None:
    """And is left as it is."""
    node = light_pair[TONGA].node
    settings = node.settings
    light_pair.close()
    path = light_pair.folder / TONGA / "comity.db"
    path.write_bytes(b"this is a letter, not a database" * 200)
    with pytest.raises(StorageFailed):
        open_node(settings, light_pair.trust.rings[TONGA])
    assert path.read_bytes().startswith(b"this is a letter")


def test_every_node_of_a_network_has_its_own_secrets(light_pair: Pair) -> None:
    """No key, certificate or guard of one is found in the folder of another."""
    files = ("keys/node.key", "tls/peers.key", "tls/peers.crt", "guard/checkpoint")
    for file in files:
        contents = {Path(light_pair.folder / name / file).read_bytes() for name in NAMES}
        assert len(contents) == len(NAMES), file
