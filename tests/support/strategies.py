"""Hypothesis strategies for what stands on the wire.

@given(json_values())
def test_it_encodes(value: Json) -> None: ...

@given(mutations(raw))          # raw with a few bytes changed, cut or added
"""

from __future__ import annotations

from hypothesis import strategies as st

from protocol.encoding import Json
from protocol.limits import INTEGER_MAX
from protocol.messages import Message
from tests.vectors.makers.world import FJ, NETWORK, NOW, QM

KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


def json_values() -> st.SearchStrategy[Json]:
    """Give any value that the wire can carry."""
    leaves: st.SearchStrategy[Json] = (
        st.none() | st.booleans() | st.integers(0, INTEGER_MAX) | st.text(max_size=16)
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    )


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Give any message whose frame is right."""
    requesting = draw(st.booleans())
    seq = draw(st.integers(1, 5))
    created = draw(st.integers(0, 2 * NOW))
    return Message(
        network=NETWORK,
        epoch=draw(st.integers(1, INTEGER_MAX)),
        sender=FJ if requesting else QM,
        recipient=QM if requesting else FJ,
        case=f"{FJ}/{draw(st.binary(min_size=16, max_size=16)).hex()}",
        seq=seq,
        prev=None if seq == 1 else draw(DIGESTS),
        seen=draw(st.none() | DIGESTS),
        order=None if requesting else draw(st.integers(1, INTEGER_MAX)),
        salt=draw(st.binary(min_size=32, max_size=32)),
        created=created,
        expires=created + draw(st.integers(1, 90 * 86_400)),
        kind=draw(st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)),
        body=draw(st.dictionaries(KEYS, json_values(), max_size=4)),
        skips=tuple(draw(st.lists(DIGESTS, max_size=3, unique=True))),
    )


@st.composite
def mutations(draw: st.DrawFn, whole: bytes) -> bytes:
    """Give the bytes with some of them changed, cut out, doubled or added."""
    raw = whole
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        end = at + draw(st.integers(0, 8))
        put = draw(st.binary(max_size=4) | st.just(raw[at : at + 8] * 2))
        raw = raw[:at] + put + raw[end:]
    return raw
