"""The demonstration cases can fail: whatever a node does otherwise ends the story there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from node.clock import SystemClock
from node.demo import fraud
from node.demo.cases import case_refusal
from node.demo.cases.clock import StoryClock
from node.demo.cases.play import Play
from node.demo.cases.run import CASES, begun_at, play_script
from node.demo.cases.texts import FICTIONAL, OFFICES, wanted_by
from node.demo.cases.voices import Actor, Api, Refused, Told, Voice
from node.demo.stage import Stage


@dataclass(frozen=True)
class Otherwise:
    """The refusal, played otherwise than it is written."""

    play: Callable[[Play], None] = case_refusal.play
    AUTHORITIES = case_refusal.AUTHORITIES
    TITLE = case_refusal.TITLE


class Spoilt(Play):
    """A play in which somebody alters a log before the auditors come."""

    def verified(self, *cases: str, readers: Mapping[str, Actor]) -> None:
        """Alter one byte of a record where the node keeps it, and go on."""
        home = self.house.homes[case_refusal.ASKING]
        self.house.shut(home.name)
        fraud.alter_acceptance(home.folder / fraud.DATABASE)
        self.house.open(home.name)
        super().verified(*cases, readers=readers)


class Deaf(Api):
    """A node that takes a step and does not make it."""

    def say(self, who: Actor, verb: str, arguments: Mapping[str, Any]) -> Told:
        """Swallow the answer to the consultation."""
        if verb == "case.reply_consultation":
            return {}
        return super().say(who, verb, arguments)


class Lax(Api):
    """A node that refuses nothing."""

    def say(self, who: Actor, verb: str, arguments: Mapping[str, Any]) -> Told:
        """Take what is refused for done."""
        try:
            return super().say(who, verb, arguments)
        except Refused:
            return {}


class Forgetful(Api):
    """A node that shows less of a case than happened."""

    def say(self, who: Actor, verb: str, arguments: Mapping[str, Any]) -> Told:
        """Leave out the last message of a case, at one side."""
        told = super().say(who, verb, arguments)
        if verb == "case.show" and who.home.name == case_refusal.ASKED:
            told["messages"].pop()
        return told


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Where commands of a story run."""
    with Stage(SystemClock()) as stage:
        yield stage


def played(
    stage: Stage, folder: Path, voice: Voice, script: Otherwise = Otherwise()
) -> str | None:  # fmt: skip
    """Play, and give why it failed if it did."""
    clock = StoryClock(begun_at(SystemClock().now(), None) + 36_000)
    _, why = play_script(
        script, folder, stage, voice, clock=clock, show=lambda scene: None
    )  # fmt: skip
    return why


def test_a_log_that_was_altered_fails_the_case(stage: Stage, tmp_path: Path) -> None:
    """One byte of one record, in a node's own database."""

    def spoilt(play: Play) -> None:
        case_refusal.play(Spoilt(**{one.name: getattr(play, one.name) for one in fields(play)}))

    why = played(stage, tmp_path, Api(), Otherwise(spoilt))
    assert why is not None
    assert "audit verify" in why


@pytest.mark.parametrize(
    ("voice", "because"),
    [
        (Deaf(), "never ACKNOWLEDGED"),
        (Lax(), "was not refused"),
        (Forgetful(), "tell the case differently"),
    ],
)
def test_a_node_that_misbehaves_fails_the_case(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, voice: Voice, because: str
) -> None:
    """What is swallowed, let through or left out is seen, and the story says what it was."""
    monkeypatch.setattr("node.demo.cases.play._WAIT_S_MAX", 3.0)  # for what never happens
    why = played(stage, tmp_path, voice)
    assert why is not None
    assert because in why


def test_every_office_of_every_case_is_fictional() -> None:
    """States that do not exist, addresses that nobody has, and a mark on every name."""
    for script in CASES.values():
        assert set(script.AUTHORITIES) <= OFFICES.keys()
    for name, office in OFFICES.items():
        assert office["country"].startswith("Q")
        assert office["country"] == wanted_by(name)["office.country"]
        assert office["email"].endswith(".example")
    assert "FICTIONAL" in FICTIONAL
