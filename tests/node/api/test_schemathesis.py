"""Every operation of the description, tried with what it allows and with what it does not.

Schemathesis reads the description that the node serves, makes requests from it, and holds
each answer against it: no server error, no answer that the description does not know, nothing
accepted that it forbids, nothing served without a key. The short run makes some requests for
each operation; the long one (slow) walks every edge of every schema.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.transport.limits import TransportLimits
from tests.node.api.scene import Api, serving
from tests.node.api.test_repeats import send
from tests.support.pair import FIJI, Pair

_PROGRAM = Path(sys.executable).with_name("st")
_FAST = TransportLimits(rate_per_peer=1e6, rate_burst=1e6, requests_per_peer_max=16)
_RUN_S_MAX = 400

# 409, 412, 422 and 428 say that the desk refuses what the form of a request allows.
_CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "412", "422", "428"]
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "409", "412", "415", "422", "428"]
[checks.missing_required_header]
expected-statuses = ["400", "401", "403", "404", "428"]
"""


@pytest.fixture
async def fast(light_pair: Pair) -> AsyncIterator[Api]:
    """Serve the API without a bound on how often."""
    async with serving(light_pair[FIJI].node, limits=_FAST) as served:
        yield served


async def run(api: Api, folder: Path, name: str, *options: str, case: str = "") -> None:
    """Run Schemathesis as a person; fails with what it says."""
    settings = folder / "schemathesis.toml"
    fixed = f'[parameters]\n"path.case" = {json.dumps(case)}\n' if case else ""
    settings.write_text(fixed + _CONFIGURATION)
    description = folder / "openapi.json"
    description.write_bytes((await api.get("/v1/openapi.json", api.key(name))).body)
    command = (
        str(_PROGRAM), "--config-file", str(settings), "run", str(description),
        "--url", f"https://127.0.0.1:{api.port}", "--tls-verify", "false",
        "--header", f"Authorization: Bearer {api.key(name)}", "--checks", "all",
        "--seed", "1", "--workers", "2", "--no-shrink", "--continue-on-failure",
        "--warnings", "off", *options,
    )  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(_RUN_S_MAX):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-8_000:]
    assert b"No issues found" in said


@pytest.mark.parametrize("name", ["anna", pytest.param("ada", marks=pytest.mark.slow)])
async def test_every_operation_answers_as_it_is_described(
    fast: Api, tmp_path: Path, name: str
) -> None:
    """For who works on cases, and for who runs the node."""
    await run(fast, tmp_path, name, "--phases", "fuzzing", "--max-examples", "2")


async def test_every_operation_on_a_case_that_is_there_answers_as_it_is_described(
    fast: Api, tmp_path: Path
) -> None:
    """Steps, clocks and members of a real case, with bodies of every kind."""
    case = (await send(fast, fast.key())).json()["case"]
    await run(
        fast, tmp_path, "anna", "--phases", "fuzzing", "--max-examples", "3",
        "--include-path-regex", r"^/v1/cases/\{case\}", "--exclude-path-regex", "erase",
        case=case,
    )  # fmt: skip
    events = (await fast.get("/v1/events?limit=1000", fast.key())).json()["events"]
    assert len({one["type"] for one in events}) > 1, "steps were made"


@pytest.mark.slow
async def test_every_edge_of_every_schema_is_kept(fast: Api, tmp_path: Path) -> None:
    """Ten thousand requests: each bound, each missing field, each wrong kind of value."""
    phases = "examples,coverage,fuzzing,stateful"
    await run(fast, tmp_path, "anna", "--phases", phases, "--max-examples", "10")
