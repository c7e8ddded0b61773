"""An authority's own folder of law, written for one test.

law = read_law(own(tmp_path, {"kinds/x_visit.toml": VISIT}))
problems(own(tmp_path, {"limits.toml": "..."}))     # the sentences of what is wrong
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from node.cases.law import LawError, read_law

VISIT: Final = """
code = "X_VISIT"
title = "Visit of officials"
machine = "request"
formal = true
coercive = false
time_limited = false
second_person = "before"
grounds = "mla"
articles = ["UNCAC 46(3)(i)"]
assistance = ["46-3-i"]
cores = ["sending", "request", "assistance"]

[[fields]]
name = "visitors"
label = "Who comes"
type = "texts"
need = "mandatory"
section = "hearing"
rule = "domestic law: Visits Act s. 3"
why = "Nobody comes unannounced."
"""

TREATY: Final = """
code = "QM_QP_1998"
title = "Treaty between Aldoria and Marazul (fictional)"
kinds = ["MLA_EVIDENCE", "PROVISIONAL_ARREST"]
languages = ["en", "pt"]
channels = ["CENTRAL_AUTHORITY_DIRECT"]
effect = "FORMAL"
effect_source = "Exchange of notes of 2024"

[limits]
provisional_arrest = { count = 40, unit = "days", source = "Treaty 12" }

[[refusal]]
code = "46-21-b"
source = "Treaty 4(b)"
"""


def own(folder: Path, files: Mapping[str, str]) -> Path:
    """Write an authority's folder and give it."""
    made = folder / "law"
    made.mkdir()
    for name, text in files.items():
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_bytes(text.encode(errors="surrogateescape"))
    return made


def problems(folder: Path) -> tuple[str, ...]:
    """Give the sentences with which a folder is refused."""
    with pytest.raises(LawError) as refused:
        read_law(folder)
    return refused.value.problems
