"""Style that a machine can check is a test, so that reviews can be about the rest."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from tests.support.source import PACKAGES, ROOT, Module, modules

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
FUNCTION_LINES = 40  # wanted; nearly all functions keep to it
FUNCTIONS_OVER_SHARE_MAX = 0.03
NESTING_MAX = 3
POSITIONAL_MAX = 5

BANNED = frozenset({
    "packet", "payload", "data", "info", "manager", "handler", "helper", "helpers", "util", "utils",
})  # fmt: skip

FOREIGN = frozenset({"data_received"})  # asyncio's name for what it calls in our class

BANNED_BUT_NOT_HERE = {
    ("protocol/primitives.py", "info"): "RFC 9180's own word for what HPKE binds",
    ("protocol/envelope.py", "info"): "RFC 9180's own word for what HPKE binds",
    ("protocol/lifecycle_table.py", "info"): "INFO_REQUESTED: the name that both sides know it by",
    ("protocol/lifecycle_standing.py", "info"): "what INFO_REQUESTED leaves behind, by its name",
    ("tests/support/public_data.py", "data"): "test data that others have published",
}

OURS = PACKAGES
ALL = (*PACKAGES, "tests")

Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def functions(*packages: str) -> Iterator[tuple[Module, Function]]:
    """Give every function and method of the packages."""
    for module in modules(*packages):
        for node in ast.walk(module.tree):
            if isinstance(node, Function):
                yield module, node


def length(function: Function) -> int:
    """Count the lines that a reader scrolls past, the docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


# --- size ----------------------------------------------------------------------------------


def test_a_file_holds_one_concept() -> None:
    """At most 400 lines: a longer file has a second concept inside."""
    long = {
        module.where: len(module.lines)
        for module in modules(*ALL)
        if len(module.lines) > FILE_LINES_MAX
    }
    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    """At most 60 lines."""
    long = [
        f"{module.where}:{function.lineno} {function.name} has {length(function)} lines"
        for module, function in functions(*ALL)
        if length(function) > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_nearly_all_functions_keep_to_forty_lines() -> None:
    """The few that do not are worth a look each; when they become many, this fails."""
    found = [
        (f"{module.where}:{function.lineno} {function.name}", length(function))
        for module, function in functions(*OURS)
    ]
    over = [name for name, lines in found if lines > FUNCTION_LINES]
    assert len(over) <= FUNCTIONS_OVER_SHARE_MAX * len(found), over


def depth(node: ast.AST) -> int:
    """Give how deep blocks nest below `node`; an `elif` is no deeper than its `if`."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (Function, ast.Lambda, ast.ClassDef)):
            continue
        below = depth(child)
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, below + (isinstance(child, BLOCKS) and not is_elif))
    return deepest


def test_blocks_nest_at_most_three_deep() -> None:
    """Deeper, and a reader has to hold too many conditions at once."""
    deep = [
        f"{module.where}:{function.lineno} {function.name} nests {depth(function)} deep"
        for module, function in functions(*OURS)
        if depth(function) > NESTING_MAX
    ]
    assert deep == []


def test_at_most_five_arguments_go_by_position() -> None:
    """The rest are named where they are given."""
    many = []
    for module, function in functions(*OURS):
        names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        if names[:1] in (["self"], ["cls"]):
            names = names[1:]
        if len(names) > POSITIONAL_MAX:
            many.append(f"{module.where}:{function.lineno} {function.name}")
    assert many == []


# --- words ---------------------------------------------------------------------------------


def test_every_module_says_what_it_is_for() -> None:
    """A file with anything in it opens with a docstring of at least one full sentence."""
    silent = [
        module.where
        for module in modules(*ALL)
        if module.tree.body
        and "." not in (ast.get_docstring(module.tree) or "")
        and "migrations/versions" not in module.where
    ]
    assert silent == []


def words(name: str) -> set[str]:
    """Split a name in snake case or camel case into its words."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return set(spaced.lower().split("_"))


def defined(module: Module) -> Iterator[tuple[str, int]]:
    """Give every name that a module makes up, with its line, its own name first."""
    yield module.path.stem, 1
    for node in ast.walk(module.tree):
        if isinstance(node, (Function, ast.ClassDef)):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            yield (node.id if isinstance(node, ast.Name) else node.attr), node.lineno


def test_names_say_what_a_thing_is() -> None:
    """The words that mean anything, and so nothing, name nothing here."""
    vague = [
        f"{module.where}:{line} {name}"
        for module in modules(*ALL)
        for name, line in defined(module)
        if name not in FOREIGN
        and any((module.where, word) not in BANNED_BUT_NOT_HERE for word in words(name) & BANNED)
    ]
    assert vague == []


def test_the_exceptions_among_names_are_still_needed() -> None:
    """An exception whose reason is gone goes too."""
    used = {
        (module.where, word)
        for module in modules(*ALL)
        for name, _line in defined(module)
        for word in words(name) & BANNED
    }
    assert set(BANNED_BUT_NOT_HERE) <= used


EXCUSE = re.compile(r"# (?:noqa: [A-Z0-9, ]+|noqa|type: ignore\S*|pragma: no \w+)(?P<rest>.*)$")
REASON = re.compile(r"\w+\W+\w+")  # two words at the least


def comments(module: Module) -> Iterator[tuple[int, str]]:
    """Give every comment with its line."""
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_every_exception_to_a_rule_has_its_reason_beside_it() -> None:
    """`noqa`, `type: ignore` and their like say why, on the same line."""
    found = []
    for module in modules(*ALL):
        for number, line in comments(module):
            match = EXCUSE.search(line)
            if match and not REASON.search(match["rest"]):
                found.append(f"{module.where}:{number} {line.strip()}")
    assert found == []


def test_every_rule_that_is_off_has_its_reason_beside_it() -> None:
    """In pyproject.toml, each code that ruff is told to ignore stands alone with a comment."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    bare = [line for line in lines if re.match(r'\s+"[A-Z]+[0-9]*",', line) and "# " not in line]
    assert bare == []


# --- rules of the language -----------------------------------------------------------------


def test_nothing_is_asserted_outside_the_tests() -> None:
    """`python -O` drops an assert, and input is not checked by one."""
    found = [
        f"{module.where}:{node.lineno}"
        for module in modules(*OURS)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assert)
    ]
    assert found == []


def test_the_core_knows_its_types() -> None:
    """No `Any` in `protocol` and `keys`."""
    found = [
        f"{module.where}:{node.lineno}"
        for module in modules("protocol", "keys")
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Name) and node.id == "Any")
        or (isinstance(node, ast.alias) and node.name == "Any")
    ]
    assert found == []


def test_no_verifier_answers_with_a_boolean() -> None:
    """A boolean can be forgotten; an exception, or the verified value, cannot."""
    found = [
        f"{module.where}:{function.lineno} {function.name}"
        for module, function in functions(*OURS)
        if function.name.lstrip("_").startswith(("verify", "check", "require"))
        and isinstance(function.returns, ast.Name)
        and function.returns.id == "bool"
    ]
    assert found == []


def test_a_value_object_is_frozen_and_has_slots() -> None:
    """In `protocol` and `keys` nothing changes after it was made."""
    found = []
    for module in modules("protocol", "keys"):
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ClassDef):
                continue
            marks = [ast.unparse(one) for one in node.decorator_list]
            soft = [one for one in marks if one.startswith("dataclass")]
            if soft and not all("frozen=True" in one and "slots=True" in one for one in soft):
                found.append(f"{module.where}:{node.lineno} {node.name}")
    assert found == []


# --- tests ---------------------------------------------------------------------------------


def each_test() -> Iterator[tuple[Module, Function]]:
    """Give every test function."""
    for module, function in functions("tests"):
        if module.path.name.startswith("test_") and function.name.startswith("test"):
            yield module, function


def test_no_test_is_empty() -> None:
    """A test that does nothing is green for ever."""
    empty = [
        f"{module.where}:{function.lineno} {function.name}"
        for module, function in each_test()
        if not any(isinstance(node, (ast.Assert, ast.Call)) for node in ast.walk(function))
    ]
    assert empty == []


def test_every_test_states_its_property() -> None:
    """In its name and in a docstring."""
    silent = [
        f"{module.where}:{function.lineno} {function.name}"
        for module, function in each_test()
        if not ast.get_docstring(function) or function.name.count("_") < 3
    ]
    assert silent == []


def straight_sleeps(node: ast.AST) -> Iterator[int]:
    """Give the lines of sleeps that stand in no loop."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.While, ast.For, ast.AsyncFor)):
            continue
        if isinstance(child, ast.Call) and ast.unparse(child.func).endswith(".sleep"):
            of_machine = ast.unparse(child.func) in {"time.sleep", "asyncio.sleep"}
            if of_machine and ast.unparse(child.args[0]) != "0":
                yield child.lineno
        yield from straight_sleeps(child)


def test_no_test_sleeps() -> None:
    """Tests wait for conditions; only a loop that looks again, or sets a pace, may pause."""
    found = [
        f"{module.where}:{line}"
        for module in modules("tests")
        for line in straight_sleeps(module.tree)
    ]
    assert found == []


def test_a_skip_says_why() -> None:
    """And none is unconditional."""
    found = []
    for module in modules("tests"):
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            reasons = [one.arg for one in node.keywords]
            if name in {"pytest.mark.skipif", "pytest.mark.xfail"} and "reason" not in reasons:
                found.append(f"{module.where}:{node.lineno}")
            if name == "pytest.mark.skip" or (name == "pytest.skip" and not node.args + reasons):
                found.append(f"{module.where}:{node.lineno}")
    assert found == []


# --- the log -------------------------------------------------------------------------------


def test_an_event_of_the_log_is_a_constant_with_listed_fields() -> None:
    """What is left out when the node runs is found here first."""
    from node.logs import _EVENT, FIELDS  # noqa: PLC0415  (only this test needs the node)

    wrong = []
    for module in modules("node"):
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            logger = ast.unparse(node.func.value).rpartition(".")[2].lstrip("_").lower()
            levels = {"debug", "info", "warning", "error", "exception"}
            if logger != "log" or node.func.attr not in levels:
                continue
            named = {one.arg for one in node.keywords} - {"exc_info"}
            event = node.args[0] if len(node.args) == 1 else None
            text = event.value if isinstance(event, ast.Constant) else None
            if not isinstance(text, str) or not _EVENT.fullmatch(text) or not named <= FIELDS:
                wrong.append(f"{module.where}:{node.lineno} {ast.unparse(node)}")
    assert wrong == []
