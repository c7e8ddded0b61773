"""A folder of law that somebody broke, or means to break the node with: refused in sentences."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from node.cases.law import LawError, read_law
from tests.node.cases.law.folders import own


def _text(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


def _loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        _loop,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(bytes(range(256))),
        lambda path: path.write_bytes(b"#" * 3_000_000),
        _text("a = " + "1" * 100_000),
        _text(".".join("a" * 50_000) + " = 1"),
        _text("a = " + "[" * 5_000 + "]" * 5_000),
        _text("a = " + "{b=" * 5_000 + "1" + "}" * 5_000),
        _text("limits = [nan, inf, 1979-05-27T07:32:00Z]"),
        _text("[[limits]]\n" * 100_000),
    ],
    ids=[
        "pipe", "loop", "device", "folder", "binary", "large", "digits", "dots", "lists",
        "tables", "odd-values", "many",
    ],
)  # fmt: skip
def test_a_broken_file_of_law_is_named_and_nothing_else_happens(
    make: Callable[[Path], object], tmp_path: Path
) -> None:
    """The node does not start with it, does not hang over it, and says which file it is."""
    folder = own(tmp_path, {})
    folder.mkdir(exist_ok=True)
    make(folder / "limits.toml")
    with pytest.raises(LawError) as refused:
        read_law(folder)
    assert "limits.toml" in str(refused.value)
    assert len(str(refused.value)) < 20_000


FORBIDDEN = {
    "kinds/mla_evidence.toml": 'code = "MLA_EVIDENCE"\n',
    "codes.toml": "[vocabularies.forbidden_refusal_ground]\n",
    "narrowed.toml": '[[fields]]\nkind = "MLA_BANK_RECORDS"\nname = "legal_basis"\n'
    'need = "optional"\nrule = "ours"\nwhy = "we like it"\n',
    "cores/sending.toml": 'title = "Sending"\nfields = []\n',
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_folder_takes_a_rule_of_the_law_away(name: str, tmp_path: Path) -> None:
    """Neither a kind, a field that must be there, nor a ground that nobody may choose."""
    with pytest.raises(LawError):
        read_law(own(tmp_path, {name: FORBIDDEN[name]}))
