"""What the configuration asks for, made: the HTTP client and the classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models import classifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.classifier import Classifier
    from sentiment.config import Config
    from sources.http import Client


def http_client(config: Config, stopping: Callable[[], bool] = lambda: False) -> Client:
    """The client that all sources share, so that limits per host hold across them."""
    from sources.http import Client, default_user_agent

    return Client(default_user_agent(config.contact), stopping=stopping)


def load_classifier(config: Config) -> Classifier:
    """The configured model; ModelError says why it cannot be loaded."""
    model = config.model
    local = config.folder / model.name
    name = str(local) if model.name != "bundled" and local.is_dir() else model.name
    return classifier.load(
        name, revision=model.revision, labels=model.labels or None, threads=model.threads
    )
