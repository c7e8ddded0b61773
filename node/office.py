"""The office: this authority's own keys and the trust it stands on, for whoever needs both.

Holds the key ring, expanded once, and the newest `Directory`. Trust changes only through
`install_…` inside a unit of work: the new directory is computed and checked first, stored
and logged with the unit, and takes effect once that is durable. Knows no message, no
envelope and no peer's address.
"""

from __future__ import annotations

from dataclasses import dataclass

from keys.directory import Directory
from keys.pairs import SignerPair
from keys.ring import KeyRing
from node.anchor import Anchor
from node.audit.records import (
    ClosureInstalled,
    ListingInstalled,
    NetworkInstalled,
    RevocationInstalled,
)
from node.storage import Connection, notice_rows, trust_rows
from node.storage.notice_rows import Notice
from node.storage.trust_rows import Rows
from node.storage.writer import Tx
from protocol import dsse
from protocol.closure import decode_closure, decode_closure_text
from protocol.errors import KeyUnknown, Misuse
from protocol.identity import Signer
from protocol.limits import DOCUMENT_BYTES_MAX, LISTING_BYTES_MAX, REVOCATION_BYTES_MAX
from protocol.listing import LISTING_TYPE, decode_listing_text
from protocol.network import NETWORK_TYPE, decode_document_text
from protocol.primitives import SealPrivate
from protocol.revocation import REVOCATION_TYPE, decode_revocation_text


@dataclass(slots=True)
class OwnKeys:
    """The private keys of this node, expanded once; expanding costs more than using."""

    ring: KeyRing
    sign: SignerPair
    hops: tuple[tuple[int | None, Signer], ...]
    seal: dict[str, SealPrivate]

    @classmethod
    def of(cls, ring: KeyRing, now: int) -> OwnKeys:
        """Expand a key ring: `seal` keys that were retired lately still open."""
        seal = {key.public.key_id: key for key in ring.seal_keys(now)}
        return cls(ring, ring.signers("sign"), ring.hop_signers(now), seal)

    def hop_at(self, now: int) -> Signer:
        """Give the key that signs HTTP messages now: the oldest whose time is not over."""
        return next(signer for until, signer in self.hops if until is None or now < until)


class Office:
    """One authority as it acts: its id, its keys, and what it trusts."""

    def __init__(
        self,
        network: str,
        authority: str,
        ring: KeyRing | None,
        now: int,
        anchor: Anchor | None = None,
    ) -> None:
        """Act for `authority` in `network`; trust is loaded afterwards.

        Without a ring the office can only be asked what it trusts. `anchor` remembers the
        first network document outside the database.
        """
        self.network = network
        self.authority = authority
        self._keys = None if ring is None else OwnKeys.of(ring, now)
        self._anchor = anchor
        self.directory = Directory.empty(network)
        self._rows: Rows = frozenset()  # what the directory was made of
        self._ahead: tuple[Rows, Directory] | None = None  # of a transaction that is not over

    def load(self, conn: Connection) -> None:
        """Rebuild the directory from what is stored, verifying everything again."""
        self.directory, self._rows = self._stored(conn), trust_rows.read_rows(conn)

    def trusted(self, tx: Tx) -> Directory:
        """Give the directory as a unit of work has to see it.

        Several units share a transaction, and what an earlier one installed is in force for
        the later ones, unless it was undone. Only the rows know which.
        """
        rows = trust_rows.read_rows(tx.conn)
        if rows == self._rows:
            return self.directory
        if self._ahead is None or self._ahead[0] != rows:
            self._ahead = rows, self._stored(tx.conn)
        return self._ahead[1]

    def _stored(self, conn: Connection) -> Directory:
        return Directory.from_stored(
            self.network,
            documents=trust_rows.read_documents(conn),
            listings=trust_rows.read_listings(conn),
            revocations=trust_rows.read_revocations(conn),
            closures=[(one.raw, one.at) for one in notice_rows.read_notices(conn, "closed")],
            anchor=None if self._anchor is None else self._anchor.read(),
        )

    def keep_anchor(self) -> None:
        """Remember the first document; does nothing once it is remembered."""
        if self._anchor is not None and self.directory.chain:
            self._anchor.create(self.directory.chain[0].trusted.digest)

    def held_key_ids(self) -> frozenset[str]:
        """Give the ids of all keys that our key file holds, also retired ones."""
        return frozenset(entry.public().key_id for entry in self.keys.ring.entries)

    @property
    def keys(self) -> OwnKeys:
        """The private keys of this office."""
        if self._keys is None:
            raise Misuse("an office that was opened without its keys")
        return self._keys

    def use_ring(self, ring: KeyRing, now: int) -> None:
        """Act with a rotated key ring from now on."""
        self._keys = OwnKeys.of(ring, now)

    def seal_key(self, key_id: str) -> SealPrivate:
        """Give our private key of this id, also one just rotated away."""
        try:
            return self.keys.seal[key_id]
        except KeyError:
            raise KeyUnknown("sealed to a key that is not ours, or not any more") from None

    def install_document(self, tx: Tx, raw: bytes) -> bool:
        """Install a network document; False if it was known already."""
        before = self.trusted(tx)
        directory = before.install_document(raw, now=tx.now)
        if directory is before:
            return False
        statement = dsse.decode_statement(raw, kind=NETWORK_TYPE, bytes_max=DOCUMENT_BYTES_MAX)
        document = decode_document_text(statement.text)
        digest, version = statement.identity, document.version
        trust_rows.insert_document(tx.conn, digest=digest, version=version, raw=raw, at=tx.now)
        tx.record(NetworkInstalled(self.network, tx.now, version, digest, by=tx.by))
        self._adopt(tx, directory)
        return True

    def install_listing(self, tx: Tx, raw: bytes) -> bool:
        """Install an authority's listing; False if it was known already."""
        before = self.trusted(tx)
        directory = before.install_listing(raw, now=tx.now)
        if directory is before:
            return False
        statement = dsse.decode_statement(raw, kind=LISTING_TYPE, bytes_max=LISTING_BYTES_MAX)
        listing = decode_listing_text(statement.text)
        digest, authority, serial = statement.identity, listing.authority, listing.serial
        trust_rows.insert_listing(
            tx.conn, digest=digest, authority=authority, serial=serial, raw=raw, at=tx.now
        )
        tx.record(ListingInstalled(self.network, tx.now, authority, serial, digest, by=tx.by))
        self._adopt(tx, directory)
        return True

    def install_revocation(self, tx: Tx, raw: bytes) -> bool:
        """Install a revocation, in force from here on; False if it was known already."""
        before = self.trusted(tx)
        directory = before.install_revocation(raw, now=tx.now)
        if directory is before:
            return False
        statement = dsse.decode_statement(raw, kind=REVOCATION_TYPE, bytes_max=REVOCATION_BYTES_MAX)
        key_id = decode_revocation_text(statement.text).key_id
        digest = statement.identity
        trust_rows.insert_revocation(tx.conn, digest=digest, key_id=key_id, raw=raw, at=tx.now)
        tx.record(RevocationInstalled(self.network, tx.now, digest, key_id, by=tx.by))
        self._adopt(tx, directory)
        return True

    def install_closure(self, tx: Tx, raw: bytes) -> bool:
        """Install a statement that closes a log; False if it was known already.

        That of a peer is recorded. Our own closed log can record nothing any more: it is
        the first record of the next one that tells of it.
        """
        before = self.trusted(tx)
        directory = before.install_closure(raw, now=tx.now)
        if directory is before:
            return False
        statement = decode_closure(raw)
        closure, digest = decode_closure_text(statement.text), statement.identity
        notice_rows.insert_notice(tx.conn, "closed", Notice(digest, closure.origin, raw, tx.now))
        if closure.authority != self.authority:
            tx.record(ClosureInstalled(self.network, tx.now, closure.origin, digest, by=tx.by))
        self._adopt(tx, directory)
        return True

    def _adopt(self, tx: Tx, directory: Directory) -> None:
        """Take the new trust once it is durable."""
        rows = trust_rows.read_rows(tx.conn)
        self._ahead = rows, directory

        def adopt() -> None:
            self.directory, self._rows, self._ahead = directory, rows, None
            self.keep_anchor()

        tx.after_commit(adopt)
