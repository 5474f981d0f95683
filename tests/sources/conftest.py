from __future__ import annotations

import pytest

from sources.base import Context
from sources.http import Client
from sources.testing import Server


@pytest.fixture
def server():
    with Server() as running:
        yield running


@pytest.fixture
def client():
    """A client in a hurry: tens of milliseconds where production waits seconds."""
    with Client("test-agent", timeout=0.4, deadline=0.8, interval=0, backoff=0.01) as running:
        yield running


@pytest.fixture
def context(client, tmp_path):
    return Context(client, tmp_path)
