"""After a story: both logs verify, by code that the writer does not share.

assert_sound(nodes["fj.justice"])
"""

from __future__ import annotations

from keys.keyfile import read_key_file
from node.audit.fsck import Conclusion, Report, fsck
from node.audit.guard import read_guard
from node.audit.log import open_origin
from node.storage.engine import open_database
from node.storage.vault import Vault
from tests.support.clock import SeededRandom
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import RunningNode


def audit(node: RunningNode) -> Report:
    """Audit a node's whole log and storage, texts included."""
    settings = node.settings
    ring = read_key_file(settings.keys.file, PASSPHRASE)
    database = open_database(settings.database.url.get_secret_value(), read_only=True)
    try:
        return fsck(
            database,
            network=settings.network,
            authority=settings.authority,
            origin=database.read(
                lambda conn: open_origin(conn, settings.network, settings.authority)
            ),
            guard=read_guard(settings.guard.file),
            vault=Vault(ring.storage_key, SeededRandom()),
        )
    finally:
        database.close()


def assert_sound(node: RunningNode) -> Report:
    """Fail with the findings unless everything in a node's storage is as it should be."""
    report = audit(node)
    assert report.conclusion is Conclusion.SOUND, report.findings[:5]
    return report
