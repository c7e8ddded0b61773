"""A node that serves its API, for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.node.api.scene import Api, serving
from tests.support.pair import FIJI, Pair


@pytest.fixture
async def api(light_pair: Pair) -> AsyncIterator[Api]:
    """Serve the API of Fiji's node."""
    async with serving(light_pair[FIJI].node) as served:
        yield served
