"""Vectors of single signatures, above all of Ed25519 as a hostile signer makes it (SPEC 2.3)."""

from __future__ import annotations

from collections.abc import Iterator

from keys.pairs import signer_from_seed
from protocol.encoding import to_base64
from tests.support import curve
from tests.support.forge import flipped
from tests.vectors.form import Vector
from tests.vectors.makers.world import FJ, QM, key_seed, vector

_TEXT = b"the request of 9 October"


def _ed25519(name: str, expect: str, comment: str, made: curve.Hostile) -> Vector:
    return vector(
        f"signature/ed25519-{name}", expect, comment, made.text,
        algorithm="ed25519", key=to_base64(made.key), signature=to_base64(made.signature),
    )  # fmt: skip


def _curve() -> Iterator[Vector]:
    seed = key_seed(FJ, "sign", "ed25519")
    good = curve.honest(seed, _TEXT)
    yield _ed25519("ok", "ok", "An honest signature.", good)
    yield _ed25519("ok-empty-text", "ok", "Of no bytes.", curve.honest(seed, b""))
    other = curve.Hostile(good.key, _TEXT + b".", good.signature)
    yield _ed25519("other-text", "not-authentic", "Of another text.", other)
    for name, at in (("r", 0), ("s", 32)):
        turned = curve.Hostile(good.key, _TEXT, flipped(good.signature, at))
        yield _ed25519(f"flipped-{name}", "not-authentic", f"A bit of {name.upper()} is turned.",
                       turned)  # fmt: skip
    short = curve.Hostile(good.key, _TEXT, good.signature[:63])
    yield _ed25519("too-short", "not-authentic", "A signature has 64 bytes.", short)
    yield _ed25519("too-long", "not-authentic", "And no more.",
                   curve.Hostile(good.key, _TEXT, good.signature + b"\0"))  # fmt: skip
    yield _ed25519("large-s", "not-authentic", "S + L: the same point, a second signature.",
                   curve.with_large_scalar(seed, _TEXT))  # fmt: skip
    yield _ed25519(
        "cofactor", "not-authentic",
        "R has a part of order 8: a reader that multiplies by the cofactor takes it.",
        curve.with_cofactor(seed, _TEXT),
    )  # fmt: skip
    yield _ed25519(
        "mixed-key", "not-authentic", "A has a part of order 8 and k is no multiple of 8.",
        curve.with_mixed_key(seed, _TEXT, holds=False),
    )  # fmt: skip
    yield _ed25519(
        "ok-mixed-key", "ok",
        "A has a part of order 8 and k is a multiple of 8: the equation holds, A is not of "
        "small order, so the rule takes it.",
        curve.with_mixed_key(seed, _TEXT, holds=True),
    )  # fmt: skip


def _small() -> Iterator[Vector]:
    seed = key_seed(FJ, "sign", "ed25519")
    keys = {
        "identity": curve.IDENTITY, "order-2": curve.ORDER_TWO, "order-4": curve.ORDER_FOUR,
        "order-8": curve.ORDER_EIGHT, "identity-not-canonical": curve.IDENTITY_NOT_CANONICAL,
        "identity-with-sign": curve.IDENTITY_WITH_SIGN,
    }  # fmt: skip
    for name, key in keys.items():
        comment = "The equation holds, without any secret: A is of small order."
        if "not" in name or "with" in name:
            comment = "A second encoding of the identity: not canonical, and of small order."
        yield _ed25519(f"key-{name}", "not-authentic", comment,
                       curve.with_small_key(key, seed, _TEXT))  # fmt: skip
    yield _ed25519("r-identity", "not-authentic", "The equation holds exactly: R is the identity.",
                   curve.with_small_commitment(curve.IDENTITY, seed, _TEXT))  # fmt: skip
    yield _ed25519("r-order-8", "not-authentic", "R is of order 8.",
                   curve.with_small_commitment(curve.ORDER_EIGHT, seed, _TEXT))  # fmt: skip
    yield _ed25519("r-not-canonical", "not-authentic", "A second encoding of the identity as R.",
                   curve.with_small_commitment(curve.IDENTITY_NOT_CANONICAL, seed, _TEXT)
                   )  # fmt: skip


def _ml_dsa() -> Iterator[Vector]:
    signers = (
        signer_from_seed("sign", "ml-dsa-65", key_seed(FJ, "sign", "ml-dsa-65")),
        signer_from_seed("log", "ml-dsa-44", key_seed(QM, "log", "ml-dsa-44")),
    )
    for signer in signers:
        made, algorithm = signer.sign(_TEXT), signer.public.algorithm
        cases = {
            "ok": ("ok", "An empty context, the pure variant.", _TEXT, made),
            "other-text": ("not-authentic", "Of another text.", _TEXT + b".", made),
            "flipped": ("not-authentic", "A bit is turned.", _TEXT, flipped(made, 100)),
            "too-short": ("not-authentic", "A byte is missing.", _TEXT, made[:-1]),
        }
        for name, (expect, comment, text, signature) in cases.items():
            yield vector(
                f"signature/{algorithm}-{name}", expect, comment, text, algorithm=algorithm,
                key=to_base64(signer.public.raw), signature=to_base64(signature),
            )  # fmt: skip


def vectors() -> Iterator[Vector]:
    """Give all vectors of this module."""
    yield from _curve()
    yield from _small()
    yield from _ml_dsa()
