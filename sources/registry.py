"""Kinds of sources by name. A module is imported when a source of its kind is first used."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

from sources.base import SourceError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from sources.base import Adapter

GROUP = "sentiment.sources"
"""Entry points by which other packages add kinds."""

KINDS = {
    "appstore": "sources.appstore:AppStore",
    "bluesky": "sources.bluesky:Bluesky",
    "discourse": "sources.presets:Discourse",
    "file": "sources.file:FileDrop",
    "google_business": "sources.google_business:GoogleBusiness",
    "google_news": "sources.presets:GoogleNews",
    "googleplay": "sources.googleplay:GooglePlay",
    "hackernews": "sources.hackernews:HackerNews",
    "lemmy": "sources.presets:Lemmy",
    "mastodon": "sources.mastodon:Mastodon",
    "mastodon_hashtags": "sources.presets:MastodonHashtags",
    "reddit": "sources.reddit:Reddit",
    "rss": "sources.rss:Rss",
    "stackexchange": "sources.stackexchange:StackExchange",
    "stackexchange_tags": "sources.presets:StackExchangeTags",
    "trustpilot": "sources.trustpilot:Trustpilot",
    "youtube": "sources.youtube:YouTube",
}
"""Those of this package; no other package can replace them."""


def kinds() -> list[str]:
    """Every kind there is, by name."""
    return sorted({*KINDS, *_others()})


def adapter(kind: str) -> type[Adapter]:
    """The adapter class for a kind; KeyError when there is none.

    SourceError when another package promises the kind and does not deliver it.
    """
    if kind not in KINDS:
        return _foreign(_others()[kind])
    module, name = KINDS[kind].split(":")
    return cast("type[Adapter]", getattr(import_module(module), name))


@cache
def _others() -> dict[str, EntryPoint]:
    """What installed packages offer; looked up once."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _foreign(entry: EntryPoint) -> type[Adapter]:
    """The class another package offers, if it can be used at all."""
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
    try:
        found = entry.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # somebody else's module fails in any way, or ends the program
        raise SourceError(
            f'the kind "{entry.name}" comes from {package}, which cannot be loaded '
            f"({type(error).__name__}: {error}): update that package or uninstall it",
            permanent=True,
        ) from error
    if not (hasattr(found, "Settings") and callable(getattr(found, "pages", None))):
        raise SourceError(
            f'the kind "{entry.name}" comes from {package}, but {entry.value} has no Settings '
            "or no pages: update that package or uninstall it",
            permanent=True,
        )
    return cast("type[Adapter]", found)
