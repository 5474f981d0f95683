"""Whatever posts and names hold: it is text, on every page and in every export."""

from __future__ import annotations

import csv
import io
import re
import urllib.request
from urllib.parse import quote, urlencode

import pytest

from sentiment.web.spreadsheets import NUMBER
from tests.browser import hostile
from tests.browser.conftest import start

SERVICE = [urlencode({"name": name, "period": "90d"}) for name in hostile.SERVICES]
SCRIPT = quote(hostile.SCRIPTS[3])
PAGES = {
    "overview": "/?period=90d",
    "overview-source": "/?" + urlencode({"source": hostile.SOURCES[0], "segment": "=A1"}),
    "service": f"/service?{SERVICE[0]}",
    "service-formula": f"/service?{SERVICE[1]}&order=telling",
    "service-long": f"/service?{SERVICE[2]}",
    "posts": "/posts?period=90d&company=*",
    "posts-next": "/posts?period=90d&company=*&order=telling&words=window",
    "post": "/post?id=1",
    "post-formula": "/post?id=12",
    "post-long": "/post?id=17",
    "alerts": "/alerts",
    "sources": "/sources",
    "portfolio": "/portfolio",
    "label": "/label?mention=1&next=javascript:window.hacked=1",
    "queries": "/sentiment",
    "mentions": "/sentiment/scored_mentions?_facet=company&_facet=source&_size=200",
    "table": "/sentiment/posts?_size=200&_facet=author",
    "search": f"/sentiment/posts?_search={SCRIPT}&text__contains={SCRIPT}",
    "sources-table": "/sentiment/sources",
    "row": "/sentiment/posts/3",
    "row-long": "/sentiment/posts/17",
    "question": "/sentiment/mood?service=" + SCRIPT,
    "drivers": "/sentiment/service_drivers",
    "sql": "/sentiment?sql=" + quote("SELECT * FROM posts ORDER BY id LIMIT 100"),
    "sql-column": "/sentiment?sql=" + quote(f'SELECT 1 AS "{hostile.SCRIPTS[0]}", :x') + f"&x={SCRIPT}",
    "json": "/sentiment/posts.json?_shape=array&_size=100",
    "csv": "/sentiment/posts.csv?_size=100",
    "chart": f"/chart/sentiment.svg?{SERVICE[0]}",
    "chart-emotions": f"/chart/emotions.svg?{SERVICE[1]}",
    "chart-surveys": f"/chart/surveys.svg?{SERVICE[0]}",
}  # fmt: skip
REFUSED = {
    f"/service?name={SCRIPT}": 404,
    f"/{SCRIPT}": 404,
    f"/sentiment/{SCRIPT}": 404,
    f"/posts?source={SCRIPT}": 400,
    f"/?period={SCRIPT}": 400,
    f"/sentiment?sql=select+{SCRIPT}": 400,
    "/sentiment?sql=" + quote("SELECT 1 AS x; " + hostile.SCRIPTS[0]): 400,
}
MARKED = (
    "iframe, object, embed, base, main script, main style, main link, main meta, svg script, animate,"
    " [onerror], [onload], [onfocus], [onclick], [onmouseover], [onbegin], [srcdoc], [autofocus],"
    " img:not([src^='/']), form:not([action^='/'])"
)
SEEN = """marked => ({
    untouched: window.hacked === undefined,
    marked: [...document.querySelectorAll(marked)].map(e => e.outerHTML.slice(0, 200)),
    links: [...document.querySelectorAll("a[href]")].map(a => a.href)
        .filter(href => !/^https?:/.test(href)),
})"""


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    hostile.write(folder)
    server, process = start(folder)
    yield server
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="module")
def visit(firm, windows):
    """One window for all pages, logged in; a phone's and a laptop's width in turn."""
    visit = windows(firm)
    visit.log_in(hostile.USER, hostile.PASSWORD)
    assert visit.page.inner_text(".who .name") == hostile.USER
    return visit


@pytest.mark.parametrize("name", PAGES)
def test_hostile_posts_are_shown_harmlessly(visit, name):
    """No script, no dialog, no request elsewhere, nothing wider than the window."""
    visit.strange.clear()
    for width in (360, 1440):
        visit.page.set_viewport_size({"width": width, "height": 900})
        page = visit.open(PAGES[name])
        page.wait_for_load_state("networkidle")
        assert page.evaluate(SEEN, MARKED) == {"untouched": True, "marked": [], "links": []}
        if not name.startswith(("json", "csv", "chart")):
            visit.shot(f"hostile-{name}-{width}")
            assert visit.overflow() <= 0, f"{width} px: {visit.overflow()} px too wide"
    assert visit.strange == []


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_refused_is_repeated_harmlessly(visit, path):
    """Errors quote what was asked for, as text."""
    visit.strange.clear()
    page = visit.open(path, REFUSED[path])
    assert page.evaluate(SEEN, MARKED)["marked"] == []
    assert page.evaluate("window.hacked === undefined")
    assert visit.overflow() <= 0
    assert [one for one in visit.strange if "Failed to load" not in one] == []


def test_moving_and_typing_runs_nothing(visit):
    """Handlers wait for the mouse and the keyboard; there are none."""
    visit.strange.clear()
    page = visit.open("/posts?period=90d&company=*")
    for article in page.query_selector_all("article")[:12]:
        article.hover()
        article.click(position={"x": 3, "y": 3})
    for _ in range(30):
        page.keyboard.press("Tab")
    assert page.evaluate("window.hacked === undefined")
    assert visit.strange == []


def test_texts_are_shown_as_they_are_written(visit):
    """Nothing is taken for markup and swallowed; nothing turns the writing around."""
    page = visit.open("/posts?period=90d&company=*")
    texts = "\n".join(one.inner_text() for one in page.query_selector_all("article .text"))
    while link := page.query_selector("a[rel=next]"):
        link.click()
        texts += "\n".join(one.inner_text() for one in page.query_selector_all("article .text"))
    texts = texts.replace("\u200b", "")
    for payload in (hostile.SCRIPTS[0], hostile.SCRIPTS[5], hostile.SCRIPTS[15], "{{7*7}}"):
        assert payload in texts
    assert not re.search("[\u202a-\u202e\u2066-\u2069\0-\b]", texts)


@pytest.mark.parametrize(
    "path",
    ["/posts.csv?period=90d&company=*", "/sentiment/posts.csv?_size=max",
     "/sentiment/posts.csv?_stream=on", "/sentiment/posts.csv?_size=max&_dl=on",
     "/sentiment/scored_mentions.csv?_stream=on", "/sentiment/sources.csv",
     "/sentiment/services.csv", "/sentiment/service_drivers.csv?_stream=on",
     "/sentiment/posts.csv?_size=max&_labels=on", "/sentiment/posts/23.csv",
     "/sentiment/survey_responses.csv",
     "/sentiment.csv?sql=" + quote("SELECT title, text, '=1+1' AS \"=1+1\", '-1', -1, -1e9 FROM posts"),
    ],
)  # fmt: skip
def test_no_cell_of_an_export_is_a_formula(firm, path):
    """Spreadsheets compute cells that begin so; numbers stay numbers."""
    with urllib.request.urlopen(firm.address + path) as answer:  # noqa: S310
        text = answer.read().decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text, newline="")))
    assert len(lines) > 1 or "/23.csv" in path
    assert len({len(line) for line in lines}) == 1
    cells = [cell for line in lines for cell in line]
    assert [
        cell[:80]
        for cell in cells
        if cell.lstrip(" \n").startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
        and not NUMBER.fullmatch(cell)
    ] == []
