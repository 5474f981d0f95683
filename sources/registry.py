"""Kinds of sources by name. A module is imported when a source of its kind is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from sources.base import Adapter

KINDS = {
    "file": "sources.file:FileDrop",
    "rss": "sources.rss:Rss",
}


def adapter(kind: str) -> type[Adapter]:
    """The adapter class for a kind; KeyError when there is none."""
    module, name = KINDS[kind].split(":")
    return cast("type[Adapter]", getattr(import_module(module), name))
