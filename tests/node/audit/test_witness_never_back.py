"""The witness under every order of questions: its words never contradict each other."""

from __future__ import annotations

import tempfile

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import integers

from node.storage.engine import open_database
from node.storage.migrate import migrate
from tests.support.clock import START
from tests.support.trust import make_trust
from tests.support.witness_scene import FIJI, QUMRAN, scene_of


class NeverBack(RuleBasedStateMachine):
    """Whatever comes in whatever order, the words given never contradict each other."""

    trust = make_trust((FIJI, QUMRAN))

    def __init__(self) -> None:
        """Start with an empty memory, and a log that will sign anything."""
        super().__init__()

        self.folder = tempfile.TemporaryDirectory()
        self.database = open_database(f"sqlite:///{self.folder.name}/w.db")
        migrate(self.database)
        self.scene = scene_of(self.database, self.trust)
        log = self.scene.log.grown(40)
        self.histories = [log, log.rewritten(7), log.rewritten(25)]
        self.given: dict[int, bytes] = {}
        self.largest = 0

    @rule(which=integers(0, 2), old=integers(0, 40), size=integers(0, 40))
    def ask(self, which: int, old: int, size: int) -> None:
        """Ask for a word on any state of any history, from any old size."""
        log = self.histories[which]
        state = self.scene.state()
        honest = state.size if state is not None and old % 2 else old
        said = self.scene.say(log.add_checkpoint(honest, size, now=START))
        if said.status == 200:
            assert size >= self.largest
            self.largest = size
            self.given[size] = log.root(size)

    @invariant()
    def one_history(self) -> None:
        """All words given are about states of one and the same history."""
        assert any(
            all(log.root(size) == root for size, root in self.given.items())
            for log in self.histories
        )

    def teardown(self) -> None:
        """Close the database."""
        self.database.close()
        self.folder.cleanup()


NeverBack.TestCase.settings = settings(max_examples=6, stateful_step_count=20, deadline=None)
TestNeverBack = NeverBack.TestCase
