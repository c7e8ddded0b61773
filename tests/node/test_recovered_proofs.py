"""What a node gives to strangers after a recovery proves itself, whichever log it rests on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from node.audit.prove import find_place, prove_record
from node.audit.verify import Judgement, Verdict, verify_file
from node.desk import act
from node.run import desk_of
from protocol.encoding import from_base64
from tests.support.network import RunningNode
from tests.support.people import ANNA
from tests.support.recovering import FIJI, QUMRAN, add, cloned, recovered, set_back

FIRST, SECOND = f"pacific/{QUMRAN}/1", f"pacific/{QUMRAN}/2"


async def done(node: RunningNode, verb: str, case: str) -> Any:  # noqa: ANN401  (what a verb gives)
    """Do something at the desk of a node that serves."""
    desk = desk_of(node.node, asyncio.get_running_loop())
    return await asyncio.to_thread(act, desk, verb, {"case": case}, person=ANNA)


def sound(raw: bytes) -> Judgement:
    """Verify a file that somebody else is given, of which all must hold."""
    judged = verify_file(raw)
    assert judged.conclusion is Verdict.TRUE, judged
    return judged


async def test_receipts_bundles_and_records_of_the_next_log_prove_themselves(
    tmp_path: Path,
) -> None:
    """At both ends; and each says that the first log was closed, where it matters."""
    async with set_back(tmp_path) as (nodes, case, _lost):
        fiji, qumran = nodes[FIJI], nodes[QUMRAN]
        await recovered(qumran)
        await qumran.start()
        theirs = await add(fiji, case)
        ours = await add(qumran, case)
        for node in (fiji, qumran):
            receipts = {
                one["message"]: sound(from_base64(one["file"]))
                for one in (await done(node, "case.receipts", case))["receipts"]
            }
            assert receipts[theirs.identity].fields["origin"] == SECOND
            assert said(receipts[theirs.identity]) == [FIRST]
            assert receipts[ours.identity].fields["origin"] == f"pacific/{FIJI}/1"
            origins = {one.fields["origin"] for one in receipts.values()}
            assert origins == {FIRST, SECOND, f"pacific/{FIJI}/1"}
            assert [said(one) for one in receipts.values()].count([FIRST]) == len(
                [one for one in receipts.values() if one.fields["origin"] == SECOND]
            )
            for verb in ("case.bundle", "case.proofs"):
                judged = sound(from_base64((await done(node, verb, case))["bundle"]))
                assert said(judged) == [FIRST]
                assert any("because its state was lost" in one for one in judged.statements)


async def test_a_clone_shows_of_its_closed_log_only_what_others_saw(tmp_path: Path) -> None:
    """What it wrote in its own copy contradicts what its peer has, and is in no file."""
    async with cloned(tmp_path) as made:
        await recovered(made.qumran)
        await made.qumran.start()
        await add(made.fiji, made.theirs.case)
        for node in (made.fiji, made.qumran):
            for verb in ("case.bundle", "case.proofs"):
                told = await done(node, verb, made.theirs.case)
                assert said(sound(from_base64(told["bundle"]))) == [FIRST]
                (left_out,) = told["left_out"]
                assert left_out.startswith(f"The witnesses of {FIRST}: ")
        quiet = await done(made.qumran, "case.bundle", made.quiet)
        judged = sound(from_base64(quiet["bundle"]))
        assert quiet["left_out"] == []
        (line,) = (one for one in judged.statements if f"accepted by {QUMRAN}" in one)
        assert line.endswith("witnessed by 1 of 1.")


def said(judged: Judgement) -> list[str]:
    """Give the logs of which a judgement says that they were closed."""
    closed: Any = judged.fields["closed"]
    return [one["origin"] for one in closed]


@pytest.mark.parametrize("name", ["1/0", "2/0"])
async def test_records_of_both_logs_are_proved_after_a_recovery(tmp_path: Path, name: str) -> None:
    """Alone, a record needs the reader's policy; what it says of itself is of its log."""
    async with set_back(tmp_path) as (nodes, _case, _lost):
        qumran = nodes[QUMRAN]
        await recovered(qumran)
        await qumran.start()
        directory = qumran.node.office.directory
        proven = qumran.read(
            lambda conn: prove_record(conn, directory, QUMRAN, find_place(conn, name))
        )
        judged = verify_file(proven.encode())
        assert judged.conclusion is Verdict.UNDECIDED
        assert judged.fields["origin"] == f"pacific/{QUMRAN}/{name[0]}"
