"""What our own code says of a vector that is a bundle, in whole or by what differs from one."""

from __future__ import annotations

import json
from collections.abc import Mapping

from protocol.bundle import decode_container, encode_container
from protocol.bundle_check import BundleReport, verify_bundle
from protocol.bundle_logs import Standing
from protocol.encoding import from_base64
from protocol.errors import KeyUnknown, NotAuthentic, Rejected
from tests.vectors.form import Vector, read


def whole_of(vector: Vector) -> bytes:
    """Give the bytes of the bundle that a vector is about."""
    if "base" not in vector.headers:
        return vector.body
    return applied(read(vector.headers["base"]).body, vector)


def applied(base: bytes, vector: Vector) -> bytes:
    """Give the base as a vector changes it."""
    if "at" in vector.headers:
        at, cut = int(vector.headers["at"]), int(vector.headers["cut"])
        return base[:at] + vector.body + base[at + cut :]
    there = dict(decode_container(base))
    return encode_container(
        [
            (name, there[name] if content is None else from_base64(content))
            for name, content in json.loads(vector.body)
        ]
    )


def judge_bundle(vector: Vector) -> Mapping[str, str]:
    """Verify a bundle: `key-unknown` where it is undecided, `not-authentic` where it is false."""
    try:
        report = verify_bundle(whole_of(vector))
    except KeyUnknown:
        raise
    except Rejected as fault:
        raise NotAuthentic(fault.detail) from fault
    if report.doubts:
        raise KeyUnknown(report.doubts[0])
    return found_in(report)


def found_in(report: BundleReport) -> dict[str, str]:
    """Give what a reader must find in a bundle that is true."""
    standings = [*(one.standing for one in report.lines), *(one.standing for one in report.records)]
    return {
        "document": report.documents[-1].digest,
        "numbers": _joined("-" if one.number is None else one.number for one in report.lines),
        "witnessed": _joined(_witnessed(one) for one in standings),
        "forked": _joined(report.forked),
    }


def _joined(words: object) -> str:
    found = [str(word) for word in words]  # type: ignore[attr-defined]  # any iterable
    return " ".join(found) or "none"


def _witnessed(standing: Standing | None) -> str:
    if standing is None:
        return "-"
    return f"{len(standing.witnesses)}/{standing.quorum}"
