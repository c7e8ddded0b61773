"""The closed list: every state change in the code has a record, or a reason to have none."""

from __future__ import annotations

import ast
from dataclasses import is_dataclass

import pytest

from node.audit import records
from node.audit.record import NodeRecord
from node.audit.records import RECORD_KINDS
from node.storage.tables import metadata
from tests.node.audit import recorded
from tests.support.source import modules
from tests.support.writes import writers, writes

VERBS = (
    "insert_", "change_", "delete_", "write_", "replace_", "move_", "keep_", "erase_", "empty_",
    "take_", "drop_", "claim_", "note_", "reseal_", "update_", "set_", "store_", "put_", "add_",
)  # fmt: skip
WRITTEN_BY_DECISIONS = {"message.accepted", "message.refused"}


def test_every_write_has_a_record_or_a_reason() -> None:
    """Nobody can change rows without saying what the log shows of it."""
    settled = recorded.NEVER.keys() | recorded.BY_WRITER.keys()
    found = {f"{one.function} {one.writer}" for one in writes() if one.writer not in settled}
    assert found - recorded.MADE.keys() == set(), "say in recorded.py which records these make"
    assert recorded.MADE.keys() - found == set(), "these places do not write any more"


def test_every_reason_is_about_a_function_that_writes() -> None:
    """A reason does not outlive what it was for."""
    assert recorded.NEVER.keys() | recorded.BY_WRITER.keys() <= writers()


def test_whatever_is_called_like_a_write_is_taken_for_one() -> None:
    """The search through the source overlooks no function of storage that changes rows."""
    named = {
        f"{module.name.rpartition('.')[2]}.{one.name}"
        for module in modules("node/storage") if module.name.endswith("_rows")
        for one in module.tree.body
        if isinstance(one, ast.FunctionDef) and one.name.startswith(VERBS)
    }  # fmt: skip
    assert named - writers() == set()


def test_only_storage_makes_statements() -> None:
    """Rows are changed nowhere else, so nowhere else has to be searched."""
    makers = {"insert", "update", "delete"}
    wrong = [
        f"{module.where}:{node.lineno}"
        for module in modules("node") if not module.name.startswith("node.storage")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
        and makers & {alias.name for alias in node.names}
    ]  # fmt: skip
    assert wrong == []


def test_the_kinds_are_those_of_the_list() -> None:
    """Every kind that something makes is known, and every known one is made."""
    tables = (*recorded.MADE.values(), *recorded.BY_WRITER.values())
    made = {kind for kinds in tables for kind in kinds} | recorded.ELSEWHERE.keys()
    assert made == set(RECORD_KINDS)


def written() -> set[str]:
    """Give the kinds of what the node really writes."""
    called = {one.writer for one in writes()}
    kinds = {kind for name, kinds in recorded.BY_WRITER.items() if name in called for kind in kinds}
    return kinds | {kind for kinds in recorded.MADE.values() for kind in kinds}


@pytest.mark.parametrize("kind", sorted(recorded.classes().keys() & (written() | {"log.opened"})))
def test_every_kind_is_one_frozen_class_that_the_node_makes(kind: str) -> None:
    """One class each, that nobody can change, and somewhere in the node it is constructed."""
    made = recorded.classes()[kind]
    assert is_dataclass(made)
    assert made.__dataclass_params__.frozen  # type: ignore[attr-defined]  # every dataclass has it
    places = [
        module.where
        for module in modules("node")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == made.__name__
    ]
    assert places, f"nothing records {kind}"


def test_no_two_classes_have_one_kind() -> None:
    """A kind says which class it is."""
    kinds = [
        one.kind
        for one in vars(records).values()
        if isinstance(one, type) and issubclass(one, NodeRecord) and one is not NodeRecord
    ]
    assert len(set(kinds)) == len(kinds)
    assert not WRITTEN_BY_DECISIONS & set(kinds)


def test_a_place_that_claims_a_record_is_in_a_module_that_makes_it() -> None:
    """A module, or one of those that call it, constructs what its writes are said to make."""
    names = {one.kind: one.__name__ for one in NodeRecord.__subclasses__()}
    names |= dict.fromkeys(WRITTEN_BY_DECISIONS, "Decision")
    text = {module.name.removeprefix("node."): module.text for module in modules("node")}
    wrong = []
    for place, kinds in recorded.MADE.items():
        module = max((one for one in text if place.startswith(f"{one}.")), key=len)
        module = recorded.EFFECTS.get(module, module)
        if not any(f"{names[kind]}(" in text[module] for kind in kinds):
            callers = [one for one in text if module.rpartition(".")[2] in text[one]]
            if not any(f"{names[kind]}(" in text[one] for kind in kinds for one in callers):
                wrong.append(place)
    assert wrong == []


def test_every_table_is_written_by_somebody() -> None:
    """No table is filled by code that this search cannot see."""
    sources = "".join(module.text for module in modules("node/storage"))
    unwritten = [
        table.name
        for table in metadata.sorted_tables
        if not any(
            f"{maker}({table.name}" in sources or f", {table.name}," in sources
            for maker in ("insert", "update", "insert_into")
        )
    ]
    assert unwritten == []


def test_the_page_is_what_the_list_says() -> None:
    """Who reads the documentation reads what is tested."""
    assert recorded.DOCUMENT.read_text(encoding="utf-8") == recorded.document()
