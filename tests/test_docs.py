"""The docs say what the program does."""

import re
import runpy
from pathlib import Path

import pytest

from sentiment import database
from tests.sentiment.firm import firm


class Unset(dict):
    """Parameters that nobody set, as in sqlite3's shell."""

    def __missing__(self, name):
        return None


DOCS = Path(__file__).parents[1] / "docs"
PAGES = runpy.run_path(str(DOCS / "generate.py"))["PAGES"]


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_up_to_date(name):
    """`python docs/generate.py` would change nothing."""
    assert (DOCS / name).read_text("utf-8") == PAGES[name]()


def test_the_queries_in_the_docs_run(tmp_path):
    """Every SQL example in the docs is valid on a database of ours."""
    with database.open_database(firm(tmp_path)) as db:
        queries = [
            query
            for page in DOCS.rglob("*.md")
            for query in re.findall(r"```sql\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        ]
        assert len(queries) >= 4
        for query in queries:
            db.execute(query, Unset()).fetchall()


def test_links_between_pages_lead_somewhere():
    """Relative links in README and docs point at files that exist."""
    for page in [DOCS.parent / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
