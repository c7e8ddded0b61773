"""The page and `comity verify` come to one conclusion, on good bundles and on tampered ones."""

from __future__ import annotations

from typing import Any

import pytest

from node.audit.judged import Judgement
from node.audit.verify import verify_file
from tests.browser.bundles import good, variants
from tests.browser.verifier import Verifier
from tests.vectors.form import names, read
from tests.vectors.judge_bundles import whole_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

AT_ONCE = 100


def witnessed(judged: Judgement) -> dict[str, str]:
    """Give what the command says of witnesses, as the page writes it."""
    fields: Any = judged.fields
    lines = {one["message"]: one for one in fields["messages"] if "quorum" in one}
    lines |= {f"{one['origin']} {one['index']}": one for one in fields["records"]}
    return {
        about: f"{len(one['witnesses'])} of {one['quorum']} since {one['since'] or 'never'}"
        for about, one in lines.items()
    }


def test_the_page_and_the_command_count_the_same_witnesses(verifier: Verifier) -> None:
    """Message by message and record by record, and since when."""
    files = {f"{name}.comity": bundle.encode() for name, bundle in good().items()}
    found = verifier.judge(files)
    judged = {name: verify_file(raw) for name, raw in files.items()}
    wanted = {name: witnessed(one) for name, one in judged.items() if "messages" in one.fields}
    assert len(wanted) > len(files) // 2
    assert {name: found[name].witnessed for name in wanted} == wanted


def conclusion_of(judged: Judgement) -> str:
    """Give the command's conclusion; the page has its own word for a file that is none of ours."""
    return "other" if judged.kind is None else judged.conclusion.value


def test_the_page_agrees_on_every_vector_of_a_bundle(verifier: Verifier) -> None:
    """Made whole, and dropped as an auditor would drop it."""
    vectors = [read(name) for name in names() if name.startswith("bundle/")]
    made = {f"{one.name.partition('/')[2]}.comity": whole_of(one) for one in vectors}
    found = verifier.judge(made)
    outcomes = {"ok": "true", "key-unknown": "undecided", "not-authentic": "false"}
    for vector, (name, raw) in zip(vectors, made.items(), strict=True):
        wanted = conclusion_of(verify_file(raw))
        assert wanted in {outcomes[vector.expect], "other"}, name
        assert (found[name].conclusion, found[name].broken) == (wanted, False), name


def test_the_page_and_the_command_agree_on_every_bundle(verifier: Verifier) -> None:
    """Neither shares a line of code with the other."""
    made = list(variants())
    wrong, seen = [], set()
    for start in range(0, len(made), AT_ONCE):
        files = {f"{name}.comity": raw for name, raw in made[start : start + AT_ONCE]}
        found = verifier.judge(files)
        for name, raw in files.items():
            wanted = verify_file(raw)
            seen.add(wanted.conclusion.value)
            shown = found[name]
            if shown.broken or shown.conclusion != conclusion_of(wanted):
                wrong.append((name, wanted.conclusion.value, shown.conclusion, shown.code))
    assert wrong == []
    assert seen == {"true", "false", "undecided"}
