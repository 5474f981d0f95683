"""What is installed is all one needs: no checkout, no hub."""

import re
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """The names of the files in a wheel built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return zipfile.ZipFile(built).namelist()


@pytest.mark.parametrize(
    "name",
    [
        "sentiment/example.toml",
        "sentiment/schema/tables.sql",
        "sentiment/schema/triggers.sql",
        "sentiment/sample/posts.jsonl",
        "sentiment/sample/config.toml",
        "models/bundled/weights.safetensors",
        "models/bundled/tokenizer.json",
        "models/bundled/config.json",
        "models/bundled/README.md",
    ],
)
def test_the_wheel_holds_what_the_program_reads(names, name):
    """Example, schema, sample company and classifier ship in the package."""
    assert name in names


def test_the_wheel_holds_nothing_else(names):
    """No tests, no training, no database of somebody."""
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "sentiment",
        "sources",
        "models",
    }
    assert not [name for name in names if name.startswith("models/training")]
    assert not [name for name in names if re.search(r"\.db|__pycache__", name)]


def test_the_bundled_model_is_small():
    """The classifier fits in 45 MB, model card and tokenizer included."""
    size = sum(path.stat().st_size for path in (ROOT / "models" / "bundled").iterdir())
    assert size <= 45_000_000
