"""What was erased while a node runs is off its disk when the operator is told that it is."""

from __future__ import annotations

import asyncio

from node.desk import act
from node.run import desk_of
from protocol.encoding import Json
from tests.support.pair import FIJI, QUMRAN, Pair
from tests.support.people import person_for


def files_of(pair: Pair, name: str) -> bytes:
    """Give every byte that a node's database has on the disk."""
    folder = pair.folder / name
    return b"".join(path.read_bytes() for path in sorted(folder.glob("comity.db*")))


async def did(pair: Pair, verb: str, **arguments: Json) -> None:
    """Have Fiji's node, which runs, do something."""
    desk = desk_of(pair[FIJI].node)
    await asyncio.to_thread(act, desk, verb, arguments, person=person_for(verb))


async def test_an_erased_record_leaves_the_files_of_a_node_that_runs(light_pair: Pair) -> None:
    """Neither in the database nor in the log of changes beside it, and the node goes on."""
    await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    (entry, *_) = [
        row for row in light_pair[FIJI].rows("log_entries") if row["kind"] == "message.sent"
    ]
    record, salt = entry["record"], entry["salt"]
    assert isinstance(record, bytes)
    assert isinstance(salt, bytes)
    assert record in files_of(light_pair, FIJI)
    await did(
        light_pair, "audit.erase", log=1, entries=str(entry["position"]), reason="retention-ended"
    )
    assert record not in files_of(light_pair, FIJI)
    assert salt not in files_of(light_pair, FIJI)
    await light_pair.request()
    light_pair[FIJI].assert_sound()


async def test_the_key_of_an_erased_case_leaves_the_files_of_a_node_that_runs(
    light_pair: Pair,
) -> None:
    """Else its messages could still be opened by whoever has the disk and the passphrase."""
    posted = await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    (case,) = light_pair[FIJI].rows("cases")
    key = case["wrapped_key"]
    assert isinstance(key, bytes)
    assert key in files_of(light_pair, FIJI)
    await did(light_pair, "case.erase", case=posted.case, reason="retention-ended")
    assert key not in files_of(light_pair, FIJI)
