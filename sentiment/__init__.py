"""The worker: from public posts to a score per service in SQLite."""

from pathlib import Path


def example_path() -> Path:
    """The commented configuration that `sentiment init` writes."""
    return Path(__file__).parent / "example.toml"
