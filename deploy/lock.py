"""Write requirements.txt and constraints.txt from pyproject.toml, with `uv pip compile`.

    .venv/bin/pip install uv
    .venv/bin/python deploy/lock.py              keep what is locked, add what is missing
    .venv/bin/python deploy/lock.py --upgrade    newest versions that are a week old

requirements.txt is for production (`pip install --require-hashes -r requirements.txt`),
constraints.txt for development (`pip install -c constraints.txt -e '.[test]'`). Neither
names the address of a registry: where packages come from is the choice of whoever
installs, and the hashes say which they must be. Nothing younger than a week is taken, so
that a poisoned release has time to be found.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COOLDOWN = "P7D"
FORBIDDEN = ("://", "--index-url", "--extra-index-url", "--find-links")

LOCKS = {
    "requirements.txt": (
        "# Production, every file by its hash. Written by deploy/lock.py; do not edit.\n",
        ["--generate-hashes"],
    ),
    "constraints.txt": (
        "# Development: the versions that CI tests. Written by deploy/lock.py; do not edit.\n",
        ["--extra", "test"],
    ),
}


def find_uv() -> str:
    """Find uv beside this Python, or on the path."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        sys.exit("uv is not installed: .venv/bin/pip install uv")
    return found


def compile_lock(uv: str, name: str, header: str, options: list[str], upgrade: list[str]) -> None:
    """Write one of the two files, and refuse an address in it."""
    path = ROOT / name
    fixed = ["--universal", "--python-version", "3.11", "--exclude-newer", COOLDOWN]
    quiet = ["--quiet", "--no-header", "--no-emit-index-url", "--no-emit-find-links"]
    output = ["--output-file", name, "pyproject.toml"]
    command = [uv, "pip", "compile", *fixed, *quiet, *options, *upgrade, *output]
    subprocess.run(command, cwd=ROOT, check=True)
    text = header + path.read_text().removeprefix(header)
    if any(part in text for part in FORBIDDEN):
        path.unlink()
        sys.exit(f"{name} would have named the address of a registry")
    alone = [one.split("==")[0] for one in text.replace("\\\n", " ").splitlines()
             if one.count("--hash=") == 1]  # fmt: skip
    if alone:
        sys.exit(f"{name} has the source of {alone} alone: are its wheels a week old yet?")
    path.write_text(text)
    print(f"{name}: {sum('==' in line for line in text.splitlines())} packages")


def main() -> None:
    """Write both files."""
    uv = find_uv()
    upgrade = ["--upgrade"] if "--upgrade" in sys.argv[1:] else []
    for name, (header, options) in LOCKS.items():
        compile_lock(uv, name, header, options, upgrade)


if __name__ == "__main__":
    main()
