"""What the configuration asks for, made: the HTTP client, adapters and the classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models import classifier
from sources import registry
from sources.allowances import Remembered
from sources.base import Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.classifier import Classifier
    from sentiment.config import Config, Source
    from sources.allowances import Allowances
    from sources.base import Adapter
    from sources.http import Client


def http_client(config: Config, stopping: Callable[[], bool] = lambda: False) -> Client:
    """The client that all sources share, so that limits per host hold across them."""
    from sources.http import Client, default_user_agent

    return Client(default_user_agent(config.contact), stopping=stopping)


def adapter(
    config: Config,
    source: Source,
    client: Client,
    stopping: Callable[[], bool] = lambda: False,
    allowances: Allowances | None = None,
) -> Adapter:
    """What reads a source; SourceError where its kind comes from a package that is broken.

    allowances: where what is used of them is counted; in memory when left out.
    """
    context = Context(
        client,
        config.folder,
        stopping,
        source.allow_private_addresses,
        config.timezone,
        allowances or Remembered(),
    )
    return registry.adapter(source.kind)(source.settings, context)


def load_classifier(config: Config) -> Classifier:
    """The configured model; ModelError says why it cannot be loaded."""
    model = config.model
    local = config.folder / model.name
    name = str(local) if model.name != "bundled" and local.is_dir() else model.name
    return classifier.load(
        name, revision=model.revision, labels=model.labels or None, threads=model.threads
    )
