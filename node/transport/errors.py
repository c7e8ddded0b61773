"""What can go wrong between two nodes, in one class with one short word.

A `TransportFailure` is temporary by nature: the courier decides when to try again. It says
whether the word was signed by the peer, because only a signed word may change more than
the time of the next try. Knows no message and no case content, and quotes no peer.
"""

from __future__ import annotations

from typing import Final

HINTS: Final = {
    "unreachable": "No connection: is the peer up, and does its listing hold the right URL?",
    "timeout": "The peer was too slow to connect, to read or to answer.",
    "tls-pin": "The peer's certificate is not one that its listing pins: do not go on.",
    "tls-untrusted": "No certificate authority known here vouches for the peer's certificate.",
    "address-refused": "The peer's URL leads to a loopback, private or link-local address.",
    "unauthorised": "The peer could not verify our request: compare clocks and hop keys.",
    "bad-answer": "The answer carries no valid signature of the peer, or is not in its form.",
    "busy": "The peer is at a limit of its own; try again later.",
}
"""The words that are ours; all others are signed refusals from the closed list of SPEC 9."""


class TransportFailure(Exception):
    """One exchange with a peer did not give an answer that can be used."""

    def __init__(
        self, code: str, detail: str, *, signed: bool = False, skew_s: int | None = None
    ) -> None:
        """Keep the word, a detail for the operator's log, and the clocks' difference.

        `skew_s` is the peer's `Date` minus our clock, known after `unauthorised` only. It is
        not signed: it may be shown to an operator and decides nothing.
        """
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.signed = signed
        self.skew_s = skew_s

    @property
    def hint(self) -> str:
        """Say in a sentence what an operator can do, or nothing for a peer's own word."""
        return HINTS.get(self.code, "") if not self.signed else ""


def caused_by(fault: BaseException | None, kind: type[BaseException]) -> bool:
    """Say whether an exception, or one that it wraps, is of a kind."""
    seen = 0
    while fault is not None and seen < 8:  # noqa: PLR2004  (chains are short; no endless loop)
        inner = getattr(fault, "os_error", None) or getattr(fault, "certificate_error", None)
        if isinstance(fault, kind) or isinstance(inner, kind):
            return True
        if isinstance(fault, BaseExceptionGroup):
            return any(caused_by(each, kind) for each in fault.exceptions)
        fault = fault.__cause__ or fault.__context__
        seen += 1
    return False
