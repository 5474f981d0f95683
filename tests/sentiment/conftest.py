"""A real SQLite file that agrees with the configuration of a small law firm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from sentiment import database
from sentiment.config import Config
from tests.sentiment.firm import WordClassifier, firm


@pytest.fixture
def classifier() -> WordClassifier:
    return WordClassifier()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return firm(tmp_path)


@pytest.fixture
def db(config: Config) -> Iterator[Database]:
    with database.open_database(config) as opened:
        yield opened
