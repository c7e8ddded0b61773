"""How long people wait with many cases: the work list, a search, a case, statistics.

    python -m tests.bench.cases --json
    python -m tests.bench.cases --json --postgresql --keep /var/tmp/cases

A database with `--cases` cases and `--messages` messages is made first (`tests.bench.many`),
or taken from the folder `--keep`, where it stays. What a person asks for goes as the command
line and the API let it go: verb by verb, as one of the authority's people, with whatever is
recorded of it. `cpu_p95_ms` is the node's own processor time, of which a busy machine takes
nothing away (it has none of PostgreSQL's). `limits_ms` are what the project aims at.
Reports; judges nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from keys.keyfile import read_key_file
from node.access.roles import Person, Role
from node.app import Node, open_node
from node.cases.completeness.request import check_request
from node.cases.completeness.wanted import Wanted
from node.desk import Desk, act
from node.run import desk_of
from node.settings import Settings, load_settings
from node.storage.link_rows import CaseFilter, list_standing_cases
from protocol.encoding import Json
from tests.bench.many import NAMES, PEERS, PEOPLE, Many, fill, name_of, person_of
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import make_network
from tests.support.postgres import PostgresServer, find_postgres
from tests.support.requests import KINDS, WANTED, good_request

AUTHORITY: Final = "fj.justice"
LIMITS_MS: Final = {
    "work_list": 50, "search": 50, "open_a_case": 50, "statistics": 2_000, "validator": 5,
}  # fmt: skip
_SETTINGS: Final = "settings-file"


def made(folder: Path, many: Many, database: str | None) -> tuple[Settings, float]:
    """Make the node and its cases, or take those that are there; gives the seconds it took."""
    noted = folder / _SETTINGS
    if noted.exists():
        return load_settings(Path(noted.read_text())), 0.0
    databases = {AUTHORITY: database} if database else None
    network = make_network(folder, (AUTHORITY, "qm.justice"), databases)
    start = time.perf_counter()
    with opened(network[AUTHORITY].settings) as node:
        fill(node, many)
    noted.write_text(str(network[AUTHORITY].settings_file))
    return network[AUTHORITY].settings, time.perf_counter() - start


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Node]:
    """Open the node, which listens to nobody."""
    node = open_node(settings, read_key_file(settings.keys.file, PASSPHRASE))
    try:
        yield node
    finally:
        node.close()


def timed(acts: Sequence[Callable[[], object]]) -> dict[str, float]:
    """Run each once, and give how long they took, and their own processor time, in ms."""
    took, busy = [], []
    for one in acts:
        start, cpu = time.perf_counter(), time.process_time()
        one()
        took.append(1e3 * (time.perf_counter() - start))
        busy.append(1e3 * (time.process_time() - cpu))
    return {
        "p50_ms": round(statistics.median(took), 2),
        "p95_ms": _p95(took),
        "most_ms": round(max(took), 2),
        "cpu_p95_ms": _p95(busy),
        "count": len(took),
    }


def _p95(took: list[float]) -> float:
    return round(sorted(took)[min(len(took) - 1, int(len(took) * 0.95))], 2)


def measured(node: Node) -> dict[str, dict[str, float]]:
    """Measure what people do, each by the verb that the command line and the API run."""
    chance = random.Random(3)
    desk = desk_of(node)
    roles = frozenset({Role.CASE_OFFICER})
    people = [Person(f"person-{number}", roles, person_of(number)) for number in range(PEOPLE)]
    chief = Person("person-0", roles | {Role.OFFICER}, person_of(0))

    def asked(person: Person, verb: str, **arguments: Json) -> Callable[[], object]:
        return lambda: act(desk, verb, arguments, person=person)

    def by_all(verb: str, **arguments: Json) -> dict[str, float]:
        return timed([asked(one, verb, **arguments) for one in people])

    def searches(words: Sequence[str], *more: Person) -> dict[str, float]:
        some = (*more, *people)
        return timed([asked(one, "case.search", words=word) for one, word in zip(some, words)])  # noqa: B905  (as many as there are people)

    names = [name_of(chance.randrange(NAMES)) for _ in range(2 * PEOPLE)]
    numbers = [chance.randrange(20_000) // PEOPLE * PEOPLE + number for number in range(PEOPLE)]
    own = [case for one in people for case in _own_cases(desk, one)]
    return {
        "work_list": by_all("work.list"),
        "work_list_overdue": by_all("work.list", group="overdue"),
        "case_list": by_all("case.list"),
        "search_a_name": searches(names, chief),
        "search_two_names": searches([f"{one} {names[0]}" for one in names], chief),
        "search_a_common_word": searches(["evidence"] * PEOPLE),
        "search_common_and_rare": searches([f"evidence {one}" for one in names]),
        "search_a_reference": searches([f"CA/{2020 + one % 7}/{one:06}" for one in numbers]),
        "search_nothing": searches(["nobodyiscalledthat"] * PEOPLE, chief),
        "search_a_peer": searches([PEERS[0]] * PEOPLE, chief),
        "open_a_case": timed([asked(one, "case.show", case=case) for one, case in own]),
        "statistics": timed([asked(chief, "case.statistics") for _ in range(3)]),
        "statistics_published": timed(
            [asked(chief, "case.statistics", published=True) for _ in range(3)]
        ),
        "validator": _validator(node),
    }


def _own_cases(desk: Desk, person: Person) -> list[tuple[Person, str]]:
    """Give two cases that this person may read."""
    listed = desk.database.read(
        lambda conn: list_standing_cases(
            conn, CaseFilter(officer=person.id, count_max=40), person, 0
        )
    )
    return [(person, one.case.id) for one in listed[-2:]]


def _validator(node: Node) -> dict[str, float]:
    """Check good requests of every kind, and each of them with its items gone."""
    bodies = [good_request(kind) for kind in KINDS]
    bodies += [{**one, "items": []} for one in bodies]
    now, wanted = node.clock.now(), Wanted.declared(WANTED["languages"], WANTED["declarations"])
    return timed(
        [lambda body=body: check_request(node.law, body, to=wanted, now=now) for body in bodies * 5]  # type: ignore[misc]  # a default binds it
    )


@contextlib.contextmanager
def databases(*, postgresql: bool, url: str | None) -> Iterator[str | None]:
    """Give the URL of an empty PostgreSQL, started if need be; None is SQLite."""
    if not postgresql:
        yield url
        return
    binaries = find_postgres()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed here")
    with PostgresServer.start(binaries) as server:
        yield server.create("cases")


def main() -> None:
    """Run the benchmark and print its report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--database", help="a PostgreSQL URL of an empty database")
    parser.add_argument("--postgresql", action="store_true", help="start one, and end it")
    parser.add_argument("--keep", type=Path, help="a folder where what is made stays (SQLite)")
    chosen = parser.parse_args()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(databases(postgresql=chosen.postgresql, url=chosen.database))
        folder = chosen.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="comity-bench-"))
        )
        folder.mkdir(exist_ok=True)
        settings, seconds = made(folder, Many(chosen.cases, chosen.messages), url)
        with opened(settings) as node:
            report = {
                "schema": "comity.bench.cases/1",
                "database": node.database.version(),
                "cases": chosen.cases,
                "messages": chosen.messages,
                "made_s": round(seconds, 1),
                "limits_ms": LIMITS_MS,
                "measured": measured(node),
            }
    if chosen.json:
        sys.stdout.write(json.dumps(report) + "\n")
        return
    for name, part in report["measured"].items():
        sys.stdout.write(f"{name}: {json.dumps(part)}\n")


if __name__ == "__main__":
    main()
