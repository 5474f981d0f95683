"""A real SQLite file that agrees with the configuration of a small law firm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlite_utils import Database

from sentiment import database, detection
from sentiment.alert import alert
from sentiment.config import Config
from tests.sentiment.firm import WordClassifier, firm
from tests.sentiment.voices import SOUR, live


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


@pytest.fixture
def few_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """A coarse threshold, where any will do."""
    monkeypatch.setattr(detection, "STREAMS", 40)


@pytest.fixture
def soured(config: Config, db: Database, few_streams: None) -> datetime:
    """A hundred good days and a bad week; alerted in its evening."""
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    alert(config, db, now=now)
    return now
