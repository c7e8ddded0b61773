"""One demonstration case as it is played: its people, its days, and what is seen in them.

    play.on(day=3)
    play.say(judge, "case.acknowledge", case=case, body={…})
    play.both(case, "ACKNOWLEDGED")
    play.see("qp.justice acknowledges, under its own reference")

A script is written once, for either voice. What it expects it asserts: anything else raises
`StepFailed`, and the demonstration ends there. Nothing waits for a time: only for conditions.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from node.access.people import Caller
from node.demo.cases.clock import StoryClock
from node.demo.cases.house import House
from node.demo.cases.voices import Actor, Refused, Told, Voice
from node.demo.stage import Stage, StepFailed
from node.desk import act, who
from node.storage import queue_rows, standing_rows

T = TypeVar("T")
DAY_S: Final = 86_400
_WAIT_S_MAX: Final = 30.0
_PACE_S: Final = 0.03
_SHOWN_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Scene:
    """One line of what was played: the day of the story, and what was seen."""

    day: int
    at: int
    sentence: str


@dataclass(slots=True)
class Play:
    """What a script plays with; times in Unix seconds, days from 1."""

    house: House
    clock: StoryClock
    stage: Stage
    voice: Voice
    begun: int
    show: Callable[[Scene], None]
    scenes: list[Scene] = field(default_factory=list)

    # --- people and time ---------------------------------------------------

    def people(self, authority: str, **logins: Sequence[str]) -> list[Actor]:
        """Let people work at an authority, each in some roles, with an access key in a file.

        The node's own administrator adds them; from the third on, one of them confirms.
        """
        desk, home = self.house.desk(authority), self.house.homes[authority]
        admin = who(desk, Caller(uid=os.geteuid()))
        actors: list[Actor] = []
        for login, roles in logins.items():
            added: Told = act(
                desk, "user.add", {"login": login, "roles": list(roles)}, person=admin
            )
            if (wanted := added["wanted"]) is not None:
                self._confirm(actors, str(wanted["code"]))
            first = act(desk, "key.make", {"login": login, "name": "first"}, person=admin)
            person = who(desk, Caller(key=str(first["key"])))
            own = act(desk, "key.make", {"name": "work"}, person=person)
            actors.append(self._settle(Actor(home, login, str(own["key"]))))
        return actors

    def _confirm(self, actors: Sequence[Actor], code: str) -> None:
        for one in actors:
            desk = self.house.desk(one.home.name)
            try:
                act(desk, "user.confirm", {"code": code}, person=who(desk, Caller(key=one.key)))
            except Exception as fault:  # noqa: BLE001  (another of them may confirm)
                last = fault
            else:
                return
        raise StepFailed("nobody confirms a new person") from last

    @staticmethod
    def _settle(actor: Actor) -> Actor:
        actor.key_file.touch(mode=0o600)
        actor.key_file.write_text(actor.key + "\n")
        return actor

    def on(self, day: int, hour: int = 12) -> None:
        """Let time pass until a day and hour of the story, if they are not here yet."""
        moment = self.begun + (day - 1) * DAY_S + hour * 3600
        if (delay_s := moment - self.clock.now()) > 0:
            self.clock.leap(delay_s)

    def moment(self, day: int, hour: int = 12) -> int:
        """Give a day and hour of the story in Unix seconds."""
        return self.begun + (day - 1) * DAY_S + hour * 3600

    @property
    def day(self) -> int:
        """Which day of the story it is."""
        return (self.clock.now() - self.begun) // DAY_S + 1

    # --- what is said and seen ---------------------------------------------

    def say(self, actor: Actor, verb: str, **arguments: Any) -> Told:  # noqa: ANN401  (fields of a body: any JSON)
        """Say something that the node must take."""
        try:
            return self.voice.say(actor, verb, arguments)
        except Refused as fault:
            raise StepFailed(f"{actor.login} at {actor.home.name}, {verb}: {fault}") from fault

    def refused(
        self, actor: Actor, verb: str, code: str, *, rule: str | None = None, **arguments: Any,  # noqa: ANN401  (fields of a body: any JSON)
    ) -> None:  # fmt: skip
        """Say something that the node must refuse, for the reason that `code` names.

        `rule` is one that must be named too, as "UNCAC 46(26)".
        """
        try:
            self.voice.say(actor, verb, arguments)
        except Refused as fault:
            if fault.code != code or rule not in {None, *fault.rules}:
                raise StepFailed(f"{verb} was not refused as {code} by {rule}: {fault}") from fault
        else:
            raise StepFailed(f"{verb} by {actor.login} was not refused")

    def see(self, sentence: str) -> None:
        """Show what has just happened."""
        scene = Scene(self.day, self.clock.now(), sentence)
        self.scenes.append(scene)
        self.show(scene)

    def must(self, held: object, otherwise: str) -> None:
        """Fail unless something holds."""
        if not held:
            raise StepFailed(otherwise)

    def until(self, look: Callable[[], T], otherwise: Callable[[], str]) -> T:
        """Look until there is something to see, and give it; `otherwise` says what was not."""
        until = self.house.real.monotonic() + _WAIT_S_MAX
        pace = threading.Event()  # never set: it only paces the looking
        while not (found := look()):
            if self.house.real.monotonic() > until:
                raise StepFailed(f"{otherwise()} within {_WAIT_S_MAX:.0f} seconds")
            pace.wait(_PACE_S)
        return found

    # --- the end -----------------------------------------------------------

    def verified(self, *cases: str, readers: Mapping[str, Actor]) -> None:
        """Verify both logs, and each case from a file alone, as an auditor does.

        `readers` are who may read the cases, by authority: both sides of all of them.
        """
        for reader in readers.values():
            folder = reader.home.folder
            self.stage.comity("--config", folder, "audit", "verify", "--json").must()
            for case in cases:
                file = folder / f"{case.rpartition('/')[2][:_SHOWN_DIGITS]}.comity"
                self.voice.bundle(reader, case, file)
                self.stage.comity("verify", file, "--json").must()
        for case in cases:
            self.agreed(case, readers)
        sides = " and ".join(readers)
        self.see(f"{sides}: logs derived again, the case verified from its file alone")

    def agreed(self, case: str, readers: Mapping[str, Actor]) -> None:
        """Fail unless a case has the same history for all its readers, and so the same state."""
        told = {name: self._history(reader, case) for name, reader in readers.items()}
        first, *others = told.items()
        for name, history in others:
            self.must(history == first[1], f"{name} and {first[0]} tell the case differently")

    def _history(self, reader: Actor, case: str) -> list[object]:
        """Give where a case stands for somebody, and what each message of it did."""
        told = self.say(reader, "case.show", case=case)
        did = [(one["order"], one["message"], one["effect"]) for one in told["messages"]]
        return [told["case"]["state"], *sorted(did, key=lambda one: int(one[0]))]

    # --- cases -------------------------------------------------------------

    def state(self, authority: str, case: str) -> str | None:
        """Give where a case stands at one authority; None if it is not there."""
        node = self.house.node(authority)
        found = node.database.read(lambda conn: standing_rows.read_standing(conn, case))
        return None if found is None or found.unconfirmed is not None else found.state

    def at(self, authority: str, case: str, state: str) -> None:
        """Wait until a case stands there at one authority."""
        self.until(
            lambda: self.state(authority, case) == state,
            lambda: f"{authority} shows {self.state(authority, case)}, and never {state},",
        )

    def both(self, case: str, state: str, *authorities: str) -> None:
        """Wait until a case stands there on both sides, each confirmed."""
        for authority in authorities or tuple(self.house.homes):
            self.at(authority, case, state)

    def settled(self) -> None:
        """Wait until all that was said has arrived, at nodes that are up, and is receipted."""
        up = [home.node for home in self.house.homes.values() if home.node is not None]
        self.until(
            lambda: not any(node.database.read(queue_rows.list_shown) for node in up),
            lambda: "not everything was delivered",
        )

    def clocks(self, actor: Actor, case: str) -> dict[str, Told]:
        """Give the clocks that run in a case, by name."""
        found = self.say(actor, "clock.list", case=case)["clocks"]
        return {str(one["name"]): one for one in found if one["ended"] is None}

    def request(
        self, drafter: Actor, approver: Actor, officer: Actor, *, to: str, kind: str,
        body: Mapping[str, Any], evidence: Path | None = None,
    ) -> str:  # fmt: skip
        """Draft, check, submit, approve and send a request; gives its case."""
        given = {} if evidence is None else {"evidence": str(evidence)}
        draft = self.say(
            drafter, "draft.create", to=to, kind=kind, body=dict(body), **given
        )["draft"]  # fmt: skip
        checked = self.say(drafter, "draft.check", draft=draft)
        self.must(checked["may_be_sent"], f"the validator holds the request back: {checked}")
        self.say(drafter, "draft.submit", draft=draft, version=1)
        self.say(approver, "draft.approve", draft=draft, version=1)
        return str(self.say(officer, "draft.send", draft=draft)["case"])

    def step(self, actor: Actor, event: str, case: str, **body: Any) -> Told:  # noqa: ANN401  (fields of a body: any JSON)
        """Make one step in a case; `evidence` is a path and not a field."""
        evidence = body.pop("evidence", None)
        given = {} if evidence is None else {"evidence": str(evidence)}
        return self.say(actor, f"case.{event}", case=case, body=body, **given)

    def by_two(self, first: Actor, second: Actor, event: str, case: str, **body: Any) -> None:  # noqa: ANN401  (fields of a body: any JSON)
        """Make a step that takes two people: one proposes, another agrees."""
        draft = self.step(first, event, case, **body)["draft"]
        self.say(second, "draft.approve", draft=draft, version=1)
