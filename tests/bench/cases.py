"""How long people wait with many cases: the work list, a search, a case, statistics.

    python -m tests.bench.cases --json
    python -m tests.bench.cases --json --postgresql --keep /var/tmp/cases

A database with `--cases` cases and `--messages` messages is made first (`tests.bench.many`),
or taken from the folder `--keep`, where it stays. What a person asks for goes as the command
line and the API let it go: verb by verb, as one of the authority's people, with whatever is
recorded of it. `limits_ms` are what the project aims at. Reports; judges nothing.
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
from node.cases.search import WordIndex, find
from node.cases.statistics import Asked
from node.cases.statistics import statistics as count
from node.settings import Settings, load_settings
from node.storage.link_rows import CaseFilter, list_standing_cases, listed_cases
from node.storage.member_rows import visible
from node.storage.statistic_rows import Period
from node.storage.tables import cases
from node.storage.word_rows import Seeker
from tests.bench.many import Many, fill, name_of, person_of
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import make_network
from tests.support.postgres import PostgresServer, find_postgres

AUTHORITY: Final = "fj.justice"
ROUNDS: Final = 60
LIMITS_MS: Final = {"work_list": 50, "search": 50, "case": 50, "statistics": 2_000}
_SETTINGS: Final = "settings-file"
_WORDS: Final = 2_000


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
    """Run each once, and give how long they took, in milliseconds."""
    took = []
    for act in acts:
        start = time.perf_counter()
        act()
        took.append(1e3 * (time.perf_counter() - start))
    took.sort()
    return {
        "p50_ms": round(statistics.median(took), 2),
        "p95_ms": round(took[min(len(took) - 1, int(len(took) * 0.95))], 2),
        "most_ms": round(took[-1], 2),
        "count": len(took),
    }


def measured(node: Node) -> dict[str, dict[str, float]]:
    """Measure all that people do."""
    chance = random.Random(3)
    now = node.clock.now()
    index = WordIndex(node.register.vault)
    officer = Person("person-0", frozenset({Role.OFFICER, Role.CASE_OFFICER}), person_of(0))
    others = [
        Person(f"person-{number}", frozenset({Role.CASE_OFFICER}), person_of(number))
        for number in range(1, 60)
    ]

    def search(person: Person, text: str) -> Callable[[], object]:
        seeker = Seeker(person, now, 51)
        return lambda: node.database.read(
            lambda conn: listed_cases(conn, find(conn, index, text, seeker))
        )

    def listing(person: Person) -> Callable[[], object]:
        return lambda: node.database.read(
            lambda conn: list_standing_cases(
                conn, CaseFilter(count_max=100), visible(cases.c.id, person, now)
            )
        )

    def counting(*, published: bool) -> Callable[[], object]:
        asked = Asked(Period(0, now, now), published=published)
        return lambda: node.database.read(lambda conn: count(conn, node.register.vault, asked))

    names = [name_of(chance.randrange(20_000)) for _ in range(_WORDS)]
    people = [officer, *others]
    texts = {
        "search_a_name": [names[place] for place in range(ROUNDS)],
        "search_two_names": [f"{names[place]} {names[place + 1]}" for place in range(ROUNDS)],
        "search_a_common_word": ["evidence"] * ROUNDS,
        "search_common_and_rare": [f"evidence {names[place]}" for place in range(ROUNDS)],
        "search_a_reference": [
            f"CA/{2020 + number % 7}/{number:06}" for number in range(0, 70 * ROUNDS, 70)
        ],
        "search_nothing": ["nobodyiscalledthat"] * ROUNDS,
        "search_a_peer": ["ca.justice"] * ROUNDS,
    }
    found = {
        name: timed([search(people[place % 60], text) for place, text in enumerate(some)])
        for name, some in texts.items()
    }
    found["case_list"] = timed([listing(people[place % 60]) for place in range(ROUNDS)])
    found["statistics"] = timed([counting(published=False) for _ in range(3)])
    found["statistics_published"] = timed([counting(published=True) for _ in range(3)])
    return found


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
