"""No line of the log can hold what nobody put on the list, or harm whoever reads it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest

from node import logs
from tests.support.public_data import public

CANARY = "Ms Example of 4 Harbour Road"

Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def written() -> Iterator[Lines]:
    """Write lines to memory at level debug; gives a function that reads them back."""
    stream = io.StringIO()
    before = list(logging.getLogger().handlers)
    logs.configure("debug", "json", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.configure("info", "json")
    logging.getLogger().handlers[:] = before


def test_a_line_is_one_object_with_time_level_module_and_event(written: Lines) -> None:
    """The fields that every line has, and those that were given."""
    logs.get("courier").info("batch sent", peer="fj.justice", count=3, seconds=0.12345678)
    (line,) = written()
    assert str(line.pop("time")).endswith("Z")
    assert line == {
        "event": "batch sent",
        "level": "info",
        "module": "courier",
        "peer": "fj.justice",
        "count": 3,
        "seconds": 0.123457,
    }


def test_a_name_outside_the_list_is_left_out_and_counted(written: Lines) -> None:
    """Neither the value nor the name of such a field appears."""
    before = logs.unlisted_total()
    logs.get("inbox").info("accepted", body=CANARY, **{CANARY: 1}, peer="qm.justice")
    (line,) = written()
    assert line["unlisted"] == 2
    assert line["peer"] == "qm.justice"
    assert "Harbour" not in json.dumps(line)
    assert logs.unlisted_total() == before + 2


def test_prose_in_a_field_for_ids_is_replaced_by_its_length(written: Lines) -> None:
    """Content that reaches a listed field by mistake is still not written."""
    logs.get("inbox").info("accepted", kind=CANARY, case=("x", CANARY), state="日本語")
    (line,) = written()
    assert line["kind"] == f"<text of {len(CANARY)} characters>"
    assert line["case"] == ["x", f"<text of {len(CANARY)} characters>"]
    assert line["state"] == "<text of 3 characters>"


@pytest.mark.parametrize("event", [CANARY, "", "x" * 100, "sent\nforged", "Sent {x}"])
def test_an_event_that_is_no_plain_phrase_is_left_out(written: Lines, event: str) -> None:
    """An f-string in the place of the event cannot carry content either."""
    logs.get("inbox").info(event)
    (line,) = written()
    assert line["event"] == "unlisted event"
    assert line["unlisted"] == 1


def test_what_is_no_plain_value_appears_as_its_type(written: Lines) -> None:
    """Bytes, objects and mappings are not taken apart."""
    logs.get("inbox").info("accepted", digest=b"secret", item=[{"a": CANARY}], code=None, seq=True)
    (line,) = written()
    assert line["digest"] == "<bytes>"
    assert line["item"] == ["<dict>"]
    assert (line["code"], line["seq"]) == (None, True)


def test_an_exception_appears_as_classes_and_places_without_its_message(written: Lines) -> None:
    """A driver's message can quote a row, so no message is written, nor that of the cause."""
    try:
        try:
            raise ValueError(CANARY)
        except ValueError as fault:
            raise OSError(CANARY) from fault
    except OSError:
        logs.get("storage").exception("failed")
    (line,) = written()
    assert line["level"] == "error"
    assert line["error"] == "OSError < ValueError"
    assert "test_logs.py:" in str(line["raised_at"])
    assert "Harbour" not in json.dumps(line)


def test_an_exception_may_be_handed_over(written: Lines) -> None:
    """Outside an except block, the exception itself is given."""
    logs.get("app").error("failed", exc_info=KeyError(CANARY))
    logs.get("app").error("failed", exc_info=True)
    first, second = written()
    assert (first["error"], first["raised_at"]) == ("KeyError", [])
    assert "error" not in second


def test_a_library_is_heard_without_its_text(written: Lines) -> None:
    """Its message may quote a peer's bytes: the line says where to look instead."""
    logging.getLogger("aiohttp.server").error("bad request %s", CANARY)
    logging.getLogger("aiohttp.access").info("GET / 200")
    logging.getLogger("asyncio").warning("slow: %s", CANARY)
    first, second = written()
    assert str(first["origin"]).startswith("aiohttp.server:test_logs.py:")
    assert (first["level"], second["level"]) == ("error", "warning")
    assert "Harbour" not in json.dumps([first, second])


def test_a_level_below_the_chosen_one_is_not_written() -> None:
    """And choosing again adds no second handler for libraries."""
    stream = io.StringIO()
    before = list(logging.getLogger().handlers)
    logs.configure("warning", "json", stream)
    logs.configure("warning", "json", stream)
    logs.get("app").info("started")
    logs.get("app").warning("slow")
    logging.getLogger("x").warning("once")
    logs.configure("info", "json")
    logging.getLogger().handlers[:] = before
    assert stream.getvalue().count("\n") == 2


def test_lines_go_to_standard_error_in_json_unless_configured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A line before `configure` is as harmless as one after it."""
    logs.get("app").info("started", body=CANARY)
    out = capsys.readouterr()
    assert out.out == ""
    assert json.loads(out.err)["unlisted"] == 1


def test_the_form_for_a_person_has_the_same_content() -> None:
    """Nothing is left out of or added to the console's form; no colours outside a terminal."""
    stream = io.StringIO()
    before = list(logging.getLogger().handlers)
    logs.configure("info", "console", stream)
    logs.get("app").info("started", peer="qm.justice", body=CANARY)
    logs.configure("info", "json")
    logging.getLogger().handlers[:] = before
    assert "started" in stream.getvalue()
    assert "peer=qm.justice" in stream.getvalue()
    assert "unlisted=1" in stream.getvalue()
    assert "Harbour" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_hostile_texts_stay_one_plain_line(written: Lines) -> None:
    """Line ends, escapes, direction marks and length cannot leave their place."""
    hostile = ["a\r\nb", "\x1b[31m", "\u202egnp.exe", "\ud800", "\x00", "z" * 1_000_000, "\u2028"]
    for text in hostile:
        logs.get("listener").warning("refused", detail=text, code=text)
    lines = written()
    assert len(lines) == len(hostile)
    for line in lines:
        assert str(line["detail"]).isprintable()
        assert len(str(line["detail"])) < 6 * logs.PROSE_CHARS_MAX


def test_naughty_strings_stay_one_plain_line(written: Lines) -> None:
    """The public list of troublesome strings troubles no line."""
    naughty = json.loads(public("naughty-strings.json").read_text())
    for text in naughty:
        logs.get("listener").warning("refused", detail=text, peer=text, **{text or "x": text})
    lines = written()
    assert len(lines) == len(naughty) > 400
    assert all(str(line["detail"]).isprintable() for line in lines)
