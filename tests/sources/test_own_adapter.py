"""The worked example in the docs passes the conformance suite; packages can add kinds."""

from __future__ import annotations

import re
import sys
import types
from itertools import islice
from pathlib import Path

import pytest

from sentiment import config
from sentiment.check import check
from sentiment.collect import collect
from sentiment.database import open_database, rows
from sentiment.recheck import recheck
from sentiment.worker import Worker
from sources import conformance, registry
from sources.base import SourceError
from sources.conformance import in_a_hurry
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


@pytest.mark.parametrize(
    "place", ["no.such.module:Thing", "shouts:Nothing", "sys:path", "crash:X", "leave:X"]
)
def test_a_broken_package_is_a_sentence(shouts, package, tmp_path, place):
    """What cannot be loaded is named with its package and the remedy; nothing crashes."""
    (tmp_path / "crash.py").write_text("raise SystemError('no')")
    (tmp_path / "leave.py").write_text("import sys; sys.exit(3)")
    package(shouts=place)
    with pytest.raises(SourceError, match=r'"shouts" comes from acme-sources 1\.0.*update that'):
        registry.adapter("shouts")


TWO = """
[company]
name = "Kanzlei Ahornhof"
[[services]]
name = "Arbeitsrecht"
[[sources]]
name = "theirs"
kind = "shouts"
token = "s3cret"
[[sources]]
name = "ours"
kind = "rss"
path = "feed.xml"
"""
FEED = "<rss version='2.0'><channel><item><guid>1</guid><title>Gut</title></item></channel></rss>"


def test_a_broken_package_harms_its_own_source_only(package, tmp_path):
    """The worker starts, the others are read; its source says why, and goes on once it is mended."""
    (tmp_path / "crash.py").write_text("raise SystemError('no')")
    (tmp_path / "feed.xml").write_text(FEED)
    (tmp_path / "config.toml").write_text(TWO)
    package(shouts="crash:X")
    broken = config.load(tmp_path / "config.toml")
    with open_database(broken) as db:
        db.execute("UPDATE sources SET cursor = '{}', settings = 'x' WHERE name = 'theirs'")
    results = {}
    with open_database(broken) as db, in_a_hurry() as client:
        for result in [*collect(broken, db, client), *recheck(broken, db, client)]:
            results[result.source] = result
        health = rows(db, "SELECT cursor, settings, disabled, last_error FROM sources")[0]
    assert results["ours"].new == 1
    assert "acme-sources 1.0, which cannot be loaded (SystemError: no)" in results["theirs"].error
    assert (health["cursor"], health["settings"], health["disabled"]) == ("{}", "x", 1)
    assert health["last_error"] == results["theirs"].error
    checked = list(islice(check(broken), 3))[2:]  # the model, which comes last, is not loaded
    assert [(each.passed, each.said) for each in checked] == [(False, health["last_error"])]
    Worker(broken)


def test_settings_that_fail_in_their_own_way_are_no_crash(package, tmp_path, monkeypatch):
    """A bug in a package's settings is that source's error, and no secret is told."""
    module = types.ModuleType("clumsy")

    class Clumsy:
        class Settings:
            @classmethod
            def model_validate(cls, values):
                raise TypeError(values)

        def pages(self, cursor):
            return iter(())

    module.Clumsy = Clumsy
    monkeypatch.setitem(sys.modules, "clumsy", module)
    package(shouts="clumsy:Clumsy")
    (tmp_path / "config.toml").write_text(TWO)
    (theirs, _) = config.load(tmp_path / "config.toml").sources
    with pytest.raises(SourceError, match="cannot check its own settings") as caught:
        _ = theirs.settings
    assert "s3cret" not in str(caught.value)
