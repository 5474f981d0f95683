"""The laws that hold for every kind of source."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sources import base, registry

DOCS = Path(__file__).parents[2] / "docs" / "sources"


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_kind_has_settings_and_pages(kind):
    """What the registry names can be imported and has the contract's shape."""
    adapter = registry.adapter(kind)
    assert issubclass(adapter.Settings, base.Settings)
    assert callable(adapter.pages)


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_setting_is_documented(kind):
    """Each kind has a page that explains each of its keys."""
    page = (DOCS / f"{kind}.md").read_text("utf-8")
    missing = [
        key for key in registry.adapter(kind).Settings.model_fields if f"`{key}`" not in page
    ]
    assert missing == []


@pytest.mark.parametrize("kind", registry.KINDS)
def test_the_examples_in_the_docs_work(kind):
    """Each TOML example is accepted as it stands."""
    page = (DOCS / f"{kind}.md").read_text("utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert examples
    common = {
        "name",
        "kind",
        "every",
        "scope",
        "company",
        "language",
        "enabled",
        "allow_private_addresses",
    }
    for example in examples:
        for source in tomllib.loads(example)["sources"]:
            assert source["kind"] == kind
            own = {key: value for key, value in source.items() if key not in common}
            registry.adapter(kind).Settings.model_validate(own)
