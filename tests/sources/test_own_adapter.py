"""The worked example in the docs passes the conformance suite; packages can add kinds."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

from sentiment import config
from sources import conformance, registry
from sources.base import SourceError
from tests.sentiment.firm import firm

PAGE = Path(__file__).parents[2] / "docs" / "sources" / "own-adapter.md"


def example(name: str) -> types.ModuleType:
    """A Python file out of the page."""
    found = re.search(rf"```python\n(# {name}\.py\n.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    module = types.ModuleType(name)
    exec(compile(found[1], f"{name}.py", "exec"), module.__dict__)  # noqa: S102 (our own page)
    return module


@pytest.fixture
def shouts(monkeypatch):
    module = example("shouts")
    monkeypatch.setitem(sys.modules, "shouts", module)
    return module


LAWS = [name for name in dir(conformance.Conformance) if name.startswith("test_")]


@pytest.mark.parametrize("law", LAWS)
def test_the_example_holds_the_laws(shouts, law):
    """What the docs show can be copied."""
    getattr(example("test_shouts").TestShouts(), law)()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package that offers kinds: name -> entry point."""

    def install(**kinds: str) -> None:
        info = tmp_path / "acme_sources-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-sources\nVersion: 1.0\n")
        lines = [f"{name} = {place}" for name, place in kinds.items()]
        (info / "entry_points.txt").write_text("\n".join(["[sentiment.sources]", *lines]))
        monkeypatch.syspath_prepend(tmp_path)
        registry._others.cache_clear()

    yield install
    monkeypatch.undo()
    registry._others.cache_clear()


def test_a_package_adds_a_kind(shouts, package, tmp_path):
    """An entry point is all it takes; the kind then stands in config.toml like any other."""
    package(shouts="shouts:Shouts")
    assert "shouts" in registry.kinds()
    source = {"name": "s", "kind": "shouts", "token": "x"}
    (loaded,) = firm(tmp_path, sources=[source]).sources
    assert loaded.settings == shouts.ShoutsSettings(token="x")


def test_no_package_replaces_a_built_in_kind(package):
    """Built-in kinds come first."""
    package(rss="shouts:Shouts")
    assert registry.adapter("rss").__module__ == "sources.rss"


@pytest.mark.parametrize("place", ["no.such.module:Thing", "shouts:Nothing", "sys:path", "crash:X"])
def test_a_broken_package_is_a_sentence(shouts, package, tmp_path, place):
    """What cannot be loaded is named with its package and the remedy; nothing crashes."""
    (tmp_path / "crash.py").write_text("raise SystemError('no')")
    package(shouts=place)
    with pytest.raises(SourceError, match=r'"shouts" comes from acme-sources 1\.0.*update that'):
        registry.adapter("shouts")
    path = tmp_path / "config.toml"
    path.write_text(
        '[company]\nname = "A"\n[[services]]\nname = "B"\n[[sources]]\nname = "s"\nkind = "shouts"\n'
    )
    with pytest.raises(config.ConfigError, match=r"config\.toml: sources\[0\]: the kind"):
        config.load(path)
