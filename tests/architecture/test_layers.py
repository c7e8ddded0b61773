"""Who may import whom: a table, and the few things that only one place may reach.

`ORDER` is one total order over every module; a module imports only what stands before it,
also inside functions and under TYPE_CHECKING. A new module gets its place in the table; if
no place fits, the module is in the wrong package or has two concerns.
"""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator

import pytest

from tests.support.source import PACKAGES, Module, imports, modules

ORDER: tuple[str, ...] = tuple(
    """
    protocol: limits errors encoding digest identity primitives dsse
    protocol: merkle note checkpoint proof record receipt
    protocol: messages envelope
    protocol: lifecycle_events lifecycle_table lifecycle_standing lifecycle_guards
    protocol: lifecycle_effects lifecycle_words lifecycle
    protocol: document network listing revocation
    protocol: continuation witness_wire fork closure policy receipt_file
    protocol: bundle summary bundle_parts bundle_trust bundle_logs bundle_case bundle_check

    keys: pairs fingerprint ring wrapping keyfile trusted lookups directory office

    node: page clock rounds sections settings logs exits ask stewards
    node.access: roles
    node.storage: columns failures statements log_tables casework_tables tables migrations sqlite
    node.storage: postgresql engine
    node.storage: migrate vault
    node.storage: waiting_rows
    node.storage: log_rows person_rows trust_rows notice_rows peer_rows queue_rows case_rows
    node.storage: standing_rows
    node.storage: audit_rows audit_watch_rows audit_case_rows export_rows recovery_rows
    node.storage: repeat_rows webhook_rows
    node.storage: search_rows erasure_rows timestamp_rows witness_rows watch_rows auditor_rows
    node.storage: draft_rows paper_rows
    node.storage: health_rows member_rows happening_rows people_rows key_rows clock_rows work_rows
    node.storage: mail_rows writer
    node.storage: link_rows word_rows fact_rows statistic_rows
    node: storage
    node.audit: faults record casework_records people_records clock_records api_records records
    node.audit: guard tiles log fsck stamped judged verify_bundle verify_logs verify
    node.audit: verify_export
    node.audit: named kept export search erasure prove grounds bundle
    node.evidence: paths manifest hashing compare
    node: anchor office trust_watch
    node.audit: witness
    node: quorum own_log forks following examined outbox
    node.cases: law completeness evidence_in_body happened clocks words search facts statistics
    node.cases: feed linking standings register
    node.cases: history checks faults draft_text drafts keeping sending papers letters dues
    node: turns inbox
    node.access: faults people tokens matters members check
    node: access
    node.transport: errors limits batch c2sp form hop tls addresses paths connection quota door
    node.transport: routes unsigned listener client
    node: webhooks
    node: tile_client witnessing notices monitor logs_shown watch
    node: returning peers courier gossip exchange served state mailer doctor casework app
    node: own_listing setup faults
    node: recovery rotation desk reading control api run demo
    node: cli
    """.strip().splitlines()
)

PURE = frozenset({
    "__future__", "base64", "binascii", "bisect", "collections.abc", "dataclasses", "enum",
    "functools", "hashlib", "hmac", "ipaddress", "itertools", "math", "re", "struct", "types",
    "typing", "unicodedata", "urllib.parse",
    "orjson", "nacl.bindings", "nacl.exceptions", "cryptography.exceptions",
    "cryptography.hazmat.primitives", "cryptography.hazmat.primitives.asymmetric",
})  # fmt: skip
"""All that `protocol` may import from outside: no time, disk, network, chance or log."""

PURE_FOR_KEYS = PURE | {"nacl.pwhash"}
ON_DISK = frozenset({"contextlib", "errno", "os", "pathlib", "stat", "tempfile", "fcntl"})
DISK_OF_KEYS = "keys.keyfile"

SQL = frozenset({"alembic", "asyncpg", "sqlalchemy", "sqlite3", "sqlmodel"})
TIME_AND_CHANCE = frozenset({"random", "secrets", "time", "uuid"})

KNOWN = frozenset(module.name for module in modules(*PACKAGES))


def places() -> dict[str, int]:
    """Give the place of every name in the table."""
    names: list[str] = []
    for line in ORDER:
        package, _, rest = line.strip().partition(": ")
        names += [f"{package}.{name}" for name in rest.split()]
    assert len(set(names)) == len(names), "a module stands twice in ORDER"
    return {name: place for place, name in enumerate(names)}


PLACES = places()


def place_of(name: str) -> str | None:
    """Give the entry of the table that a module belongs to: its own, or its package's."""
    while name not in PLACES:
        name, _, last = name.rpartition(".")
        if not last:
            return None
    return name


def is_empty(module: Module) -> bool:
    """Say whether a module is an `__init__` with at most a docstring."""
    return all(isinstance(node, ast.Expr) for node in module.tree.body)


def ours() -> Iterator[tuple[Module, str, int]]:
    """Give every import of one of our modules by another."""
    for module in modules(*PACKAGES):
        for target, line in imports(module, KNOWN):
            if target.partition(".")[0] in PACKAGES and target != module.name:
                yield module, target, line


def outside(module: Module) -> Iterator[tuple[str, int]]:
    """Give what a module imports that is not ours."""
    for target, line in imports(module, KNOWN):
        if target.partition(".")[0] not in PACKAGES:
            yield target, line


def test_every_module_has_a_place_in_the_order() -> None:
    """A module that nobody placed could import anything."""
    strangers = [
        module.name
        for module in modules(*PACKAGES)
        if place_of(module.name) is None and not is_empty(module)
    ]
    assert strangers == []


def test_a_module_imports_only_what_stands_before_it() -> None:
    """Packages and modules form one order; lazy and TYPE_CHECKING imports count too."""
    wrong = []
    for module, target, line in ours():
        here, there = place_of(module.name), place_of(target)
        if here is None or there is None or here == there:
            continue
        if PLACES[there] > PLACES[here]:
            wrong.append(f"{module.where}:{line} imports {target}")
    assert wrong == []


def test_what_is_imported_exists() -> None:
    """A module that was renamed is not imported under its old name."""
    missing = [
        f"{module.where}:{line} imports {target}"
        for module, target, line in ours()
        if target not in KNOWN
    ]
    assert missing == []


def test_there_is_no_cycle() -> None:
    """Not even among modules that share an entry of the table."""
    graph: dict[str, set[str]] = {}
    for module, target, _line in ours():
        graph.setdefault(module.name, set()).add(target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as fault:
        pytest.fail(" -> ".join(fault.args[1]))


def test_nobody_imports_the_tests() -> None:
    """What is installed does not need what is not."""
    found = [
        f"{module.where}:{line}"
        for module in modules(*PACKAGES)
        for target, line in outside(module)
        if target.partition(".")[0] == "tests"
    ]
    assert found == []


def test_the_protocol_is_pure() -> None:
    """It imports nothing that reaches a clock, a disk, a network, chance or a log."""
    wrong = [
        f"{module.where}:{line} imports {target}"
        for module in modules("protocol")
        for target, line in outside(module)
        if target not in PURE
    ]
    assert wrong == []


def test_keys_touch_the_disk_in_one_module() -> None:
    """The key file is the only way in and out; the rest of `keys` is pure."""
    wrong = [
        f"{module.where}:{line} imports {target}"
        for module in modules("keys")
        for target, line in outside(module)
        if target not in (PURE_FOR_KEYS | (ON_DISK if module.name == DISK_OF_KEYS else frozenset()))
    ]
    assert wrong == []


def test_neither_opens_a_file_nor_prints() -> None:
    """The built-in ways out are closed to `protocol`, and to `keys` but for its one module."""
    wrong = [
        f"{module.where}:{node.lineno} calls {node.func.id}"
        for module in modules("protocol", "keys")
        if module.name != DISK_OF_KEYS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"open", "print", "input", "exec", "eval", "__import__"}
    ]
    assert wrong == []


def test_sql_lives_in_storage_and_nowhere_else() -> None:
    """Other packages pass a `Connection` on, and never write a statement."""
    wrong = [
        f"{module.where}:{line} imports {target}"
        for module in modules(*PACKAGES)
        if not module.name.startswith("node.storage")
        for target, line in outside(module)
        if target.partition(".")[0] in SQL
    ]
    assert wrong == []


def test_time_and_chance_come_from_the_clock() -> None:
    """Only `node.clock` asks the machine; everything else is handed a `Clock` or a `Random`."""
    wrong = [
        f"{module.where}:{line} imports {target}"
        for module in modules("node")
        if module.name != "node.clock"
        for target, line in outside(module)
        if target.partition(".")[0] in TIME_AND_CHANCE
    ]
    assert wrong == []


ASKS_THE_MACHINE = frozenset({
    "asyncio.sleep", "os.urandom", "os.getrandom", "nacl.utils.random",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "datetime.datetime.now", "datetime.date.today",
})  # fmt: skip


def test_no_call_asks_the_machine_for_time_or_chance() -> None:
    """Nor by way of a module that may be imported for other things."""
    wrong = [
        f"{module.where}:{node.lineno} uses {ast.unparse(node)}"
        for module in modules(*PACKAGES)
        if module.name != "node.clock"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ASKS_THE_MACHINE
    ]
    assert wrong == []


def test_messages_stay_above_and_bytes_below() -> None:
    """Cases see no envelope, transport and courier no message; outbox and inbox see both."""
    never = {
        "node.cases": ("protocol.envelope", "node.transport"),
        "node.transport": ("protocol.messages", "protocol.envelope", "node.cases"),
        "node.courier": ("protocol.messages", "protocol.envelope", "node.cases"),
    }
    wrong = [
        f"{module.where}:{line} imports {target}"
        for module, target, line in ours()
        for above, below in never.items()
        if module.name == above or module.name.startswith(f"{above}.")
        for one in below
        if target == one or target.startswith(f"{one}.")
    ]
    assert wrong == []


def test_the_verifier_of_the_log_shares_nothing_with_its_writer() -> None:
    """A fault in the code that grows the tree must not hide itself from the one that checks."""
    writers = {"node.audit.log", "node.storage.log_rows", "node.storage.writer", "protocol.merkle"}
    wrong = [
        f"{module.where}:{line} imports {target}"
        for module, target, line in ours()
        if module.name.startswith("node.audit.fsck") and target in writers
    ]
    assert wrong == []
