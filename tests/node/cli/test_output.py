"""What peers wrote cannot steer a terminal, and numbers read as people say them."""

from __future__ import annotations

import pytest

from node.cli.output import Output, harmless, harmless_lines, plural, size, when
from tests.support.commands import comity


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Réponse, 回答, جواب", "Réponse, 回答, جواب"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("bell\x07", r"bell\x07"),
        ("c1\x9b31m", r"c1\x9b31m"),
        ("two\nlines", r"two\nlines"),
        ("turned \u202etxt.exe", r"turned \u202etxt.exe"),
        (None, ""),
        (7, "7"),
    ],
)
def test_one_line_cannot_steer_a_terminal(text: object, shown: str) -> None:
    """Whatever does not print stands as an escape."""
    assert harmless(text) == shown


def test_several_lines_keep_their_breaks_and_nothing_else() -> None:
    """A text of a message is read as its author broke it."""
    assert (
        harmless_lines("one\r\ntwo\n\tthree\x1b[2J\rfour") == "one\ntwo\n    three\\x1b[2J\\rfour"
    )


def test_markup_is_never_interpreted(capsys: pytest.CaptureFixture[str]) -> None:
    """`[red]` and links in what a peer chose stay the letters that they are."""
    out = Output(as_json=False)
    out.table(("[bold]head[/]",), [("[red]cell[/red] [link=https://evil.example]x[/link]",)])
    out.heading("[red]heading[/red]")
    out.verdict(":smile: [red]x[/red]", good=True)
    said = capsys.readouterr().out
    for kept in ("[bold]head[/]", "[red]cell[/red]", "[link=", "[red]heading[/red]", ":smile:"):
        assert kept in said


def test_a_pipe_gets_no_folded_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """However long a cell is, a row is a line: scripts may read it."""
    Output(as_json=False).table(("a", "b"), [("x" * 500, "y" * 500)])
    assert [len(line.split()) for line in capsys.readouterr().out.splitlines()] == [2, 2]


def test_for_a_program_there_is_one_object_and_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Headings, lines, tables and verdicts are for people."""
    out = Output(as_json=True)
    out.heading("h")
    out.line("l")
    out.table(("t",), [("c",)])
    out.verdict("v", good=False)
    assert out.result({"schema": "comity.x/1", "name": "\x1b\u202e é"})
    assert capsys.readouterr().out == '{"schema": "comity.x/1", "name": "\\u001b\\u202e \\u00e9"}\n'


def test_times_sizes_and_numbers_are_for_people() -> None:
    """In UTC, in the units that people use."""
    assert when(0) == "1970-01-01 00:00:00Z"
    assert when(None) == ""
    assert [size(n) for n in (0, 999, 1_000, 2_500_000, 3 * 10**9, 4 * 10**12)] == [
        "0 bytes", "999 bytes", "1.0 KB", "2.5 MB", "3.0 GB", "4.0 TB",
    ]  # fmt: skip
    assert [plural(n, "case") for n in (0, 1, 2_000)] == ["0 cases", "1 case", "2,000 cases"]


def test_an_error_says_nothing_on_standard_output() -> None:
    """A script that reads the result gets none."""
    assert comity("nonsense").out == ""
