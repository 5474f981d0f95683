"""Who imports whom: the arrows point one way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STAGES = {
    "collect", "store", "match", "score", "rollup", "alert", "notify", "purge", "recheck", "drivers",
}  # fmt: skip
ALLOWED_AMONG_STAGES = {
    ("collect", "store"),  # storing a page is the second half of collecting it
    ("recheck", "store"),  # an edited post is stored as a changed one
}


def imports(path: Path, *, top_level: bool = False) -> set[str]:
    """Dotted names of the modules a file imports, anywhere or at module level only."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if top_level else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def packages(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize(("leaf", "others"), [("sources", {"sentiment", "models"}),
                                              ("models", {"sentiment", "sources"})])  # fmt: skip
def test_leaves_import_neither_each_other_nor_the_worker(leaf, others):
    """sources/ and models/ know nothing of the database, and nothing of each other."""
    for path in modules(leaf):
        assert not packages(imports(path)) & others, path


def test_stages_do_not_import_each_other():
    """The pipeline orders the stages; they meet in the database."""
    for path in modules("sentiment"):
        if path.stem in STAGES and path.parent.name == "sentiment":
            others = {
                name.split(".")[1] for name in imports(path) if name.startswith("sentiment.")
            } & STAGES
            pairs = {(path.stem, other) for other in others - {path.stem}}
            assert pairs <= ALLOWED_AMONG_STAGES, path


def test_only_the_worker_knows_the_scheduler():
    """APScheduler is imported by one module."""
    users = {p.stem for p in modules("sentiment") if "apscheduler" in packages(imports(p))}
    assert users == {"worker"}


def test_only_inference_and_training_import_torch():
    """torch is imported by the module that needs it, and by training."""
    users = {p for name in ("sentiment", "sources", "models") for p in modules(name)
             if "torch" in packages(imports(p))}  # fmt: skip
    assert {p.stem for p in users if "training" not in p.parts} == {"inference"}


def test_torch_is_not_imported_at_start_up():
    """The commands that answer at once import neither torch nor transformers."""
    code = (
        "import sys, sentiment.cli, sentiment.status, sentiment.show, sentiment.database\n"
        "print(sorted({'torch', 'transformers', 'apscheduler', 'feedparser'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_packages_are_installed_together(tmp_path):
    """From anywhere, the three packages are found in one folder: the install is whole."""
    code = (
        "import sentiment, sources, models, pathlib\n"
        "print(len({pathlib.Path(m.__file__).parents[1] for m in (sentiment, sources, models)}))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"
