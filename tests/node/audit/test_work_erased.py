"""Erasing a case of people's work: what is destroyed with its key, and what still verifies."""

from __future__ import annotations

from pathlib import Path

from node.audit.erasure import erase_case
from node.storage import case_rows
from node.storage.writer import Tx
from tests.node.audit.test_canary import holds
from tests.support.clock import ManualClock
from tests.support.exchanged import AtRest, audit
from tests.support.network import NETWORK
from tests.support.watched import Watched

LEFT_EMPTY = ("case_words", "case_sums")
WRITTEN = (b"Lior Benna", b"4 Harbour Road", b"Joren Vask")
"""What stands in every request that `worked` writes."""


def erased(made: Watched, folder: Path) -> tuple[AtRest, str]:
    """Erase the case on paper in a copy of Fiji's node; gives the copy and the case."""
    rest = made.fiji.copy(folder)
    ((case_id,),) = rest.select("SELECT DISTINCT case_id FROM paper_steps")
    node = rest.open(ManualClock(made.now))

    def work(tx: Tx) -> None:
        case = case_rows.read_case(tx.conn, str(case_id), lock=True)
        assert case is not None
        erase_case(tx, NETWORK, case, reason="retention-ended")

    node.writer.write_now(work)
    node.close()
    return rest, str(case_id)


def test_words_and_sums_of_an_erased_case_are_gone(met: Watched, tmp_path: Path) -> None:
    """Nothing finds it by a name any more, and nobody adds its money up."""
    rest, case = erased(met, tmp_path / "copy")
    for table in LEFT_EMPTY:
        count = f"SELECT count(*) FROM {table} WHERE case_id = '{case}'"  # noqa: S608  (our own names)
        assert met.fiji.select(count) != [(0,)]
        assert rest.select(count) == [(0,)]


def test_answers_that_are_kept_for_repeats_are_forgotten(met: Watched, tmp_path: Path) -> None:
    """They may hold what the case said, and do not say of which case they are."""
    rest, _case = erased(met, tmp_path / "copy")
    assert met.fiji.select("SELECT count(*) FROM repeats WHERE status = 200") == [(2,)]
    assert set(rest.select("SELECT status, length(sealed_answer) FROM repeats")) == {(0, 0)}


def test_the_audit_of_an_erased_case_is_sound(met: Watched, tmp_path: Path) -> None:
    """Its steps keep their records; that its texts do not open was documented."""
    rest, _case = erased(met, tmp_path / "copy")
    assert audit(rest).findings == ()


def test_what_people_wrote_stands_in_no_file_in_clear(met: Watched) -> None:
    """Neither of a draft, nor of a request, nor of a letter; the words by which it is found too."""
    files = [path for path in met.fiji.folder.rglob("*") if path.is_file()]
    assert any(path.name == "comity.db" for path in files)
    for path in files:
        raw = path.read_bytes()
        assert [word for word in WRITTEN if holds(raw, word)] == [], path.name
