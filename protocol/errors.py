"""Whose fault it is, and the one short word that goes back on the wire.

Two families. `Misuse`: our own caller broke a rule, which is a bug and is never caught
below the edges. `Rejected`: bytes from outside are not acceptable; one class for each way
to be cheated. A class fixes the code that the peer is told (SPEC 9), the HTTP status and
whether the refusal may become final. The `detail` is for the operator's log alone, and
whoever raises writes no case content into it.

This module knows no bytes, no keys and no HTTP beyond a status number.
"""

from __future__ import annotations

from typing import ClassVar


class ProtocolError(Exception):
    """Anything this package raises on purpose."""


class Misuse(ProtocolError):
    """Our own code called in the wrong order or with the wrong thing: a bug here."""


class Rejected(ProtocolError):
    """Bytes from outside are not acceptable; `code` is all that the peer is told."""

    code: ClassVar[str] = "malformed"
    status: ClassVar[int] = 400
    final: ClassVar[bool] = False  # may be made final by a log proof (SPEC 9)
    hint: ClassVar[str] = "The bytes are not in the form that SPEC.md gives."

    def __init__(self, detail: str) -> None:
        """Keep `detail` for the operator's log; it holds no case content."""
        super().__init__(f"{self.code}: {detail}")
        self.detail = detail


class Malformed(Rejected):
    """The bytes are not in the one form that the specification allows."""


class TooLarge(Rejected):
    """More bytes, items or levels than the limits allow."""

    code = "too-large"
    status = 413
    hint = "Send less at once; the limits stand in SPEC.md and protocol/limits.py."


class NotForUs(Rejected):
    """The envelope or message names another recipient or another network."""

    code = "not-for-us"
    status = 403
    hint = "The sender addressed another authority; check the listing it used."


class WrongSender(Rejected):
    """The envelope names another sender than the one who brought it."""

    code = "wrong-sender"
    status = 403
    hint = "Only the authority named in `from` may bring its envelopes."


class KeyUnknown(Rejected):
    """The envelope is sealed to a key that is not ours, or not any more."""

    code = "key-unknown"
    status = 409
    hint = "Fetch our newest listing and seal again."


class SuiteUnknown(Rejected):
    """The envelope's suite is unknown, or below the minimum for that peer."""

    code = "suite-unknown"
    status = 403
    hint = "There is no negotiation: upgrade the node that sealed it."


class NotAuthentic(Rejected):
    """A decryption, signature or proof failed; which one, the peer is never told."""

    code = "not-authentic"
    status = 403
    hint = "Something cryptographic does not hold; the log names the step."


class Forked(NotAuthentic):
    """A log has signed what contradicts what it had signed before."""

    hint = "The log has two histories; both signed checkpoints are the proof: keep them."


class Unproven(Rejected):
    """Nothing that was given shows it, which accuses nobody."""

    code = NotAuthentic.code
    status = NotAuthentic.status
    hint = "Ask for the proof again, or fetch it from the log."


class Mismatch(Rejected):
    """The sealed text and its outer header contradict each other."""

    code = "mismatch"
    status = 403
    hint = "Header and signed text disagree: somebody re-sealed or altered it."


class EpochAhead(Rejected):
    """The message was signed under a network document that we do not have yet."""

    code = "epoch-ahead"
    status = 409
    hint = "We fetch the newer network document; post again."


class EpochOld(Rejected):
    """The message was signed under a document superseded too long ago, or unknown."""

    code = "epoch-old"
    status = 403
    hint = "Install the newest network document and send again."


class DocumentExpired(Rejected):
    """Our network document has expired: nothing new is sent or accepted."""

    code = "document-expired"
    status = 409
    hint = "The stewards must sign and distribute a new network document."


class NotPermitted(Rejected):
    """The newest network document does not let this authority do this."""

    code = "not-permitted"
    status = 403
    hint = "The newest network document does not list the authority as active."


class RevokedKey(Rejected):
    """A key that signed this has been revoked here."""

    code = "key-revoked"
    status = 403
    hint = "The key was revoked; the authority must publish new keys."


class Expired(Rejected):
    """The message's time to be delivered has passed."""

    code = "expired"
    status = 403
    final = True
    hint = "Send a new message; this one came after its `expires`."


class NotYet(Rejected):
    """The message was created in our future: one of two clocks is wrong."""

    code = "not-yet"
    status = 409
    hint = "Compare both clocks: `comity doctor` names the one that is wrong."


class OutOfOrder(Rejected):
    """A message came before its predecessor, or names the wrong one."""

    code = "out-of-order"
    status = 409
    hint = "Deliver the earlier messages of the case first."


class UnknownCase(Rejected):
    """A message answers in a case that was never opened here."""

    code = "unknown-case"
    status = 409
    hint = "The case was opened by an authority that does not know it."


class Equivocation(Rejected):
    """Two different messages claim one place; both are kept, the second never applies."""

    code = "equivocation"
    status = 403
    final = True
    hint = "The sender signed two messages for one number: both are kept as proof."


class Skipped(Rejected):
    """The sender itself has declared this message skipped."""

    code = "skipped"
    status = 403
    final = True
    hint = "A later message of the sender says that this one was given up."


class Busy(Rejected):
    """A limit of ours is reached; nothing is wrong with the bytes."""

    code = "busy"
    status = 429
    hint = "Try again later."


class Recovering(Rejected):
    """Our log may not sign now: storage is behind what was already published."""

    code = "recovering"
    status = 503
    hint = "The node is in recovery; its operator knows from `comity doctor`."


REFUSALS: dict[str, type[Rejected]] = {
    cls.code: cls
    for cls in (
        Malformed, TooLarge, NotForUs, WrongSender, KeyUnknown, SuiteUnknown, NotAuthentic,
        Mismatch, EpochAhead, EpochOld, DocumentExpired, NotPermitted, RevokedKey, Expired,
        NotYet, OutOfOrder, UnknownCase, Equivocation, Skipped, Busy, Recovering,
    )
}  # fmt: skip
"""The closed list of SPEC 9, by code."""
