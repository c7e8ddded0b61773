"""Make verify.html: every module, the style and the template in one file.

    python -m node.page.build

Each ES module becomes one function that returns its exports, in the order in which they
import each other; no line is changed but the imports and exports. The security policy names
style and script by their hashes, so nothing else can run in the page, and forbids every
connection. The same sources always give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

from node.page import FOLDER, PAGE

ENTRY: Final = "main.mjs"
_IMPORT: Final = re.compile(
    r'^import (?:\* as (?P<whole>\w+)|\{(?P<names>[^}]*)\})\s*from "(?P<where>\./[\w/.]+)";$',
    re.MULTILINE,
)
_EXPORT: Final = re.compile(
    r"^export (?=(?:async )?(?:const|let|function\*?|class) )", re.MULTILINE
)
_NAME: Final = re.compile(r"^export (?:async )?(?:const|let|function\*?|class) (\w+)", re.MULTILINE)
_LIST: Final = re.compile(r"^export \{([^}]*)\};$", re.MULTILINE)


class BuildError(Exception):
    """A module is written in a way that this small builder does not know."""


def bundle(folder: Path, entry: str) -> str:
    """Join a module and all that it imports into one script without imports."""
    parts: dict[str, str] = {}
    _add(folder, entry, parts, ())
    return '"use strict";\n' + "\n".join(parts.values())


def _add(folder: Path, name: str, parts: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise BuildError(f"{name} imports itself by way of {above[-1]}")
    if name in parts:
        return
    source = (folder / name).read_text(encoding="utf-8")
    for match in _IMPORT.finditer(source):
        _add(folder, _target(match), parts, (*above, name))
    parts[name] = _wrapped(name, source)


def _target(match: re.Match[str]) -> str:
    return match["where"].removeprefix("./")


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".mjs"))


def _wrapped(name: str, source: str) -> str:
    exports = _NAME.findall(source)
    for listed in _LIST.findall(source):
        exports += [one.strip() for one in listed.split(",") if one.strip()]
    body = _LIST.sub("", _EXPORT.sub("", _IMPORT.sub(_as_constant, source)))
    if left := re.search(r"^(?:import|export)\b.*", body, re.MULTILINE):
        raise BuildError(f"{name} has a line that is not understood: {left[0]}")
    returned = ", ".join(exports)
    return (
        f"// ======== {name} ========\n"
        f"const {_variable(name)} = (() => {{\n{body.strip()}\nreturn {{ {returned} }};\n}})();\n"
    )


def _as_constant(match: re.Match[str]) -> str:
    if match["whole"]:
        return f"const {match['whole']} = {_variable(_target(match))};"
    names = re.sub(r"(\w+) as (\w+)", r"\1: \2", " ".join(match["names"].split()))
    return f"const {{ {names} }} = {_variable(_target(match))};"


def page() -> bytes:
    """Give the bytes of verify.html."""
    template = (FOLDER / "page.html").read_text(encoding="utf-8")
    inside = {
        "style": (FOLDER / "style.css").read_text(encoding="utf-8"),
        "script": bundle(FOLDER, ENTRY),
    }
    for name, text in inside.items():
        if f"</{name}" in text or "<!--" in text:
            raise BuildError(f"the {name} would end its own element")
        hashed = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        template = template.replace(f"[{name}-hash]", f"sha256-{hashed}")
    for name, text in inside.items():
        template = template.replace(f"[{name}]", text)
    return template.encode()


def main() -> None:
    """Write the file."""
    PAGE.write_bytes(page())


if __name__ == "__main__":
    main()
