"""Bundles about more than one log, document or history: closures, forks, chains, timestamps."""

from __future__ import annotations

from node.audit.records import LogOpened
from protocol.bundle import Bundle
from protocol.bundle_parts import encode_timestamp
from protocol.checkpoint import log_origin
from protocol.fork import make_fork
from tests.support.bundles import FIJI, QUMRAN, Book, Story, told
from tests.support.clock import START
from tests.support.trust import Trust


def histories(trust: Trust) -> dict[str, Bundle]:
    """Give them by what they are."""
    return {
        "closed": _closed(trust).bundle(),
        "log cut": _closed(trust, size=1).bundle(),
        "closed and revoked": _closed_and_revoked(trust).bundle(),
        "forked": _forked(trust).bundle(),
        "grown": _grown(trust).bundle(),
        "chain": _chain(trust).bundle(),
        "healed": _healed(trust).bundle(),
        "stamped": _stamped(trust).bundle(),
    }


def _closed(trust: Trust, *, size: int | None = None) -> Story:
    """Tell a case in the middle of which the other side closes its log and begins the next."""
    story = Story(trust)
    story.accept(story.send(FIJI, "transmit", {}))
    story.cosign(QUMRAN)
    old = story.books[QUMRAN]
    head = old.head(size)
    story.parts["closures"].append(trust.closure(QUMRAN, head.size, head.root, created=START + 100))
    story.books[QUMRAN] = Book(trust, QUMRAN, number=2)
    opened = LogOpened(trust.network, START, log_origin(trust.network, QUMRAN, 2))
    story.books[QUMRAN].append(opened.encode())
    story.accept(story.send(FIJI, "note", {}))
    story.cosign(QUMRAN)
    return story


def _closed_and_revoked(trust: Trust) -> Story:
    story = _closed(trust)
    key = next(
        one.key.key_id for one in trust.listing(QUMRAN).listing.keys if one.key.purpose == "log"
    )
    story.parts["revocations"].append(
        trust.revocation(QUMRAN, "log", key, at=START + 200, log_size=2)
    )
    return story


def _forked(trust: Trust) -> Story:
    """Tell a case with a proof that one of its logs has two histories."""
    story = told(trust)
    book, other = story.books[QUMRAN], Book(trust, QUMRAN)
    for record, _ in book.records:
        other.append(record.replace(b'"at":', b'"at":1'))
    story.parts["forks"].append(make_fork(book.checkpoint(), other.checkpoint()))
    return story


def _grown(trust: Trust) -> Story:
    """Tell a case with two heads of one log, the second linked from the first."""
    story = Story(trust)
    story.accept(story.send(FIJI, "transmit", {}))
    story.cosign(QUMRAN, at=START + 300)
    story.accept(story.send(FIJI, "note", {}))
    book = story.books[QUMRAN]
    sizes = [*story.resting(book.origin)]
    raw = book.cosigned([FIJI], at=START + 900)
    story.parts["heads"].append(book.continuation(raw, len(book.records), sizes))
    return story


def _chain(trust: Trust) -> Story:
    """Tell a case over a change of the network document."""
    story = Story(trust)
    story.accept(story.send(FIJI, "transmit", {}))
    story.trust = trust.with_document(now=START + 15, f=1)
    story.accept(story.send(QUMRAN, "answer", {}))
    story.parts["documents"] = list(story.trust.documents)
    story.cosign(FIJI)
    story.cosign(QUMRAN)
    return story


def _healed(trust: Trust) -> Story:
    """Tell a case under a document that ends a split."""
    one = trust.with_document(now=START + 15, f=1)
    rival = trust.with_document(now=START + 16, f=0)
    prev = tuple(sorted((one.document.digest, rival.document.digest)))
    healing = trust.next_document(version=3, prev=prev, created=START + 17)
    story = told(trust)
    story.parts["documents"] = [*one.documents, healing]
    return story


def _stamped(trust: Trust) -> Story:
    story = told(trust)
    checkpoint = story.books[QUMRAN].checkpoint()
    story.parts["timestamps"].append(encode_timestamp(checkpoint, b"\x30\x03\x02\x01\x00"))
    return story
