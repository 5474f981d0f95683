from __future__ import annotations

import pytest

from sources.testing import Server


@pytest.fixture
def server():
    """A real HTTP server on loopback that answers as a test scripts it."""
    with Server() as running:
        yield running
