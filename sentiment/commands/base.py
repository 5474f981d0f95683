"""What every command needs: its options, the configuration, the database, JSON.

Modules that take long to import are imported by the commands that need them.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlite_utils import Database

    from sentiment.config import Config

ConfigPath = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="SENTIMENT_CONFIG", help="The configuration file."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable result.")]
DEFAULT_CONFIG = Path("config.toml")


def load(path: Path) -> Config:
    """The configuration."""
    from sentiment.config import load

    return load(path)


@contextmanager
def database(config: Config) -> Iterator[Database]:
    """A connection to the database, which is made where there is none."""
    from sentiment.database import open_database

    with open_database(config) as db:
        yield db


def print_json(value: object) -> None:
    """Print it for machines."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
