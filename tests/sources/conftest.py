from __future__ import annotations

import pytest

from sources.base import Context
from sources.http import Client


@pytest.fixture
def client():
    """A client that does not keep its distance, and gives a starved machine all the time it needs."""
    with Client("test-agent", timeout=60, deadline=120, interval=0, backoff=0.001) as running:
        yield running


@pytest.fixture
def context(client, tmp_path):
    return Context(client, tmp_path)
