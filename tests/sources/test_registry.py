"""The laws that hold for every kind of source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sentiment.config import load
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


FIRM = """
[company]
name = "Kanzlei Musterfeld"
[[competitors]]
name = "Beispiel & Partner"
[[services]]
name = "Arbeitsrecht"
"""


@pytest.mark.parametrize("kind", registry.KINDS)
def test_the_examples_in_the_docs_work(kind, tmp_path, monkeypatch):
    """Each TOML example is accepted as it stands, once the secrets it names are there."""
    page = (DOCS / f"{kind}.md").read_text("utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert examples
    for example in examples:
        for name in re.findall(r"\$\{(\w+)\}", example):
            monkeypatch.setenv(name, "s3cret")
        for name in re.findall(r"\$\{file:([^}]+)\}", example):
            key = '{"client_email": "reader@project.example", "private_key": "s3cret"}'
            (tmp_path / name).write_text(key, "utf-8")
        (tmp_path / "config.toml").write_text(FIRM + example, "utf-8")
        config = load(tmp_path / "config.toml")
        assert {source.kind for source in config.sources} == {kind}
